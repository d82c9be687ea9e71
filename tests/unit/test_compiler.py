"""What a StructureDefinition compiles to: cardinality, types, choices, references to itself, what is left unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.compiled import Compiled
from fhir_keta.validation.compiler import compile_structure
from fhir_keta.validation.engine import compile_schema
from tests.base_records import DATA_ABSENT, observation, patient
from tests.unit.made_profiles import element, findings, library, profile, validator

JsonObject = dict[str, Any]


def compiled(name: str) -> Compiled:
    structure = base().structure(name)
    assert structure is not None
    return compile_structure(structure, base())


def test_every_profile_of_r4_is_understood() -> None:
    kinds = ("resource", "complex-type")
    profiles = [each for each in base().of_type("StructureDefinition") if each.get("derivation") == "constraint"]
    for structure in (each for each in profiles if each["kind"] in kinds and each["type"] != "Extension"):
        assert compile_structure(structure, base()).type == structure["type"], structure["url"]


@pytest.fixture(scope="module")
def observed() -> Compiled:
    return compiled("Observation")


def test_objects_are_closed_and_not_empty(observed: Compiled) -> None:
    assert observed.schema["additionalProperties"] is False
    for name, definition in observed.schema["$defs"].items():
        assert definition["additionalProperties"] is False, name
        assert definition["minProperties"] == 1, name


def test_every_reference_leads_somewhere_and_every_definition_is_used(observed: Compiled) -> None:
    """Names are plain: ``|`` and parentheses are not allowed in a fragment."""
    used: set[str] = set()
    stack: list[Any] = [observed.schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "$ref" in node:
                used.add(node["$ref"])
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    assert used == {f"#/$defs/{name}" for name in observed.schema["$defs"]}
    assert all(name.replace(".", "").replace("-", "").isalnum() for name in observed.schema["$defs"])


def test_arrays_are_those_of_the_base_even_where_a_profile_allows_one() -> None:
    one = validator(profile("one", element("Observation.category", max="1")))
    assert findings(one.check(observation(category=[{"text": "x"}]))) == []
    assert findings(one.check(observation(category={"text": "x"}))) == [("element-type", "Observation.category")]
    assert findings(one.check(observation(category=[{"text": "x"}, {"text": "y"}]))) == [
        ("cardinality-max", "Observation.category")
    ]


def test_required_elements_of_each_kind() -> None:
    made = validator(
        profile(
            "required",
            element("Observation.issued", min=1),
            element("Observation.subject", min=1),
            element("Observation.note", min=1),
            element("Observation.value[x]", min=1),
            element("Observation.component.interpretation", min=1),
        )
    )
    whole = observation(
        issued="2020-01-01T10:00:00Z", subject={"display": "x"}, note=[{"text": "x"}], valueBoolean=False
    )
    assert findings(made.check(whole)) == []
    for name in ("issued", "subject", "note", "valueBoolean"):
        record = {key: value for key, value in whole.items() if key != name}
        assert findings(made.check(record)) == [("cardinality-min", "Observation")], name
    absent = {"extension": [{"url": DATA_ABSENT, "valueCode": "masked"}]}
    del whole["issued"]
    assert findings(made.check({**whole, "_issued": absent})) == [], "a primitive may be there without a value"
    component = {"code": {"text": "x"}}
    assert findings(made.check({**whole, "_issued": absent, "component": [component]})) == [
        ("cardinality-min", "Observation.component[0]")
    ]


def test_demands_on_each_of_several_primitives() -> None:
    """A null only keeps the place of a value that is in the companion."""
    made = validator(profile("short", element("Patient.name.given", maxLength=3), on="Patient"))
    absent = {"extension": [{"url": DATA_ABSENT, "valueCode": "masked"}]}
    assert findings(made.check(patient(name=[{"given": ["Ann", None], "_given": [None, absent]}]))) == []
    assert findings(made.check(patient(name=[{"given": ["Ann", "Anna"]}]))) == [
        ("max-length", "Patient.name[0].given[1]")
    ]


def test_one_of_a_choice(observed: Compiled) -> None:
    engine = compile_schema(observed.schema)
    value = observation(valueString="x", _valueString={"id": "a"})
    assert engine.is_valid(value), "a primitive and its companion are one value"
    for other in ("valueInteger", "_valueInteger", "valueQuantity"):
        content: Any = {"valueInteger": 1, "_valueInteger": {"id": "b"}, "valueQuantity": {"value": 1}}[other]
        assert not engine.is_valid({**value, other: content}), other


def test_one_of_a_choice_of_fifty_types_is_a_function() -> None:
    extension = compiled("Extension")
    assert extension.functions.choices == ["value"]
    record = patient(extension=[{"url": "http://example.org/a", "valueString": "x", "valueCode": "y"}])
    made = validator(profile("any", on="Patient"))
    assert ("choice-multiple", "Patient.extension[0]") in findings(made.check(record))


def test_a_choice_narrowed_to_one_type_by_a_slice() -> None:
    """``value[x]:valueQuantity`` is how most profiles say it."""
    made = validator(
        profile(
            "by-slice",
            element(
                "Observation.value[x]", slicing={"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}
            ),
            element("Observation.value[x]:valueQuantity", type=[{"code": "Quantity"}], min=1),
            element("Observation.value[x]:valueQuantity.code", min=1, patternCode="mg"),
        )
    )
    assert findings(made.check(observation(valueQuantity={"code": "mg", "system": "urn:x:y"}))) == []
    assert findings(made.check(observation(valueQuantity={"code": "g", "system": "urn:x:y"}))) == [
        ("value-pattern", "Observation.value.ofType(Quantity).code")
    ]
    assert findings(made.check(observation(valueString="x"))) == [("cardinality-min", "Observation")]


def test_elements_that_contain_themselves() -> None:
    """contentReference: items in items, however deep (R4, ElementDefinition.contentReference)."""
    engine = compile_schema(compiled("Questionnaire").schema)
    item: JsonObject = {"linkId": "a", "type": "string"}
    for number in range(20):
        item = {"linkId": str(number), "type": "group", "item": [item]}
    assert engine.is_valid({"resourceType": "Questionnaire", "status": "draft", "item": [item]})
    inner: Any = item
    while "item" in inner:
        inner = inner["item"][0]
    inner["type"] = "?"
    assert not engine.is_valid({"resourceType": "Questionnaire", "status": "draft", "item": [item]})


def test_a_profile_on_a_recursive_element_holds_at_each_level() -> None:
    made = validator(profile("coded", element("Questionnaire.item.code", min=1), on="Questionnaire"))
    code = {"code": [{"code": "x"}]}
    inner = {"linkId": "b", "type": "string"}
    outer = {"linkId": "a", "type": "group", "item": [inner], **code}
    record = {"resourceType": "Questionnaire", "status": "draft", "item": [outer]}
    assert findings(made.check(record)) == [("cardinality-min", "Questionnaire.item[0].item[0]")]
    assert findings(made.check({**record, "item": [{**outer, "item": [{**inner, **code}]}]})) == []


def test_a_profile_on_a_data_type() -> None:
    """Observation.referenceRange.low is a SimpleQuantity: no comparator."""
    made = validator(profile("any"))
    record = observation(referenceRange=[{"low": {"value": 1, "comparator": "<"}}])
    assert findings(made.check(record)) == [
        ("element-prohibited", "Observation.referenceRange[0].low.comparator"),
        ("sqty-1", "Observation.referenceRange[0].low"),
    ]


def test_invariants_of_a_type_walked_into_stay() -> None:
    made = validator(
        profile(
            "walked",
            element("Observation.effective[x]", type=[{"code": "Period"}]),
            element("Observation.effective[x].start", min=1),
        )
    )
    record = observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01-01"})
    assert findings(made.check(record)) == [("per-1", "Observation.effective.ofType(Period)")]


def test_a_constraint_of_a_profile_as_schema() -> None:
    rule = {
        "key": "own-1",
        "severity": "error",
        "human": "A note where final.",
        "expression": "status = 'final' implies note.exists()",
    }
    made = validator(profile("own", element("Observation", constraint=[rule])))
    (issue,) = made.check(observation())
    assert (issue.rule, issue.code, issue.expression, issue.message) == (
        "own-1",
        "invariant",
        "Observation",
        "A note where final.",
    )
    assert made.check(observation(note=[{"text": "x"}])) == []


def test_a_constraint_that_is_only_a_warning_refuses_nothing() -> None:
    rule = {"key": "own-2", "severity": "warning", "human": "A note.", "expression": "note.exists()"}
    assert findings(validator(profile("warn", element("Observation", constraint=[rule]))).check(observation())) == []


def test_a_constraint_that_cannot_be_said_is_listed() -> None:
    rule = {"key": "own-3", "severity": "error", "human": "x", "expression": "subject.resolve().exists()"}
    made = profile("unsaid", element("Observation", constraint=[rule]))
    known = library(made)
    structure = known.structure(made["url"])
    assert structure is not None
    assert compile_structure(structure, known).by_fhirpath == {"own-3"}


def test_without_a_snapshot() -> None:
    with pytest.raises(DefinitionError, match="has no snapshot"):
        compile_structure(profile("bare"), base())


def test_a_type_that_is_not_known() -> None:
    structure = base().structure("Basic")
    assert structure is not None
    elements = [
        {**each, "type": [{"code": "Unheard"}]} if each["id"] == "Basic.code" else each
        for each in structure["snapshot"]["element"]
    ]
    with pytest.raises(DefinitionError, match="Unheard is not known"):
        compile_structure({**structure, "snapshot": {"element": elements}}, base())


def test_every_resource_type_of_r4_compiles() -> None:
    for name in sorted(base().resource_types):
        made = compiled(name)
        assert made.type == name
        assert compile_schema(made.schema).is_valid({"resourceType": "Unheard"}) is False
