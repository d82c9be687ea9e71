"""Every published schema on every instance: jsonschema-rs, Python jsonschema and ajv agree, and with our validator."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest

from fhir_keta.definitions.library import bundled, profiles
from fhir_keta.questionnaires.items import read_items
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.engine import Engine, compile_schema
from fhir_keta.validation.index import indexed
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.published.schemas import published_schemas
from fhir_keta.validation.responses.checker import COMPLETE
from fhir_keta.validation.responses.index import index_response
from fhir_keta.validation.responses.schema import ResponseCompiler
from fhir_keta.validation.validator import Validator
from tests import node
from tests.conftest import require
from tests.schemas import engines
from tests.schemas.instances import KINDS, Instance, claimed, documents, examples, instances, pairs

PYTHON_ONE_IN = 6  # of the pairs, for the engine that takes some hundred times as long


def test_one_document_for_each_profile_and_each_questionnaire() -> None:
    names = sorted(document.name for document in documents().values())
    assert len(names) == len(set(names)) == 23
    assert sum(name.startswith("Questionnaire-") for name in names) == 7
    for canonical, document in documents().items():
        base, _, rest = canonical.partition("/fhir-keta/")
        assert document.schema["$id"] == f"{base}/fhir-keta/schema/{rest}"
        assert document.schema["title"] and document.schema["description"]


@pytest.mark.parametrize("document", documents().values(), ids=lambda document: document.name)
def test_a_document_is_a_2020_12_schema_that_lists_what_it_does_not_check(document: object) -> None:
    assert jsonschema_rs.meta.is_valid(document.schema)
    listed = {line.partition(":")[0].removesuffix(" (in part)") for line in document.schema["$comment"].split("\n")[1:]}
    assert listed == {each.rule for each in document.unsaid}
    assert {"dom-3", "extension-unknown", "display-wrong", "primitive-alignment"} <= listed
    assert "@slices" not in json.dumps(document.schema)


def test_a_document_is_the_same_each_time() -> None:
    again = published_schemas(profiles(), bundled())
    assert [json.dumps(document.schema) for document in again] == [
        json.dumps(document.schema) for document in documents().values()
    ]


def test_the_instances_are_many_and_of_all_kinds() -> None:
    verdicts = Counter((canonical, accepts(instance, canonical)) for instance, canonical in pairs())
    for canonical in documents():
        if "keta-observation" in canonical or "keta-questionnaire" in canonical:
            continue  # abstract, and a profile on questionnaires, which are no examples: see the two tests below
        assert verdicts[canonical, True] >= 10 and verdicts[canonical, False] >= 20, canonical


def test_examples_are_accepted() -> None:
    assert [str(each) for each in examples() if not all(accepts(each, name) for name in each.canonicals)] == []


def test_our_questionnaires_are_accepted_and_all_observations_are_keta_observations() -> None:
    base = "https://w3id.org/fhir-keta/StructureDefinition/"
    questionnaires = [resource for resource in profiles() if resource["resourceType"] == "Questionnaire"]
    assert len(questionnaires) == 7
    for resource in questionnaires:
        assert engines.rust(f"{base}keta-questionnaire").is_valid(resource)
        assert not engines.rust(f"{base}keta-questionnaire").is_valid({**resource, "item": []})
    for instance in examples():
        if instance.resource["resourceType"] == "Observation" and instance.canonicals:
            assert engines.rust(f"{base}keta-observation").is_valid(instance.resource)


def accepts(instance: Instance, canonical: str) -> bool:
    return bool(engines.rust(canonical).is_valid(instance.resource))


# the same verdict as the compiled schema with its index


@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_that_of_the_compiled_schema_and_its_index(kind: str) -> None:
    differing = [
        (str(instance), canonical)
        for instance in instances(kind)
        for canonical in instance.canonicals
        if accepts(instance, canonical) is not _compiled_accepts(instance, canonical)
    ]
    assert differing == []


def _compiled_accepts(instance: Instance, canonical: str) -> bool:
    resource = instance.resource
    if "/Questionnaire/" not in canonical:
        return _structure_accepts(resource, canonical)
    if not _structure_accepts(resource, "QuestionnaireResponse"):
        return False
    compiler, complete, incomplete = _form(canonical)
    scope, faults = index_response(resource, compiler.plan())
    return not faults and (complete if resource["status"] in COMPLETE else incomplete).is_valid(scope)


def _structure_accepts(resource: dict[str, object], canonical: str) -> bool:
    compiled, engine = _profile(canonical)
    return engine.is_valid(indexed(resource, compiled.index))


@cache
def _profile(canonical: str):  # type: ignore[no-untyped-def]
    compiled = compile_structure(bundled().structure(canonical), bundled())
    return compiled, compile_schema(compiled.schema)


@cache
def _form(canonical: str) -> tuple[ResponseCompiler, Engine, Engine]:
    compiler = ResponseCompiler(read_items(bundled().find(canonical)), bundled())
    return compiler, compile_schema(compiler.schema(True)), compile_schema(compiler.schema(False))


# the same verdict as the validator, as far as a schema can say


@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_that_of_the_validator_as_far_as_a_schema_can_say(kind: str) -> None:
    differing = []
    for instance in instances(kind):
        held_to = tuple(each for each in instance.canonicals if "/Questionnaire/" not in each)
        if {*instance.canonicals} - {*held_to} - {*claimed(instance.resource)}:
            continue  # it names another questionnaire now: the validator asks that one
        errors = [issue for issue in _validator(held_to).check(instance.resource) if issue.severity != "warning"]
        expected = _expected(errors, instance)
        if expected is not None and expected is not all(accepts(instance, each) for each in instance.canonicals):
            differing.append((str(instance), [(error.rule, error.expression) for error in errors]))
    assert differing == []


@cache
def _validator(canonicals: tuple[str, ...]) -> Validator:
    return Validator(profiles=canonicals)


def _expected(errors: list[Issue], instance: Instance) -> bool | None:
    """What the schemas should say of these findings; None where they may say either."""
    unsaid = {each.rule: each for canonical in instance.canonicals for each in documents()[canonical].unsaid}
    either = False
    for error in errors:
        inside = any(f".{name}[" in error.expression for name in ("extension", "modifierExtension", "contained"))
        if error.rule not in unsaid and not inside:
            return False
        either |= inside or unsaid[error.rule].partly
    return None if either else True


_DEVICE = {"resourceType": "Device", "id": "d"}
_ONLY_FUNCTIONS_SEE: dict[str, dict[str, object]] = {
    "code-unknown": {"method": {"coding": [{"system": "http://hl7.org/fhir/name-use", "code": "none"}]}},
    "display-wrong": {
        "method": {"coding": [{"system": "http://hl7.org/fhir/name-use", "code": "old", "display": "x"}]}
    },
    "reference-target": {"contained": [_DEVICE], "specimen": {"reference": "#d"}},
    "dom-3": {"contained": [_DEVICE]},
    "ref-1": {"specimen": {"reference": "#none"}},
    "per-1": {"identifier": [{"value": "x", "period": {"start": "2026-02", "end": "2026-01"}}]},
    "element-id": {"method": {"id": "x", "text": "x"}, "bodySite": {"id": "x", "text": "x"}},
    "extension-unknown": {"method": {"extension": [{"url": "https://example.org/none", "valueCode": "x"}]}},
    "choice-multiple": {"method": {"extension": [{"url": "https://example.org/x", "valueCode": "x", "valueUri": "x"}]}},
}


@pytest.mark.parametrize("rule", _ONLY_FUNCTIONS_SEE)
def test_what_only_functions_see_is_accepted_and_listed(rule: str) -> None:
    (instance,) = (each for each in examples() if str(each) == "observations/keta-rating")
    (canonical,) = instance.canonicals
    resource = {**instance.resource, **_ONLY_FUNCTIONS_SEE[rule]}
    assert rule in {issue.rule for issue in Validator().check(resource)}
    assert engines.rust(canonical).is_valid(resource)
    assert rule in {each.rule for each in documents()[canonical].unsaid}


# the other engines


def test_python_jsonschema_gives_the_same_verdicts() -> None:
    assert [
        (str(instance), canonical)
        for instance, canonical in pairs()[::PYTHON_ONE_IN]
        if engines.python(canonical).is_valid(instance.resource) is not accepts(instance, canonical)
    ] == []


def test_python_jsonschema_refuses_a_line_end_after_a_value_as_the_others_do() -> None:
    (instance,) = (each for each in examples() if str(each) == "observations/keta-rating")
    (canonical,) = instance.canonicals
    late = Instance("late", {**instance.resource, "effectiveDateTime": "2026-09-07\n"}, instance.canonicals)
    assert not accepts(late, canonical)
    assert not engines.python(canonical).is_valid(late.resource)


def test_ajv_gives_the_same_verdicts(tmp_path: Path) -> None:
    require(node.missing())
    verdicts = engines.ajv(((canonical, instance.resource) for instance, canonical in pairs()), tmp_path)
    assert [
        (str(instance), canonical)
        for (instance, canonical), verdict in zip(pairs(), verdicts, strict=True)
        if verdict is not accepts(instance, canonical)
    ] == []
