"""One random change to a record, for each family of rules: in place, the answer says what was done ("" for nothing)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

Json = dict[str, Any]

CORE = "http://hl7.org/fhir/StructureDefinition/"
OURS = "https://w3id.org/fhir-keta/"
SECRET = "Zyx Qwerty-Miller"  # stands for what a patient said: no message may have it

_DATES = [
    *("2026", "2026-02", "2026-02-28", "2024-02-29", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.5+02:00"),
    *("2026-02-30", "2026-13", "26-01-01", "2026-11-22T10:00", "2026-11-22T10:00:00", "2026-11-22T25:00:00Z", "now"),
    *("2026-11-22T10:00:60Z", "2026-1-1", "0000-01-01", "2026-11-22T10:00:00+15:00", " 2026-11-22"),
]
_TEXTS = [
    "a",
    " a",
    "a ",
    "a  b",
    "a b",
    "a\tb",
    "a_b",
    "x" * 65,
    "",
    " ",
    "é",
    "urn:oid:1.2.3",
    "urn:oid:1.2.x",
    SECRET,
]
_NUMBERS = [0, -1, 1, 1.5, 2.0, 1e3, 2**31, 10**12, "1", True, 0.1, 11]
_REFERENCES = [
    *(
        "#",
        "#nothing",
        "Patient/1",
        "Medication/1",
        "https://ehr.test/fhir/Patient/1",
        "patient/1",
        "Patient",
        "Zebra/1",
    ),
    *(
        "urn:uuid:6c3b1a34-8a0f-4a0f-9d1e-0d6f1f0f8a11",
        "urn:uuid:x",
        "Patient/a b",
        "Patient/1/_history/2",
        "a b",
        "/1",
    ),
    *("Patient?name=x", "Zebra?name=x", "Patient?", "ftp://ehr.test/Patient/1", "base/Patient/1", "Observation/1"),
    *("Practitioner/1", "http://ehr.test/x", "Patient/" + "1" * 65, " Patient/1"),
]
_CODES = [
    *("final", "active", "completed", "draft", "retired", "unknown", "in-progress", "male", "other", "usual", "Final"),
    *("required", "choice", "string", "zzz", "boolean", "survey", "vital-signs", "mg", "mg/kg", "relaxation", "nausea"),
    *("not-at-all", "slightly", "moderately", "moments", "during", "baseline", "go-on", "=", "exists", "all", SECRET),
]
_SYSTEMS = [
    *(
        "http://loinc.org",
        "http://snomed.info/sct",
        "http://unitsofmeasure.org",
        "urn:x:y",
        "http://hl7.org/fhir/gender",
    ),
    *(f"{OURS}CodeSystem/{name}" for name in ("keta-concepts", "keta-intensity", "keta-time-point", "keta-zzz")),
    *("http://terminology.hl7.org/CodeSystem/observation-category", "zzz", "HTTP://loinc.org"),
    *("https://loinc.org", "http://unitsofmeasure.org/"),
]
_ODD: list[Any] = [None, {}, [], "", [None], "zzz", 7, True, {"zzz": 1}, [[]], {"id": "a"}, [{}], {"extension": []}]
_NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a note</p></div>'}


@dataclass(frozen=True)
class Place:
    """Something inside a record: ``holder[key]`` is its value."""

    holder: Any
    key: Any
    path: tuple[str | int, ...]

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    def put(self, value: Any) -> str:
        self.holder[self.key] = copy.deepcopy(value)
        return f"{self.name} = {json.dumps(value)}"

    def remove(self) -> str:
        del self.holder[self.key]
        return f"no {self.name}"

    @property
    def name(self) -> str:
        return ".".join(map(str, self.path))


def structure(record: Json, randomness: Random) -> str:
    """A name or a kind of value that does not belong here."""
    place = _pick(record, randomness, lambda place: place.path != ("resourceType",))
    assert place is not None
    match randomness.randrange(7):
        case 0:
            return place.put([place.value])
        case 1 if isinstance(place.value, list) and place.value:
            return place.put(place.value[0])
        case 2 if isinstance(place.key, str):
            value = place.holder.pop(place.key)
            name = randomness.choice((f"{place.key}s", f"_{place.key}", place.key.upper(), f"{place.key} of {SECRET}"))
            place.holder[name] = value
            return f"{place.name} as {name}"
        case 3 if isinstance(place.value, dict):
            place.value["zzz"] = 1
            return f"{place.name}.zzz = 1"
        case 4 if isinstance(place.value, str):
            return place.put(randomness.choice((7, True, {"value": place.value})))
    return place.put(randomness.choice(_ODD))


def primitive(record: Json, randomness: Random) -> str:
    """A value of another form, or only another one."""
    place = _pick(record, randomness, lambda place: not isinstance(place.value, dict | list))
    if place is None or place.path == ("resourceType",):
        return ""
    value = place.value
    if isinstance(value, bool):
        return place.put(randomness.choice((not value, "true", 1)))
    if isinstance(value, int | float):
        return place.put(randomness.choice(_NUMBERS))
    if not isinstance(value, str):
        return place.put("a")
    if value[:4].isdigit() and randomness.random() < 0.9:
        return place.put(randomness.choice(_DATES))
    return place.put(randomness.choice([*_TEXTS, f"{value} ", f" {value}", value.replace("-", "_"), f"{value}\n"]))


def cardinality(record: Json, randomness: Random) -> str:
    """An element left out, or a list made longer."""
    place = _pick(record, randomness, lambda place: isinstance(place.key, str) and place.path != ("resourceType",))
    if place is None:
        return ""
    if isinstance(place.value, list) and place.value and randomness.random() < 0.4:
        return place.put([*place.value, *place.value])
    return place.remove()


def binding(record: Json, randomness: Random) -> str:
    """Another code, system or display."""
    names = ("code", "status", "gender", "use", "type", "system", "valueCode", "intent", "priority", "operator")
    place = _pick(record, randomness, lambda place: place.key in (*names, "display") and isinstance(place.value, str))
    if place is None:
        return ""
    if place.key == "display":
        return place.put(randomness.choice([place.value.lower(), f"{place.value}s", "zzz", SECRET, f"{place.value} "]))
    others = [other.value for other in _places(record) if other.key == place.key and isinstance(other.value, str)]
    return place.put(randomness.choice([*(_SYSTEMS if place.key == "system" else _CODES), *others]))


def pattern(record: Json, randomness: Random) -> str:
    """In what profiles fix: codes, categories, units, the type of a value."""
    wanted = ("coding", "code", "category", "valueQuantity", "unit", "dose", "valueCodeableConcept", "valueInteger")
    place = _pick(record, randomness, lambda place: any(step in wanted for step in place.path))
    if place is None:
        return ""
    if str(place.key).startswith("value") and isinstance(place.key, str) and len(place.key) > 5:
        value = place.holder.pop(place.key)
        name, other = randomness.choice(
            (
                ("valueString", "a"),
                ("valueInteger", 3),
                ("valueQuantity", {"value": 1, "unit": "a"}),
                ("valueBoolean", True),
            )
        )
        place.holder[name] = other if name != place.key else value
        return f"{place.name} as {name}"
    if isinstance(place.value, str):
        same = [other.value for other in _places(record) if other.key == place.key and isinstance(other.value, str)]
        return place.put(randomness.choice([*same, *(_SYSTEMS if place.key == "system" else _CODES)]))
    if isinstance(place.value, int | float):
        return place.put(randomness.choice(_NUMBERS))
    return place.remove()


def slices(record: Json, randomness: Random) -> str:
    """Elements of a list left out, doubled, put elsewhere, exchanged."""
    names = ("component", "category", "coding", "extension", "identifier", "item", "profile", "differential", "element")
    place = _pick(
        record, randomness, lambda place: isinstance(place.value, list) and place.key in names and place.value
    )
    if place is None:
        return ""
    index = randomness.randrange(len(place.value))
    said = f"{place.name}.{index}"
    match randomness.randrange(4):
        case 0:
            place.value.append(copy.deepcopy(place.value[index]))
            return f"{said} twice"
        case 1 if len(place.value) > 1:
            del place.value[index]
            return f"no {said}"
        case 2:
            other = _pick(record, randomness, lambda other: other.key == place.key and isinstance(other.value, list))
            assert other is not None
            place.value.insert(0, copy.deepcopy(randomness.choice(other.value or [{}])))
            return f"{said} with one of {other.name}"
    place.value.reverse()
    return f"{place.name} reversed"


def invariant(record: Json, randomness: Random) -> str:
    """Something that goes badly with something else."""
    place = _pick(record, randomness, lambda place: isinstance(place.value, dict), root=True)
    assert place is not None
    added: Json = randomness.choice(
        (
            {"dataAbsentReason": {"text": "not known"}},
            {"contained": [{"resourceType": "Patient", "id": "p", "active": True}]},
            {"effectivePeriod": {"start": "2026-02-02", "end": "2026-02-01"}},
            {"period": {"start": "2026-02-02", "end": randomness.choice(("2026-02-01", "2026-02-03"))}},
            {"referenceRange": [{"type": {"text": "a"}}]},
            {"telecom": [{"value": "1"}]},
            {"contact": [{"gender": "other"}]},
            {"code": "mg"},
            {"system": None},
            {"name": "not a name"},
            {"name": "Name"},
            {"url": "zzz"},
            {"linkId": "1"},
            {"valueCode": "zzz"},
            {"enableWhen": [{"question": "zzz", "operator": "exists", "answerBoolean": True}]},
            {"required": True},
            {"repeats": True},
            {"initial": [{"valueString": "a"}]},
            {"answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"},
            {"id": "same"},
            {"text": _NARRATIVE},
            {"text": {"status": "generated", "div": "<div>a</div>"}},
            {"valueString": "a"},
            {"component": [{"code": {"text": "a"}, "valueString": "b"}]},
            {"entry": []},
            {"total": 3},
        )
    )
    if randomness.random() < 0.5:  # where such an element is at home
        names = added.keys()
        holders = [other for other in _places(record) if isinstance(other.value, dict) and names & other.value.keys()]
        place = randomness.choice(holders or [place])
    value = place.value
    value |= copy.deepcopy(added)
    return f"{place.name} with {json.dumps(added)}"


def reference(record: Json, randomness: Random) -> str:
    """Another target, or a reference with other parts."""
    place = _pick(record, randomness, lambda place: place.key in ("reference", "fullUrl", "questionnaire", "url"))
    if place is None:
        return ""
    if place.key == "reference" and isinstance(place.holder, dict):
        match randomness.randrange(6):
            case 0:
                place.holder["type"] = randomness.choice(("Patient", "Group", "Zebra", f"{CORE}Patient", "Observation"))
                return f"{place.name} with type {place.holder['type']}"
            case 1:
                place.holder["identifier"] = {"system": randomness.choice(_SYSTEMS), "value": "1"}
                return f"{place.name} with identifier = {json.dumps(place.holder['identifier']['system'])}"
            case 2:
                place.remove()
                place.holder["display"] = "someone"
                return f"{place.name} as display"
    return place.put(randomness.choice(_REFERENCES))


def extension(record: Json, randomness: Random) -> str:
    """An extension at some element or primitive: known or not, in its place or not."""
    urls = [
        *(f"{CORE}data-absent-reason", f"{CORE}patient-birthTime", f"{CORE}originalText", f"{CORE}zzz"),
        *(f"{CORE}{name}" for name in ("ordinalValue", "minValue", "maxDecimalPlaces", "questionnaire-hidden")),
        *(f"{CORE}{name}" for name in ("questionnaire-unit", "rendering-style", "translation", "humanname-own-name")),
        *(f"{OURS}StructureDefinition/{name}" for name in ("keta-time-point", "keta-recall", "keta-action-taken")),
        *(f"{OURS}StructureDefinition/{name}" for name in ("keta-dose-per-kg", "keta-zzz")),
        *("https://ehr.test/unknown", "zzz", ""),
    ]
    value = randomness.choice(
        (
            {"valueCode": randomness.choice(("unknown", "now", "zzz"))},
            {"valueString": "a"},
            {"valueInteger": 1},
            {"valueDecimal": 1.5},
            {"valueBoolean": True},
            {"valueDateTime": "2026-01-01T10:00:00Z"},
            {"valueCoding": {"system": f"{OURS}CodeSystem/keta-time-point", "code": "during"}},
            {"valueCodeableConcept": {"text": "a"}},
            {"valueCodeableConcept": {"coding": [{"system": f"{OURS}CodeSystem/keta-action", "code": "none"}]}},
            {"valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "mg/kg"}},
            {},
            {"valueString": "a", "valueCode": "b"},
            {"extension": [{"url": "zzz", "valueString": "a"}]},
        )
    )
    added = {"url": randomness.choice(urls), **value}
    if randomness.random() < 0.1:
        del added["url"]
    place = _pick(record, randomness, lambda place: isinstance(place.key, str) and place.key != "resourceType", True)
    assert place is not None
    holder, name = place.value, place.name
    if isinstance(holder, list) and holder and isinstance(holder[0], dict):
        holder, name = holder[0], f"{name}.0"
    elif not isinstance(holder, dict):
        holder, name = place.holder.setdefault(f"_{place.key}", {}), f"{name} (primitive)"
    if not isinstance(holder, dict):
        return ""
    where = "modifierExtension" if randomness.random() < 0.15 else "extension"
    if isinstance(holder.setdefault(where, []), list):
        holder[where].append(added)
    return f"{name}.{where} with {json.dumps(added)}"


def harmless(record: Json, randomness: Random) -> str:
    """What a valid record mostly stays valid with."""
    place = _pick(record, randomness, lambda place: isinstance(place.value, dict), root=True)
    assert place is not None
    texts = [
        other
        for other in _places(record)
        if other.key in ("description", "valueString", "title", "purpose", "comment", "authorString", "value")
        and isinstance(other.value, str)
    ]
    match randomness.randrange(8):
        case 0 if "id" not in place.value and place.path:
            place.value["id"] = f"e-{randomness.randrange(10**6)}"
            return f"{place.name}.id"
        case 1 if texts:
            return randomness.choice(texts).put(SECRET)
        case 2 if "text" not in record:
            record["text"] = _NARRATIVE
            return "text"
        case 3:
            record["language"] = randomness.choice(("en", "en-GB", "de"))
            return f"language {record['language']}"
        case 4:
            optional = (
                "note",
                "text",
                "encounter",
                "performer",
                "issued",
                "identifier",
                "copyright",
                "purpose",
                "author",
            )
            names = [
                name for name in (*optional, "description", "title", "source", "contact", "date") if name in record
            ]
            if names:
                name = randomness.choice(names)
                return Place(record, name, (name,)).remove()
        case 5:
            tag = {"system": "urn:x:y", "code": "a", "display": SECRET}
            meta = record.setdefault("meta", {})
            meta |= randomness.choice(({"versionId": "1"}, {"tag": [tag]}, {"lastUpdated": "2026-11-22T10:00:00Z"}))
            return f"meta {sorted(meta)}"
        case 6:
            names = list(record)
            randomness.shuffle(names)
            for name in names:
                record[name] = record.pop(name)
            record["id"] = f"other-{randomness.randrange(100)}"
            return "other order, other id"
    if "identifier" not in record and record["resourceType"] not in ("Bundle", "StructureDefinition"):
        one = {"system": "https://ehr.test/ids", "value": SECRET, "use": "usual"}
        record["identifier"] = one if record["resourceType"] == "QuestionnaireResponse" else [one]
        return "identifier"
    record["implicitRules"] = "https://ehr.test/rules"
    return "implicitRules"


def _places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield Place(node, key, (*path, key))
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _pick(record: Json, randomness: Random, fits: Callable[[Place], Any], root: bool = False) -> Place | None:
    found = [place for place in _places(record) if fits(place)]
    if root and (not found or randomness.random() < 0.4):
        return Place([record], 0, ())
    return randomness.choice(found) if found else None
