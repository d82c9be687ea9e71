"""What the published schemas are asked about: every example, valid and invalid, and mechanical changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from fhir_keta.definitions.library import bundled, profiles
from fhir_keta.validation.published.schemas import Published, published_schemas
from tests.invalid import cases
from tests.oracle.mutations import mutations

Json = dict[str, Any]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MUTANTS_ONE_IN = 10
MOVED = 120  # responses a form with items moved, copied, left out


@dataclass(frozen=True)
class Instance:
    """A resource and the canonicals of the documents that it is held to."""

    name: str
    resource: Json = field(compare=False)
    canonicals: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@cache
def documents() -> dict[str, Published]:
    """What we publish, by canonical."""
    return {document.canonical: document for document in published_schemas(profiles(), bundled())}


def claimed(resource: Json) -> tuple[str, ...]:
    """The canonicals of ours that a resource names."""
    meta = resource.get("meta")
    profiles_named = meta.get("profile") if isinstance(meta, dict) else None
    canonicals = [name for name in documents() if isinstance(profiles_named, list) and name in profiles_named]
    form = str(resource.get("questionnaire")).partition("|")[0]
    if resource["resourceType"] == "QuestionnaireResponse" and form in documents():
        canonicals.append(form)
    return tuple(canonicals)


def examples() -> Iterator[Instance]:
    """Every valid example that names a profile or a questionnaire of ours."""
    for folder in ("observations", "records", "responses"):
        for file in sorted((EXAMPLES / folder).glob("*.json")):
            yield _instance(f"{folder}/{file.stem}", json.loads(file.read_bytes()))
    for file in sorted((EXAMPLES / "course").glob("*.json")):
        for entry in json.loads(file.read_bytes())["entry"]:
            yield _instance(f"{file.stem}: {entry['fullUrl']}", entry["resource"])


def invalid() -> Iterator[Instance]:
    """Every example of examples/invalid, held to what its valid parent names; of a Bundle its entries."""
    for case in cases():
        faulty, valid = case.resource, case.valid
        if valid["resourceType"] == "Bundle":
            pairs = [(entry["resource"], entry["resource"]) for entry in faulty["entry"]]
        else:
            pairs = [(faulty, valid)]
        for resource, named in pairs:
            yield Instance(case.name, resource, claimed(named))


def mutants() -> Iterator[Instance]:
    """Valid examples with one value changed."""
    for folder in ("observations", "records", "responses"):
        for file in sorted((EXAMPLES / folder).glob("*.json")):
            named = claimed(json.loads(file.read_bytes()))
            for mutation in mutations(file) if named else ():
                if mutation.is_chosen(MUTANTS_ONE_IN):
                    yield Instance(str(mutation), json.loads(mutation.data), named)


def moved() -> Iterator[Instance]:
    """Valid responses with items moved, copied and left out, some not completed."""
    for file in sorted((EXAMPLES / "responses").glob("*.json")):
        randomness = Random(file.stem)
        valid = json.loads(file.read_bytes())
        for number in range(MOVED):
            response = copy.deepcopy(valid)
            for _ in range(randomness.choice((1, 1, 2))):
                _move(response, randomness)
            if randomness.random() < 0.3:
                response["status"] = randomness.choice(("in-progress", "amended", "stopped"))
            yield Instance(f"{file.stem}: move {number}", response, claimed(valid))


KINDS = {"examples": examples, "invalid": invalid, "mutants": mutants, "moved": moved}


@cache
def instances(kind: str) -> tuple[Instance, ...]:
    """Those of one kind that some document is about."""
    return tuple(instance for instance in KINDS[kind]() if instance.canonicals)


def pairs() -> list[tuple[Instance, str]]:
    """All instances with each document that they are held to."""
    return [(instance, name) for kind in KINDS for instance in instances(kind) for name in instance.canonicals]


def _instance(name: str, resource: Json) -> Instance:
    return Instance(name, resource, claimed(resource))


def _move(response: Json, randomness: Random) -> None:
    levels = list(_levels(response))
    source, target = randomness.choice(levels), randomness.choice(levels)
    if not source:
        return
    index, to = randomness.randrange(len(source)), randomness.randint(0, len(target))
    match randomness.randrange(5):
        case 0:
            target.insert(to, copy.deepcopy(source[index]))
        case 1:
            target.insert(to, source.pop(index))
        case 2:
            source.insert(index, copy.deepcopy(source[index]))
        case 3:
            randomness.shuffle(source)
        case 4:
            del source[index]


def _levels(element: Json) -> Iterator[list[Json]]:
    if "item" in element:
        yield element["item"]
        for item in element["item"]:
            yield from _levels(item)
