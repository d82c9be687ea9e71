"""Many distinct records out of the example export, with the variety of a real one; the same ones every time."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EXPORT = Path(__file__).resolve().parent.parent / "examples" / "export"

JsonObject = dict[str, Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_WORDS = (
    "slow",
    "warm",
    "far",
    "light",
    "heavy",
    "strange",
    "floating",
    "afraid",
    "music",
    "room",
    "the",
    "sea",
    "and",
)
_PEOPLE = 500


def distinct(kind: str, count: int, seed: int = 1) -> list[bytes]:
    """``count`` records of a type: ids, references, times, free texts and measured values differ, some have rare parts.

    All are meant to be valid: the benchmark asks the validator and leaves out what is not.
    """
    choice = random.Random(seed)
    sources = [json.loads(line) for line in (EXPORT / f"{kind}.ndjson").read_bytes().splitlines()]
    return [_written(_varied(sources[number % len(sources)], number, choice)) for number in range(count)]


def _written(resource: JsonObject) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def _varied(source: JsonObject, number: int, choice: random.Random) -> JsonObject:
    person = choice.randrange(_PEOPLE)
    day = f"20{choice.randrange(20, 26)}-{choice.randrange(1, 13):02}-{choice.randrange(1, 29):02}"
    shift = f"{choice.randrange(24):02}:{choice.randrange(60):02}"

    def value(name: str, found: Any) -> Any:
        if isinstance(found, dict):
            return {key: value(key, each) for key, each in found.items()}
        if isinstance(found, list):
            return [value(name, each) for each in found]
        if name == "reference" and isinstance(found, str) and "/" in found:
            return f"{found}-{person}"[:64]
        if name == "valueString" and isinstance(found, str):
            return " ".join(choice.choices(_WORDS, k=choice.randrange(2, 30)))
        if isinstance(found, str) and _TIME.match(found):
            return f"{day}T{shift}{found[16:]}"
        return found

    resource: JsonObject = {name: value(name, each) for name, each in source.items()}
    resource["id"] = f"{source['id'][:40]}-{number}"
    quantity = resource.get("valueQuantity")
    if quantity and choice.random() < 0.5:
        quantity["value"] = quantity["value"] + choice.randrange(3)
    for rare, chance in _RARE.items():
        if choice.random() < chance:
            rare(resource, choice)
    return resource


def _identified(resource: JsonObject, choice: random.Random) -> None:
    identifier = {"system": "https://example.org/record", "value": f"{choice.randrange(10**9)}"}
    resource["identifier"] = identifier if resource["resourceType"] == "QuestionnaireResponse" else [identifier]


def _tagged(resource: JsonObject, _choice: random.Random) -> None:
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    resource.setdefault("meta", {})["tag"] = [tag]


def _noted(resource: JsonObject, choice: random.Random) -> None:
    if resource["resourceType"] == "Observation":
        resource["note"] = [{"text": " ".join(choice.choices(_WORDS, k=20))}]


def _contained(resource: JsonObject, _choice: random.Random) -> None:
    if resource["resourceType"] == "Observation":
        resource["contained"] = [{"resourceType": "Practitioner", "id": "by", "name": [{"text": "N. N."}]}]
        resource["performer"] = [{"reference": "#by"}]


def _narrated(resource: JsonObject, _choice: random.Random) -> None:
    resource["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Text.</p></div>'}


_RARE: dict[Callable[[JsonObject, random.Random], None], float] = {
    _identified: 0.1,
    _tagged: 0.05,
    _noted: 0.03,
    _contained: 0.02,
    _narrated: 0.02,
}


def refused(records: list[bytes]) -> Iterator[tuple[str, list[tuple[bytes, bytes]]]]:
    """Kinds of faults as they are met in practice, each with the records that it can befall: as they were, and with it.

    Most records have one fault. That all names or codes of a kind are wrong happens to a program that writes them.
    """
    for fault in _FAULTS:
        pairs = []
        for data in records:
            resource = json.loads(data)
            if fault(resource):
                pairs.append((data, _written(resource)))
        if pairs:
            yield fault.__name__.removeprefix("_").replace("_", " "), pairs


def _objects(value: Any) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(each)


def _misspelt(name: str) -> str:
    """Two letters swapped in the middle: a slip of the pen."""
    middle = len(name) // 2
    return name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]


def _misspell(resource: JsonObject, name: str, most: int) -> int:
    """Misspell up to ``most`` texts under a name; of codes those of a Coding or Quantity."""
    found = [each for each in _objects(resource) if isinstance(each.get(name), str)]
    if name == "code":
        found = [each for each in found if "system" in each]
    for each in found[-most:]:
        each[name] = _misspelt(each[name])
    return len(found)


def _wrong_status(resource: JsonObject) -> bool:
    resource["status"] = "done"
    return True


def _unknown_element(resource: JsonObject) -> bool:
    resource["colour"] = "blue"
    return True


def _misspelt_element(resource: JsonObject) -> bool:
    name = "subject" if "subject" in resource else "status"
    resource[_misspelt(name)] = resource.pop(name)
    return True


def _misspelt_elements(resource: JsonObject) -> bool:
    for name in [name for name in resource if name != "resourceType"]:
        resource[_misspelt(name) if len(name) > 2 else f"{name}s"] = resource.pop(name)
    return True


def _array_instead_of_object(resource: JsonObject) -> bool:
    resource["subject"] = [resource.get("subject")]
    return True


def _wrong_time(resource: JsonObject) -> bool:
    resource["effectiveDateTime" if resource["resourceType"] == "Observation" else "authored"] = "yesterday"
    return True


def _missing_status(resource: JsonObject) -> bool:
    return resource.pop("status", None) is not None


def _unknown_profile(resource: JsonObject) -> bool:
    resource.setdefault("meta", {})["profile"] = ["https://example.org/StructureDefinition/own"]
    return True


def _wrong_language(resource: JsonObject) -> bool:
    resource["language"] = "english, mostly"
    return True


def _misspelt_code(resource: JsonObject) -> bool:
    return _misspell(resource, "code", 1) > 0


def _misspelt_codes(resource: JsonObject) -> bool:
    return _misspell(resource, "code", 40) > 0


def _misspelt_link_id(resource: JsonObject) -> bool:
    return _misspell(resource, "linkId", 1) > 0


def _misspelt_link_ids(resource: JsonObject) -> bool:
    return _misspell(resource, "linkId", 1000) > 0


def _wrong_unit(resource: JsonObject) -> bool:
    quantities = [each for each in _objects(resource) if "unit" in each and "code" in each]
    for each in quantities:
        each["code"] = _misspelt(f"{each['code']}--")
    return bool(quantities)


def _wrong_kind_of_reference(resource: JsonObject) -> bool:
    found = [each for each in _objects(resource) if isinstance(each.get("reference"), str)]
    for each in found:
        each["reference"] = "Medication/1"
    return bool(found)


def _forty_wrong_codes(resource: JsonObject) -> bool:
    coded = next((each for each in _objects(resource) if isinstance(each.get("coding"), list)), None)
    if coded is not None:
        first = coded["coding"][0]
        coded["coding"] = [{**first, "code": f"{_misspelt(str(first['code']))}{number}"} for number in range(40)]
    return coded is not None


_FAULTS = (
    _wrong_status,
    _unknown_element,
    _misspelt_element,
    _misspelt_elements,
    _array_instead_of_object,
    _wrong_time,
    _missing_status,
    _unknown_profile,
    _wrong_language,
    _misspelt_code,
    _misspelt_codes,
    _misspelt_link_id,
    _misspelt_link_ids,
    _wrong_unit,
    _wrong_kind_of_reference,
    _forty_wrong_codes,
)
