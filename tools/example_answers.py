"""Turn a plan of answers into a QuestionnaireResponse and the Observations it yields. Used by make_examples.py.

What each answer becomes is said by the form: a question with observationExtract is true at the moment of answering, one
with keta-recall for the span it asks about; an item coded as a component belongs to the Observation of its group.
Skipped is no Observation, declined is the dataAbsentReason asked-declined.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

BASE = "https://w3id.org/fhir-keta/"
CONCEPTS = BASE + "CodeSystem/keta-concepts"
YES_NO = BASE + "CodeSystem/keta-yes-no"
LOINC = "http://loinc.org"
RECALL = BASE + "StructureDefinition/keta-recall"
EXTRACT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
PROFILES = Path(__file__).resolve().parent.parent / "profiles"

Resource = dict[str, Any]

BANDS = {
    "44261-6": (
        (0, 4, "Minimal"),
        (5, 9, "Mild"),
        (10, 14, "Moderate"),
        (15, 19, "Moderately severe"),
        (20, 27, "Severe"),
    ),
    "70274-6": ((0, 4, "Minimal"), (5, 9, "Mild"), (10, 14, "Moderate"), (15, 21, "Severe")),
}


@dataclass(frozen=True)
class Answered:
    """The context of one response, which no answer carries. References are ``Type/id``, ``periods`` are by recall."""

    id: str
    form: str
    authored: str
    time_point: str
    subject: str
    author: str
    source: str
    infusion: str | None
    encounter: str | None
    periods: Mapping[str, tuple[str, str]]


def table(text: str) -> dict[str, dict[str, str]]:
    """Column name -> row name -> cell, without the cells that are ``-``."""
    header, *rows = (line.split() for line in text.strip().splitlines())
    columns: dict[str, dict[str, str]] = {name: {} for name in header}
    for name, *cells in rows:
        for column, cell in zip(header, cells, strict=True):
            if cell != "-":
                columns[column][name] = cell
    return columns


@cache
def _definition(kind: str, id_: str) -> Resource:
    resource: Resource = json.loads((PROFILES / kind / f"{id_}.json").read_text("utf-8"))
    return resource


def alert_reason(form: str, link_id: str) -> str:
    """What the form's first alert on a question tells the clinician. Raises StopIteration when it has none."""
    items = _all_items(_definition("Questionnaire", form)["item"])
    asked = next(item for item in items if item["linkId"] == link_id)
    alert = next(one for one in asked["extension"] if one["url"] == f"{BASE}StructureDefinition/keta-alert")
    return next(str(part["valueString"]) for part in alert["extension"] if part["url"] == "reason")


def _all_items(items: list[Resource]) -> Iterator[Resource]:
    for item in items:
        yield item
        yield from _all_items(item.get("item", []))


@cache
def coding(system: str, code: str) -> Resource:
    """A Coding of one of our code systems, with its display. Raises KeyError for an unknown code."""
    displays = {concept["code"]: concept["display"] for concept in _definition("CodeSystem", system)["concept"]}
    return {"system": f"{BASE}CodeSystem/{system}", "code": code, "display": displays[code]}


def time_point(code: str) -> list[Resource]:
    """The extension array that places a record in the course."""
    return [{"url": f"{BASE}StructureDefinition/keta-time-point", "valueCoding": coding("keta-time-point", code)}]


def claim(profile: str) -> Resource:
    """The meta that claims one of our profiles."""
    return {"profile": [f"{BASE}StructureDefinition/{profile}"]}


def reference(target: str) -> Resource:
    return {"reference": target}


def category(code: str, display: str) -> list[Resource]:
    """The category array of an Observation."""
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return [{"coding": [{"system": system, "code": code, "display": display}]}]


def response(answered: Answered, answers: Mapping[str, str]) -> Resource:
    """The completed response with these answers, in the form's order and nesting.

    Raises ValueError for an answer that the form has no item or no option for.
    """
    form = _definition("Questionnaire", answered.form)
    left = dict(answers)
    items = list(_items(form["item"], left))
    if left:
        raise ValueError(f"{answered.id}: {answered.form} has no question {', '.join(left)}")
    resource: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": answered.id,
        "meta": claim("keta-response"),
        "extension": time_point(answered.time_point),
        "partOf": [reference(answered.infusion)] if answered.infusion else None,
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": reference(answered.subject),
        "encounter": reference(answered.encounter) if answered.encounter else None,
        "authored": answered.authored,
        "author": reference(answered.author),
        "source": reference(answered.source),
        "item": items,
    }
    return without_nothing(resource)


