"""Random questionnaires and responses to them, mostly right, then changed: for comparing verdicts, not for reading."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from fhir_keta.questionnaires.enablement import item_states
from fhir_keta.questionnaires.items import Item, ItemTree, read_items
from fhir_keta.questionnaires.values import choice_name
from tests.unit.response_cases import CORE, GENDER, GENDERS, OTHER, UCUM, coded, quantity, text

Json = dict[str, Any]

_QUESTIONS = (
    *("boolean", "boolean", "integer", "integer", "decimal", "date", "dateTime", "time", "string", "text", "url"),
    *("choice", "choice", "choice", "open-choice", "quantity", "reference"),
)
_TYPES = ("group",) * 6 + ("display", *_QUESTIONS)
_LIMITS: dict[str, tuple[Json, Json]] = {
    "integer": ({"valueInteger": 2}, {"valueInteger": 6}),
    "decimal": ({"valueDecimal": 1.5}, {"valueDecimal": 4.25}),
    "date": ({"valueDate": "2026-02-01"}, {"valueDate": "2026-11-30"}),
    "dateTime": ({"valueDateTime": "2026-02-01T10:00:00Z"}, {"valueDateTime": "2026-11-30"}),
    "time": ({"valueTime": "08:30:00"}, {"valueTime": "18:00:00"}),
}
_VALUES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [1, 2, 3, 5, 6, 7],
    "decimal": [0.5, 1.5, 2, 3.25, 4.25, 5.125],
    "date": ["2026-02-01", "2026-03-01", "2026-05", "2026-11-30", "2026", "2025-12-31", "2027-01-01"],
    "dateTime": [
        *("2026-03-01T10:00:00Z", "2026-03-01T12:00:00+02:00", "2026-02-01T10:00:00Z", "2026-05"),
        *("2026-01-01T10:00:00Z", "2026-11-30T00:00:00Z", "2026-11-30T01:00:00Z"),
    ],
    "time": ["08:00:00", "08:30:00", "12:00:00", "18:00:01"],
    "string": ["ab", "abc", "b", "zz", "abcabcabc"],
    "uri": ["http://foreign.test/page"],
    "Reference": [{"reference": "Patient/one"}],
}
_ANSWER_TYPES = {"text": "string", "url": "uri", "reference": "Reference"}
_OTHER_ANSWERS: list[Json] = [
    *({"valueBoolean": True}, {"valueInteger": 3}, text("ab"), {"valueDate": "2026-05-05"}, coded("a")),
    *({"valueReference": {"reference": "Patient/one"}}, {"valueTime": "12:00:00"}, {"valueDecimal": 2.5}),
]
_MG = {"system": UCUM, "code": "mg", "display": "mg"}


class Questionnaires:
    """Makes questionnaires of every item type, nested, repeating, required, limited and depending on each other."""

    def __init__(self, randomness: Random) -> None:
        self._random = randomness
        self._count = 0

    def questionnaire(self, name: str) -> Json:
        head = {"resourceType": "Questionnaire", "url": f"http://foreign.test/Questionnaire/{name}", "version": "1"}
        items = [self._item(0) for _ in range(self._random.randint(3, 6))]
        made = {**head, "name": "Generated", "status": "active", "item": items}
        self._add_conditions(read_items(made))
        return made

    def _maybe(self, probability: float) -> bool:
        return self._random.random() < probability

    def _item(self, depth: int) -> Json:
        self._count += 1
        type_code = self._random.choice(_TYPES if depth < 3 else _QUESTIONS)
        item: Json = {"linkId": f"q{self._count}", "type": type_code}
        if self._maybe(0.9):
            item["text"] = f"Question {self._count}?"
        if type_code != "display":
            item |= {name: True for name, chance in (("required", 0.25), ("repeats", 0.3)) if self._maybe(chance)}
        if extensions := list(self._limits(type_code, item)):
            item["extension"] = extensions
        if type_code in ("choice", "open-choice"):
            self._add_options(item)
        if type_code == "string" and self._maybe(0.3):
            item["maxLength"] = 4
        if type_code == "group" or (type_code != "display" and depth < 2 and self._maybe(0.25)):
            item["item"] = [self._item(depth + 1) for _ in range(self._random.randint(1, 3))]
        return item

    def _limits(self, type_code: str, item: Json) -> Iterator[Json]:
        for name, limit in zip(("minValue", "maxValue"), _LIMITS.get(type_code, ()), strict=False):
            if self._maybe(0.3):
                yield {"url": CORE + name, **limit}
        if type_code == "decimal" and self._maybe(0.3):
            yield {"url": CORE + "maxDecimalPlaces", "valueInteger": 1}
        if type_code == "string" and self._maybe(0.2):
            yield {"url": CORE + "minLength", "valueInteger": 2}
        if type_code == "string" and self._maybe(0.2):
            yield {"url": CORE + "regex", "valueString": "[a-c]+x?"}
        if type_code == "quantity" and self._maybe(0.3):
            yield {"url": CORE + "questionnaire-unitOption", "valueCoding": _MG}
        if "repeats" in item and type_code != "group":
            for name, chance in (("minOccurs", 0.15), ("maxOccurs", 0.2)):
                if self._maybe(chance):
                    yield {"url": CORE + "questionnaire-" + name, "valueInteger": 2}

    def _add_options(self, item: Json) -> None:
        kind = self._random.randint(1, 10)
        if kind <= 5:
            options = [coded("a", display="A"), coded("b"), coded("a", OTHER), coded("n", None)]
            item["answerOption"] = options[: self._random.randint(1, 4)]
            if self._maybe(0.3):
                exclusive = {"url": CORE + "questionnaire-optionExclusive", "valueBoolean": True}
                item["answerOption"][0]["extension"] = [exclusive]
        elif kind == 6:
            item["answerOption"] = [text("ab"), text("b")]
        elif kind == 7:
            item["answerOption"] = [{"valueInteger": 1}, {"valueInteger": 3}, coded("a")]
        elif kind <= 9:
            item["answerValueSet"] = GENDER

    def _add_conditions(self, tree: ItemTree) -> None:
        questions = [item for item in tree if item.is_question]
        for item in tree:
            if not questions or not self._maybe(0.4):
                continue
            asked = self._random.sample(questions, min(len(questions), self._random.choice((1, 1, 2))))
            outside = [other for other in asked if other is not item and item.link_id not in other.path]
            if conditions := [condition for other in outside if (condition := self._condition(other))]:
                item.definition["enableWhen"] = conditions
                if len(conditions) > 1 or self._maybe(0.3):
                    item.definition["enableBehavior"] = self._random.choice(("all", "any"))

    def _condition(self, asked: Item) -> Json | None:
        head = {"question": asked.link_id}
        if self._maybe(0.2):
            return {**head, "operator": "exists", "answerBoolean": self._maybe(0.6)}
        type_code = _ANSWER_TYPES.get(asked.type, asked.type)
        equality = self._random.choice(("=", "!="))
        if type_code == "boolean":
            return {**head, "operator": equality, "answerBoolean": self._maybe(0.5)}
        if type_code in ("integer", "decimal", "date", "dateTime", "time", "string"):
            operator = self._random.choice(("=", "!=", ">", "<", ">=", "<="))
            return {**head, "operator": operator, choice_name("answer", type_code): self._pick(type_code)}
        if type_code == "quantity":
            operator = self._random.choice(("=", ">", "<="))
            return {**head, "operator": operator, "answerQuantity": quantity(5, "mg")["valueQuantity"]}
        if type_code == "choice" and asked.answer_value_set:
            return {**head, "operator": equality, "answerCoding": {"system": GENDERS, "code": "male"}}
        if type_code == "choice" and asked.options and all(one.value.type == "Coding" for one in asked.options):
            coding = self._random.choice(asked.options).value.value
            names = ("system", "code") if self._maybe(0.8) else ("code",)
            answer = {name: coding[name] for name in names if name in coding}
            return {**head, "operator": equality, "answerCoding": answer}
        return None

    def _pick(self, type_code: str) -> Any:
        return self._random.choice(_VALUES[type_code])


class Responses:
    """Makes responses to one questionnaire: ``mutant(0)`` tries to be right, more changes make it less so."""

    def __init__(self, randomness: Random, tree: ItemTree) -> None:
        self._random = randomness
        self._tree = tree

    def mutant(self, changes: int) -> Json:
        status = self._random.choice(("completed", "completed", "completed", "amended", "in-progress", "stopped"))
        response: Json = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": self._tree.questionnaire["url"],
            "status": status,
            "item": self._items(self._tree.roots, self._random.choice((0.5, 0.8, 1.0))),
        }
        for _ in range(8):
            if not self._empty_one_disabled(response):
                break
        for _ in range(changes):
            self._change(response)
        return _without_empty(response)

    def _items(self, definitions: tuple[Item, ...], probability: float) -> list[Json]:
        items: list[Json] = []
        for item in definitions:
            if item.required or self._random.random() < probability:
                several = item.repeats and (item.type == "group" or self._random.random() < 0.1)
                for _ in range(self._random.choice((1, 2)) if several else 1):
                    items.append(self._element(item, probability))
        return items

    def _element(self, item: Item, probability: float) -> Json:
        element: Json = {"linkId": item.link_id}
        if item.text and self._random.random() < 0.9:
            element["text"] = item.text
        if item.type == "group":
            element["item"] = self._items(item.children, probability)
        elif item.is_question and self._random.random() < 0.95:
            number = self._random.choice((1, 1, 2, 3)) if item.repeats else 1
            element["answer"] = [
                {**self._answer(item), "item": self._items(item.children, probability)} for _ in range(number)
            ]
        return element

    def _answer(self, item: Item) -> Json:
        type_code = _ANSWER_TYPES.get(item.type, item.type)
        if type_code == "quantity":
            return self._random.choice((quantity(5, "mg", "mg"), quantity(7.5, "mg", "mg"), quantity(2, "mL", "mL")))
        if item.options and self._random.random() < 0.85:
            value = self._random.choice(item.options).value
            content = value.value
            if isinstance(content, dict) and self._random.random() < 0.5:
                content = {name: part for name, part in content.items() if name != "display"}
            return {choice_name("value", value.type): content}
        if item.answer_value_set and self._random.random() < 0.85:
            return coded(self._random.choice(("male", "female", "mail")), GENDERS)
        if type_code in ("choice", "open-choice"):
            return text("free") if type_code == "open-choice" else coded(self._random.choice(("a", "c")))
        return {choice_name("value", type_code): self._random.choice(_VALUES[type_code])}

    def _empty_one_disabled(self, response: Json) -> bool:
        for state in item_states(self._tree, response):
            if state.enabled is False and state.element is not None and {"answer", "item"} & state.element.keys():
                state.element.pop("answer", None)
                state.element.pop("item", None)
                return True
        return False

    def _change(self, response: Json) -> None:
        places = list(_places(response))
        items = [(owner, index) for owner, name, index in places if name == "item"]
        answers = [(owner, index) for owner, name, index in places if name == "answer"]
        if not items:
            return
        owner, index = self._random.choice(items)
        siblings, item = owner["item"], owner["item"][index]
        names = list(self._tree.by_link_id)
        match self._random.randrange(11 if answers else 8):
            case 0:
                item["linkId"] = self._random.choice(("unknown", *names))
            case 1:
                other = self._random.randrange(len(siblings))
                siblings[index], siblings[other] = siblings[other], siblings[index]
            case 2:
                siblings.insert(index, copy.deepcopy(item))
            case 3:
                del siblings[index]
            case 4:
                item.pop("answer", None)
            case 5:
                item["text"] = "another text"
            case 6:
                target, place = self._random.choice(items)
                target["item"].insert(place, copy.deepcopy(item))
            case 7:
                response["status"] = self._random.choice(("completed", "in-progress"))
            case choice:
                owner, index = self._random.choice(answers)
                self._change_answer(owner, index, choice)

    def _change_answer(self, owner: Json, index: int, choice: int) -> None:
        item = self._tree.by_link_id.get(owner["linkId"])
        inside = owner["answer"][index].get("item")
        if item is None or not item.is_question or choice == 8:
            owner["answer"][index] = dict(self._random.choice(_OTHER_ANSWERS))
        elif choice == 9:
            owner["answer"][index] = self._answer(item)
        else:
            owner["answer"].append(self._answer(item))
        if inside:
            owner["answer"][index]["item"] = inside


def _places(element: Json) -> Iterator[tuple[Json, str, int]]:
    for name in ("item", "answer"):
        for index, inner in enumerate(element.get(name, ())):
            yield element, name, index
            yield from _places(inner)


def _without_empty(element: Json) -> Json:
    """No empty arrays, which R4 forbids, and never items beside answers (qrs-1)."""
    cleaned = {**element}
    for name in ("item", "answer"):
        if name in cleaned:
            cleaned[name] = [_without_empty(inner) for inner in cleaned[name]]
            if not cleaned[name] or (name == "answer" and "item" in cleaned):
                del cleaned[name]
    return cleaned
