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


def refused(records: list[bytes]) -> Iterator[bytes]:
    """The same records with one fault each, of four kinds in turn."""
    for number, data in enumerate(records):
        resource = json.loads(data)
        match number % 4:
            case 0:
                resource["status"] = "done"
            case 1:
                resource["colour"] = "blue"
            case 2:
                resource["subject"] = [resource.get("subject")]
            case _:
                resource["effectiveDateTime" if resource["resourceType"] == "Observation" else "authored"] = "yesterday"
        yield _written(resource)