def without_nothing(resource: Resource) -> Resource:
    """The resource without the elements that are None."""
    return {name: value for name, value in resource.items() if value is not None}


def _items(definitions: list[Resource], left: dict[str, str]) -> Iterator[Resource]:
    for definition in definitions:
        item: Resource = {"linkId": definition["linkId"], "text": definition["text"]}
        if definition["type"] == "group":
            if below := list(_items(definition["item"], left)):
                yield item | {"item": below}
        elif (text := left.pop(definition["linkId"], None)) is not None:
            yield item | {"answer": [_answer(definition, part) for part in _parts(definition, text)]}


def _parts(definition: Resource, text: str) -> list[str]:
    return text.split("+") if definition.get("repeats") else [text]


def _answer(definition: Resource, text: str) -> Resource:
    match definition["type"]:
        case "choice":
            options = {option["valueCoding"]["code"]: option["valueCoding"] for option in definition["answerOption"]}
            if text not in options:
                raise ValueError(f"{definition['linkId']} has no option {text}")
            return {"valueCoding": {key: options[text][key] for key in ("system", "code", "display")}}
        case "boolean":
            return {"valueBoolean": {"true": True, "false": False}[text]}
        case "integer":
            return {"valueInteger": int(text)}
        case "date":
            return {"valueDate": date.fromisoformat(text).isoformat()}
        case "text":
            return {"valueString": text}
        case other:
            raise ValueError(f"{definition['linkId']}: no example for answers of type {other}")


def observations(answered: Answered, response: Resource) -> list[Resource]:
    """The Observations of a response, in the form's order; an instrument's total last, with its items as members."""
    found = list(_groups(answered, _definition("Questionnaire", answered.form)["item"], response["item"], "survey"))
    members = [reference(f"Observation/{one['id']}") for one in found if _is(one, "keta-instrument-item")]
    difficulty = f"Observation/{answered.id}-69722-7"
    for one in found:
        if _is(one, "keta-score"):
            one["hasMember"] = [member for member in members if member["reference"] != difficulty]
    return found


def _is(observation: Resource, profile: str) -> bool:
    return bool(observation["meta"] == claim(profile))


def _groups(answered: Answered, definitions: list[Resource], items: list[Resource], kind: str) -> Iterator[Resource]:
    given = {item["linkId"]: item for item in items}
    present = [definition for definition in definitions if definition["linkId"] in given]
    parts = [one for one in present if one["type"] != "group" and _kind(one) == "component"]
    for definition in present:
        item = given[definition["linkId"]]
        if definition.get("code") and definition["code"][0]["code"] == "mood-benefit":
            yield _mood_benefit(answered, definition, item)
        elif definition["type"] == "group":
            yield from _groups(answered, definition["item"], item["item"], kind)
        elif _kind(definition) == "question":
            if definition["code"][0]["code"] == "declined":
                asked = next(one for one in definitions if f"{one['linkId']}.declined" == definition["linkId"])
                yield _observation(answered, asked, None, [])
        elif definition not in parts:
            own = [(part, given[part["linkId"]]) for part in parts if _belongs(part, definition)]
            yield _observation(answered, definition, item, own)


def _belongs(part: Resource, definition: Resource) -> bool:
    return str(part["linkId"]).startswith(f"{definition['linkId']}.")


def _kind(definition: Resource) -> str:
    """experience, rating ... (the property ``kind`` of the concept); for LOINC codes, item or score."""
    code = definition["code"][0]
    if code["system"] == LOINC:
        return "score" if code["code"] in BANDS else "instrument-item"
    for concept in _definition("CodeSystem", "keta-concepts")["concept"]:
        if concept["code"] == code["code"]:
            return next(str(p["valueString"]) for p in concept["property"] if p["code"] == "kind")
    raise ValueError(f"{definition['linkId']}: {code['code']} is not in keta-concepts")


