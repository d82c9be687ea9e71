"""The shipped Questionnaires as the tests read them, and answers to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fhirpathpy
from fhirpathpy.models import models

ROOT = Path(__file__).resolve().parents[2]
OWN = ("keta-before", "keta-during", "keta-after", "keta-discharge", "keta-follow-up")
INSTRUMENTS = ("phq-9", "gad-7")
FORMS = (*OWN, *INSTRUMENTS)
BASE = "https://w3id.org/fhir-keta/"
ALERT = BASE + "StructureDefinition/keta-alert"
RECALL = BASE + "StructureDefinition/keta-recall"
EXTRACT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"
CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
CORE = "http://hl7.org/fhir/StructureDefinition/"
EXPERIENCES = (
    *("body-detachment", "surroundings-detachment", "time-perception", "space-perception", "self-perception"),
    *("floating", "visual-effects", "auditory-effects", "emotional-release"),
)
OTHER_EFFECTS = (
    *("headache", "dizziness", "blurred-vision", "numbness", "unsteadiness", "palpitations"),
    *("bladder-pain", "nightmares", "memory-gaps"),
)
Json = dict[str, Any]
Answers = Mapping[str, Any]
VALUES = {"choice": "valueCoding", "boolean": "valueBoolean", "integer": "valueInteger", "date": "valueDate"}


@cache
def resource(resource_type: str, resource_id: str) -> Json:
    path = ROOT / "profiles" / resource_type / f"{resource_id}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def form(form_id: str) -> Json:
    return resource("Questionnaire", form_id)


def concepts(code_system_id: str) -> dict[str, Json]:
    return {concept["code"]: concept for concept in resource("CodeSystem", code_system_id)["concept"]}


def all_items(element: Json) -> Iterator[Json]:
    for item in element.get("item", []):
        yield item
        yield from all_items(item)


def items_by_link_id(form_id: str) -> dict[str, Json]:
    return {item["linkId"]: item for item in all_items(form(form_id))}


def is_question(item: Json) -> bool:
    return item["type"] not in ("group", "display")


def questions(form_id: str) -> list[Json]:
    return [item for item in all_items(form(form_id)) if is_question(item)]


def extensions(element: Json, url: str) -> list[Json]:
    return [extension for extension in element.get("extension", []) if extension["url"] == url]


def respond(form_id: str, answers: Answers) -> Json:
    """A QuestionnaireResponse; answers by linkId: a code for a choice (a list where it repeats), else the value."""
    unknown = set(answers) - set(items_by_link_id(form_id))
    assert not unknown, f"{form_id} has no {unknown}"
    questionnaire = form(form_id)
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{questionnaire['url']}|{questionnaire['version']}",
        "status": "completed",
        "item": _answered(questionnaire, answers),
    }


def _answered(element: Json, answers: Answers) -> list[Json]:
    found = []
    for item in element.get("item", []):
        below = _answered(item, answers)
        if below:
            found.append({"linkId": item["linkId"], "item": below})
        elif item["linkId"] in answers:
            given = answers[item["linkId"]]
            values = given if isinstance(given, list) else [given]
            found.append({"linkId": item["linkId"], "answer": [_answer(item, value) for value in values]})
    return found


def _answer(item: Json, value: Any) -> Json:
    if item["type"] != "choice":
        return {VALUES.get(item["type"], "valueString"): value}
    coding = next(o["valueCoding"] for o in item["answerOption"] if o["valueCoding"]["code"] == value)
    return {"valueCoding": {name: coding[name] for name in ("system", "code", "display")}}


def met(form_id: str, answers: Answers) -> list[str]:
    """The linkIds of the questions that someone who gives these answers is shown."""
    return list(_met(form(form_id), answers))


def _met(element: Json, answers: Answers) -> Iterator[str]:
    for item in element.get("item", []):
        conditions = item.get("enableWhen", [])
        if not conditions or any(_holds(condition, answers.get(condition["question"])) for condition in conditions):
            if is_question(item):
                yield item["linkId"]
            yield from _met(item, answers)


def _holds(condition: Json, given: Any) -> bool:
    if condition["operator"] == "exists":
        return condition["answerBoolean"] == (given is not None)
    assert condition["operator"] == "="
    expected = condition["answerCoding"]["code"] if "answerCoding" in condition else condition["answerBoolean"]
    return expected in (given if isinstance(given, list) else [given])


@cache
def _compiled(expression: str) -> Callable[[Json, Json], list[Any]]:
    return fhirpathpy.compile(expression, models["r4"])


def evaluate(expression: str, response: Json) -> list[Any]:
    """FHIRPath over a response, which is also %resource; [] is FHIRPath's empty."""
    return _compiled(expression)(response, {"resource": response})
