"""A profile that ours are not like: elements of two slices, slices in slices and beside them, minima above one."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.engine import compile_schema
from fhir_keta.validation.index import indexed
from fhir_keta.validation.published.pure import described, pure_schema
from fhir_keta.validation.published.schemas import profile_schema

Json = dict[str, Any]

URL = "https://example.org/StructureDefinition/of-two"
ONE, OTHER = "urn:one", "urn:other"


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def slicing(kind: str, path: str, rules: str) -> Json:
    return {"discriminator": [{"type": kind, "path": path}], "rules": rules}


def slice_(path: str, name: str, **more: Any) -> Json:
    return {"id": f"{path}:{name}", "path": path, "sliceName": name, **more}


CATEGORY, COMPONENT = "Observation.category", "Observation.component"
ELEMENTS: list[Json] = [
    {"id": CATEGORY, "path": CATEGORY, "slicing": slicing("pattern", "$this", "open")},
    slice_(CATEGORY, "first", min=2, max="3", patternCodeableConcept=coded(ONE, "a")),
    slice_(CATEGORY, "second", max="1", patternCodeableConcept=coded(ONE, "b")),
    {"id": COMPONENT, "path": COMPONENT, "slicing": slicing("pattern", "code", "closed")},
    slice_(COMPONENT, "held", min=0, max="1"),
    {"id": f"{COMPONENT}:held.code", "path": f"{COMPONENT}.code", "patternCodeableConcept": coded(ONE, "held")},
    {
        "id": f"{COMPONENT}:held.interpretation",
        "path": f"{COMPONENT}.interpretation",
        "slicing": slicing("pattern", "$this", "open"),
    },
    {
        **slice_(f"{COMPONENT}.interpretation", "high", min=1, max="1", patternCodeableConcept=coded(OTHER, "high")),
        "id": f"{COMPONENT}:held.interpretation:high",
    },
]
LIBRARY = bundled().with_resources(
    [
        {
            "resourceType": "StructureDefinition",
            "id": "of-two",
            "url": URL,
            "name": "OfTwo",
            "status": "active",
            "kind": "resource",
            "abstract": False,
            "type": "Observation",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
            "derivation": "constraint",
            "differential": {"element": ELEMENTS},
        }
    ]
)
VALID: Json = {"resourceType": "Observation", "status": "final", "code": coded(OTHER, "x")}
BOTH: Json = {"coding": [*coded(ONE, "a")["coding"], *coded(ONE, "b")["coding"]]}
CATEGORIES = [coded(ONE, "a"), coded(ONE, "b"), BOTH, coded(OTHER, "a"), {"text": "none"}, {}]
INTERPRETATIONS = [None, [coded(OTHER, "high")], [coded(OTHER, "low")], [coded(OTHER, "high")] * 2, []]


def observation(category: list[Json], *components: Json) -> Json:
    made = {**VALID, "category": category} if category else VALID
    return {**made, "component": list(components)} if components else made


def component(code: str, interpretation: list[Json] | None) -> Json:
    made = {"code": coded(ONE, code), "valueString": "x"}
    return made if interpretation is None else {**made, "interpretation": interpretation}


@pytest.fixture(scope="module")
def verdicts() -> Any:
    compiled = compile_structure(LIBRARY.structure(URL) or {}, LIBRARY)
    engine = compile_schema(compiled.schema)
    pure = jsonschema_rs.Draft202012Validator(described(pure_schema(compiled)), offline=True)

    def both(resource: Json) -> tuple[bool, bool]:
        return engine.is_valid(indexed(resource, compiled.index)), pure.is_valid(resource)

    return both


TWO = [coded(ONE, "a")] * 2


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (observation(TWO), True),
        (observation([coded(ONE, "a")]), False),  # min 2
        (observation([]), False),
        (observation([*TWO, *TWO]), False),  # max 3
        (observation([*TWO, coded(ONE, "b")]), True),
        (observation([*TWO, coded(ONE, "b"), coded(ONE, "b")]), False),  # of second at most one
        (observation([coded(ONE, "a"), BOTH]), False),  # an element is of one slice
        (observation(TWO, component("held", [coded(OTHER, "high")])), True),
        (observation(TWO, component("held", [coded(OTHER, "low")])), False),  # high is required
        (observation(TWO, component("else", None)), False),  # closed
    ],
)
def test_verdicts_by_the_rules_of_slicing(verdicts: Any, resource: Json, expected: bool) -> None:
    assert verdicts(resource) == (expected, expected)


def test_every_mixture_has_the_verdict_of_the_index(verdicts: Any) -> None:
    categories = [list(some) for number in range(5) for some in combinations_with_replacement(CATEGORIES, number)]
    components = [component(code, some) for code, some in product(("held", "else"), INTERPRETATIONS)]
    mixtures = [observation(some) for some in categories]
    mixtures += [observation(TWO, *some) for number in (1, 2) for some in product(components, repeat=number)]
    assert [resource for resource in mixtures if len(set(verdicts(resource))) > 1] == []
    assert {verdicts(resource)[0] for resource in mixtures} == {True, False}


def test_a_foreign_profile_is_published_under_its_own_canonical() -> None:
    document = profile_schema(URL, LIBRARY)
    assert document.schema["$id"] == "https://example.org/schema/StructureDefinition/of-two"
    assert document.name == "StructureDefinition-of-two.schema.json"


def test_a_pattern_means_the_same_in_every_language() -> None:
    schema = described({"type": "string", "pattern": "^a+$", "not": {"const": "aa"}})
    for engine in (jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator):
        verdicts = {value: engine(schema).is_valid(value) for value in ("a", "aa", "aaa", "a\n", "b")}
        assert verdicts == {"a": True, "aa": False, "aaa": True, "a\n": False, "b": False}
