"""The items of a Questionnaire as a typed, read-only tree (R4, Questionnaire.item)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_keta.questionnaires.values import TypedValue, typed_value

JsonObject = dict[str, Any]

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"

MIN_VALUE = _CORE + "minValue"
MAX_VALUE = _CORE + "maxValue"
MIN_QUANTITY = _SDC + "sdc-questionnaire-minQuantity"
MAX_QUANTITY = _SDC + "sdc-questionnaire-maxQuantity"
MIN_LENGTH = _CORE + "minLength"
REGEX = _CORE + "regex"
MAX_DECIMAL_PLACES = _CORE + "maxDecimalPlaces"
MIN_OCCURS = _CORE + "questionnaire-minOccurs"
MAX_OCCURS = _CORE + "questionnaire-maxOccurs"
UNIT = _CORE + "questionnaire-unit"
UNIT_OPTION = _CORE + "questionnaire-unitOption"
UNIT_VALUE_SET = _CORE + "questionnaire-unitValueSet"
OPTION_EXCLUSIVE = _CORE + "questionnaire-optionExclusive"
ORDINAL_VALUE = _CORE + "ordinalValue"
ITEM_WEIGHT = _CORE + "itemWeight"
HIDDEN = _CORE + "questionnaire-hidden"
MIME_TYPE = _CORE + "mimeType"
MAX_SIZE = _CORE + "maxSize"
CALCULATED_EXPRESSION = _SDC + "sdc-questionnaire-calculatedExpression"
ENABLE_WHEN_EXPRESSION = _SDC + "sdc-questionnaire-enableWhenExpression"


@dataclass(frozen=True, slots=True)
class Option:
    """One ``answerOption``. ``score`` is its ordinalValue or itemWeight, read from the option or from its Coding."""

    value: TypedValue
    exclusive: bool
    initial: bool
    score: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One ``enableWhen``: the linkId asked about, the operator, and the value asked for (None where it is missing)."""

    question: str
    operator: str
    answer: TypedValue | None


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One item of a Questionnaire; ``definition`` is its JSON, ``path`` the linkIds of the items it stands in.

    ``enable_behavior`` is "all" or "any", None where the item does not say (which R4 allows for one condition only).
    """

    link_id: str
    type: str
    text: str | None
    required: bool
    repeats: bool
    read_only: bool
    max_length: int | None
    options: tuple[Option, ...]
    answer_value_set: str | None
    conditions: tuple[Condition, ...]
    enable_behavior: str | None
    initial: tuple[TypedValue, ...]
    children: tuple[Item, ...]
    path: tuple[str, ...]
    position: int
    definition: JsonObject

    @property
    def is_question(self) -> bool:
        """Whether the item takes answers."""
        return self.type not in ("group", "display")

    def extension_values(self, url: str) -> list[TypedValue]:
        """The values of the item's extensions of this url, in order."""
        return _extension_values(self.definition, url)

    def extension_value(self, url: str) -> TypedValue | None:
        """The value of the item's first extension of this url, or None."""
        values = _extension_values(self.definition, url)
        return values[0] if values else None

    def integer(self, url: str) -> int | None:
        """The integer in the item's first extension of this url, or None."""
        found = self.extension_value(url)
        is_integer = found is not None and isinstance(found.value, int) and not isinstance(found.value, bool)
        return found.value if found is not None and is_integer else None

    def expression(self, url: str) -> JsonObject | None:
        """The Expression in the item's first extension of this url (calculated, initial, enableWhen), or None."""
        found = self.extension_value(url)
        return found.value if found is not None and isinstance(found.value, dict) else None

    def __iter__(self) -> Iterator[Item]:
        """The item and all items inside it, in document order."""
        yield self
        for child in self.children:
            yield from child