def _observation(
    answered: Answered, definition: Resource, item: Resource | None, parts: list[tuple[Resource, Resource]]
) -> Resource:
    kind = _kind(definition)
    is_exam = kind == "discharge-readiness"
    components = [
        {"code": {"coding": part["code"]}} | _value(answer["answer"][0], "component") for part, answer in parts
    ]
    observation = _frame(answered, f"keta-{kind}", definition["linkId"].removeprefix(f"{answered.form}."))
    observation["category"] = category("exam", "Exam") if is_exam else category("survey", "Survey")
    observation["code"] = {"coding": definition["code"]}
    observation |= _effective(answered, definition)
    observation |= _value(item["answer"][0], kind) if item else _absent()
    code = definition["code"][0]["code"]
    if code == "44260-8" and item and item["answer"][0]["valueCoding"]["code"] != "LA6568-5":
        critical = item["answer"][0]["valueCoding"]["code"] != "LA6569-3"
        level = ("AA", "Critical abnormal") if critical else ("A", "Abnormal")
        interpretation = {"system": INTERPRETATION, "code": level[0], "display": level[1]}
        observation["interpretation"] = [{"coding": [interpretation]}]
    if code in BANDS:
        observation["referenceRange"] = [
            {"low": {"value": low}, "high": {"value": high}, "text": text} for low, high, text in BANDS[code]
        ]
    observation["component"] = components or None
    return without_nothing(observation)


def _frame(answered: Answered, profile: str, name: str) -> Resource:
    """What every Observation of this response begins with; None keeps an element's place in the order."""
    return {
        "resourceType": "Observation",
        "id": f"{answered.id}-{name}",
        "meta": claim(profile),
        "extension": time_point(answered.time_point),
        "partOf": [reference(answered.infusion)] if answered.infusion else None,
        "status": "final",
        "category": None,
        "code": None,
        "subject": reference(answered.subject),
        "encounter": reference(answered.encounter) if answered.encounter else None,
        "effectiveDateTime": None,
        "effectivePeriod": None,
        "performer": [reference(answered.source)],
        "valueCodeableConcept": None,
        "valueQuantity": None,
        "valueBoolean": None,
        "valueInteger": None,
        "valueString": None,
        "dataAbsentReason": None,
        "interpretation": None,
        "referenceRange": None,
        "hasMember": None,
        "derivedFrom": [reference(f"QuestionnaireResponse/{answered.id}")],
        "component": None,
    }


def _effective(answered: Answered, definition: Resource) -> Resource:
    extensions = {extension["url"]: extension for extension in definition["extension"]}
    if EXTRACT in extensions:
        return {"effectiveDateTime": answered.authored}
    recall = extensions[RECALL]["valueCode"]
    if recall == "P14D":
        start = datetime.fromisoformat(answered.authored) - timedelta(days=14)
        return {"effectivePeriod": {"start": start.isoformat(), "end": answered.authored}}
    start_, end = answered.periods[recall]
    return {"effectivePeriod": {"start": start_, "end": end}}


def _absent() -> Resource:
    return {
        "dataAbsentReason": {"coding": [{"system": ABSENT, "code": "asked-declined", "display": "Asked But Declined"}]}
    }


def _value(answer: Resource, kind: str) -> Resource:
    name, value = next(iter(answer.items()))
    if name != "valueCoding":
        return {name: value}
    if value["system"] != YES_NO:
        return {"valueCodeableConcept": {"coding": [value]}}
    return {"valueBoolean": value["code"] == "yes"} if value["code"] != "prefer-not-to-say" else _absent()


def _mood_benefit(answered: Answered, definition: Resource, item: Resource) -> Resource:
    """From the first day to the last, both counted; 0 days over the time asked about when nothing was noticed."""
    answers = {one["linkId"]: next(iter(one["answer"][0].values())) for one in item["item"]}
    observation = _frame(answered, "keta-mood-benefit", "mood-benefit")
    observation["category"] = category("survey", "Survey")
    observation["code"] = {"coding": definition["code"]}
    if answers["mood-benefit-noticed"]:
        first = date.fromisoformat(answers["mood-benefit-first-day"])
        last = date.fromisoformat(answers.get("mood-benefit-last-day", answered.authored[:10]))
        days = (last - first).days + 1
        observation["effectivePeriod"] = {"start": first.isoformat(), "end": last.isoformat()}
        ongoing = {"coding": [coding("keta-concepts", "ongoing")]}
        observation["component"] = [{"code": ongoing, "valueBoolean": answers["mood-benefit-still-there"]}]
    else:
        days = 0
        start, end = answered.periods["since-discharge"]
        observation["effectivePeriod"] = {"start": start, "end": end}
    observation["valueQuantity"] = {"value": days, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    return without_nothing(observation)
