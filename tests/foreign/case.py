"""What a case is, and the records that several start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.base_records import observation, patient
from tests.foreign.profiles import COLOURS, UCUM
from tests.unit.made_profiles import MADE

JsonObject = dict[str, Any]

A = {"system": "https://ehr.test/a", "value": "1"}
B = {"system": "https://ehr.test/b", "value": "2"}
RED = {"coding": [{"system": COLOURS, "code": "red"}]}
BLUE = {"coding": [{"system": COLOURS, "code": "blue"}]}
OFFICIAL = {**A, "use": "official"}
BORN = {"birthDate": "1990-01-01"}
MG = {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"}
URNS = [f"urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a1{number}" for number in range(9)]


@dataclass(frozen=True)
class ForeignCase:
    """``differs`` says why HL7's validator has no error for what is one, or the other way round."""

    name: str
    resource: JsonObject
    errors: frozenset[str]
    differs: str = ""


def case(name: str, profile: str, resource: JsonObject, *errors: str, differs: str = "") -> ForeignCase:
    """A record that claims the profile (more than one: separated by spaces)."""
    claims = [MADE + each for each in profile.split()]
    return ForeignCase(f"{profile}: {name}", {**resource, "meta": {"profile": claims}}, frozenset(errors), differs)


def ids(*identifiers: JsonObject) -> JsonObject:
    return patient(identifier=list(identifiers))


def bundle(*resources: JsonObject) -> JsonObject:
    entries = [{"fullUrl": url, "resource": resource} for url, resource in zip(URNS, resources, strict=False)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def claiming(profile: str, resource: JsonObject) -> JsonObject:
    return {**resource, "meta": {"profile": [MADE + profile]}}


def form(**item: Any) -> JsonObject:
    given = {"linkId": "1", "prefix": "1", "type": "string", "code": [{"system": COLOURS, "code": "red"}], **item}
    return {"resourceType": "Questionnaire", "status": "active", "item": [given]}


def inner(link_id: str, **more: Any) -> JsonObject:
    return {
        "linkId": link_id,
        "type": "string",
        "text": "x",
        "prefix": "1",
        "code": [{"system": COLOURS, "code": "red"}],
        **more,
    }


def noted(**value: Any) -> JsonObject:
    return {"url": MADE + "noted", **value}


def parts(*each: JsonObject) -> JsonObject:
    return {"url": MADE + "two-parts", "extension": list(each)}


ONE = {"url": "one", "valueInteger": 1}
CODE = noted(valueCode="x")
HOLDS_ADULT = [{"resourceType": "Patient", "id": "p", **BORN}]
HOLDS_CHILD = [{"resourceType": "Patient", "id": "p"}]
HOLDS_TEAM = {"resourceType": "CareTeam", "id": "t"}


def of_contained(contained: list[JsonObject], **elements: Any) -> JsonObject:
    return observation(contained=contained, **elements)


def about(person: JsonObject, **elements: Any) -> JsonObject:
    """A Bundle of a patient and an observation of it that claims the profile on subjects."""
    return bundle(person, claiming("subject-adult", observation(**{"subject": {"reference": URNS[0]}, **elements})))


def on_a_server(reference: str, person: JsonObject) -> JsonObject:
    """The same from a server, with this reference."""
    observed = claiming("subject-adult", observation(id="o", subject={"reference": reference}))
    resources = {"https://ehr.test/Patient/p": person, "https://ehr.test/Observation/o": observed}
    entries = [{"fullUrl": url, "resource": resource} for url, resource in resources.items()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}