@dataclass(frozen=True, slots=True, eq=False)
class ItemTree:
    """All items of a Questionnaire: ``roots`` as they nest, ``by_link_id`` flat, in document order."""

    questionnaire: JsonObject
    roots: tuple[Item, ...]
    by_link_id: Mapping[str, Item]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.by_link_id.values())

    def children(self, parent: Item | None) -> tuple[Item, ...]:
        """The items directly inside ``parent``; those of the top level for None."""
        return self.roots if parent is None else parent.children

    def ancestors(self, item: Item) -> tuple[Item, ...]:
        """The items that ``item`` stands in, outermost first."""
        return tuple(self.by_link_id[link_id] for link_id in item.path)

    def common(self, one: Item, other: Item) -> Item | None:
        """The innermost item that holds both (it may be one of them), None for the questionnaire itself."""
        shared = None
        for left, right in zip((*one.path, one.link_id), (*other.path, other.link_id), strict=False):
            if left != right:
                break
            shared = left
        return None if shared is None else self.by_link_id[shared]


def read_items(questionnaire: JsonObject) -> ItemTree:
    """Read the items of a Questionnaire given as parsed JSON.

    Lenient, since the Questionnaire itself is validated elsewhere: an item without linkId is left out, and where two
    items share a linkId the first counts.
    """
    by_link_id: dict[str, Item] = {}
    seen: set[str] = set()
    roots = _read(questionnaire.get("item"), (), seen)
    for root in roots:
        for item in root:
            by_link_id[item.link_id] = item
    return ItemTree(questionnaire, roots, by_link_id)


def _read(definitions: object, path: tuple[str, ...], seen: set[str]) -> tuple[Item, ...]:
    items: list[Item] = []
    for definition in _objects(definitions):
        link_id = definition.get("linkId")
        if isinstance(link_id, str) and link_id and link_id not in seen:
            seen.add(link_id)
            items.append(_item(definition, link_id, path, len(items), seen))
    return tuple(items)


def _item(definition: JsonObject, link_id: str, path: tuple[str, ...], position: int, seen: set[str]) -> Item:
    return Item(
        link_id=link_id,
        type=_text(definition.get("type")) or "",
        text=_text(definition.get("text")),
        required=definition.get("required") is True,
        repeats=definition.get("repeats") is True,
        read_only=definition.get("readOnly") is True,
        max_length=definition["maxLength"] if isinstance(definition.get("maxLength"), int) else None,
        options=tuple(_options(definition)),
        answer_value_set=_text(definition.get("answerValueSet")),
        conditions=tuple(_conditions(definition)),
        enable_behavior=_text(definition.get("enableBehavior")),
        initial=tuple(value for entry in _objects(definition.get("initial")) if (value := typed_value(entry))),
        children=_read(definition.get("item"), (*path, link_id), seen),
        path=path,
        position=position,
        definition=definition,
    )


def _options(definition: JsonObject) -> Iterator[Option]:
    for entry in _objects(definition.get("answerOption")):
        if value := typed_value(entry):
            yield Option(
                value=value,
                exclusive=any(found.value is True for found in _extension_values(entry, OPTION_EXCLUSIVE)),
                initial=entry.get("initialSelected") is True,
                score=_score(entry, value.value),
            )


def _conditions(definition: JsonObject) -> Iterator[Condition]:
    for entry in _objects(definition.get("enableWhen")):
        question, operator = entry.get("question"), entry.get("operator")
        if isinstance(question, str) and isinstance(operator, str):
            yield Condition(question, operator, typed_value(entry, "answer"))


def _score(*elements: object) -> float | None:
    for element in elements:
        for url in (ORDINAL_VALUE, ITEM_WEIGHT):
            for found in _extension_values(element, url):
                if isinstance(found.value, int | float) and not isinstance(found.value, bool):
                    return found.value
    return None


def _extension_values(element: object, url: str) -> list[TypedValue]:
    extensions = element.get("extension") if isinstance(element, dict) else None
    values = (typed_value(extension) for extension in _objects(extensions) if extension.get("url") == url)
    return [value for value in values if value is not None]


def _objects(value: object) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
