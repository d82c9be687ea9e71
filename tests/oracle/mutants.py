"""Random changes to valid records, aimed at one family of rules each; about three in ten leave the record valid.

The origins are the examples, our definitions, records of base R4, and generated questionnaires with responses to them.
A mutant is made from its seed and number alone: ``Mutants(seed).mutant(number)`` is always the same.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from fhir_keta.questionnaires.items import read_items
from tests import java
from tests.base_cases import BASE_CASES
from tests.oracle import changes
from tests.unit.forms import FORMS, form
from tests.unit.generated_responses import Questionnaires, Responses

Json = dict[str, Any]
Change = Callable[[Json, Random], str]

FAMILIES: dict[str, Change | None] = {
    "structure": changes.structure,
    "primitive": changes.primitive,
    "harmless": changes.harmless,
    "cardinality": changes.cardinality,
    "binding": changes.binding,
    "pattern": changes.pattern,
    "slice": changes.slices,
    "invariant": changes.invariant,
    "reference": changes.reference,
    "extension": changes.extension,
    "response": None,
}
GENERATED = 12  # questionnaires
SLOW = (
    "StructureDefinition/keta-infusion",
    "Questionnaire/keta-after",
    "Questionnaire/keta-follow-up",
)  # over a second


@dataclass(frozen=True)
class Mutant:
    """``change`` says what was done to the record called ``origin``; ``family`` is what it was aimed at."""

    number: int
    family: str
    origin: str
    change: str
    record: Json

    def __str__(self) -> str:
        return f"{self.origin}: {self.change}"

    @property
    def data(self) -> bytes:
        return json.dumps(self.record).encode()


class Mutants:
    """The mutants of one seed; ``questionnaires`` are the generated ones that some responses belong to."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.questionnaires = [
            _valid(Questionnaires(Random(f"{seed} {number}")).questionnaire(f"fuzz-{seed}-{number}"))
            for number in range(GENERATED)
        ]
        self._trees = [read_items(made) for made in (*self.questionnaires, *map(form, FORMS))]

    def mutant(self, number: int) -> Mutant:
        randomness = Random(f"mutant {self.seed} {number}")
        family = list(FAMILIES)[number % len(FAMILIES)]
        change = FAMILIES[family]
        if change is None:
            tree = randomness.choice(self._trees)
            count = randomness.choice((0, 0, 1, 1, 2))
            response = Responses(randomness, tree).mutant(count)
            return Mutant(number, family, f"response {tree.questionnaire['url']}", f"{count} changes", response)
        while True:
            name, origin = self._origin(randomness)
            record = copy.deepcopy(origin)
            said = change(record, randomness)
            if said and record != origin:
                return Mutant(number, family, name, said, record)

    def mutants(self, count: int) -> Iterator[Mutant]:
        return map(self.mutant, range(count))

    def _origin(self, randomness: Random) -> tuple[str, Json]:
        if randomness.random() < 0.05:
            made = randomness.choice(self.questionnaires)
            return str(made["url"]), made
        return randomness.choice(origins()[randomness.choices(range(3), (6, 2, 2))[0]])


def _valid(element: Json) -> Json:
    """The questionnaire, with what asks for two answers at least being required (questionnaire-minOccurs)."""
    for item in element.get("item", ()):
        if any(extension["url"].endswith("-minOccurs") for extension in item.get("extension", ())):
            item["required"] = True
        _valid(item)
    return element


@cache
def origins() -> tuple[list[tuple[str, Json]], ...]:
    """Examples, records of base R4, definitions: those that are valid."""
    folder = java.ROOT / "examples"
    names = ("observations", "records", "responses", "observations", "records")
    files = [path for name in names for path in sorted(folder.glob(f"{name}/*.json"))]
    examples = [(path.stem, json.loads(path.read_bytes())) for path in files]
    for path in sorted(folder.glob("export/*.ndjson")):
        lines = path.read_bytes().splitlines()
        examples += [(f"{path.stem} {place}", json.loads(line)) for place, line in enumerate(lines[:5])]
    for path in sorted(folder.glob("course/*.json")):
        bundle = json.loads(path.read_bytes())
        examples.append((f"{path.stem}, first entries", {**bundle, "entry": bundle["entry"][:4]}))
    base = [(case.name, case.resource) for case in BASE_CASES if not case.findings and case.oracle]
    definitions = [
        (f"{path.parent.name}/{path.stem}", json.loads(path.read_bytes()))
        for path in sorted(java.ROOT.glob("profiles/*/*.json"))
    ]
    definitions = [(name, resource) for name, resource in definitions if name not in SLOW]
    return examples, base, definitions
