"""Extensions: known or not, where they may stand, as modifiers or not, and what is inside them."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import base
from fhir_keta.validation.extensions import allowed_here, contexts_in_words, is_modifier
from fhir_keta.validation.validator import Validator
from tests.base_records import DATA_ABSENT, observation, patient
from tests.unit.made_profiles import MADE, element, extension, findings, library

JsonObject = dict[str, Any]

VALUE = element("Extension.value[x]", min=1, type=[{"code": "string"}])


def _context(*expressions: str, kind: str = "element") -> JsonObject:
    return {"url": f"{MADE}a", "context": [{"type": kind, "expression": expression} for expression in expressions]}


@pytest.mark.parametrize(
    ("contexts", "path", "type_", "expected"),
    [
        (["Patient"], "Patient", "Patient", True),
        (["Patient"], "Observation", "Observation", False),
        (["Patient.name"], "Patient.name", "HumanName", True),
        (["HumanName"], "Patient.name", "HumanName", True),
        (["Patient.contact"], "Patient.contact", "BackboneElement", True),
        (["BackboneElement"], "Patient.contact", "BackboneElement", True),
        (["Resource"], "Patient", "Patient", True),  # every resource is one
        (["DomainResource"], "Patient", "Patient", True),
        (["DomainResource"], "Bundle", "Bundle", False),
        (["Element"], "Patient.birthDate", "date", True),
        (["Quantity"], "Patient.age", "Age", True),  # an Age is a Quantity
        (["Age"], "Observation.value[x]", "Quantity", False),
        (["Observation", "Patient"], "Patient", "Patient", True),
        (["Patient.name"], "Patient", "Patient", False),
    ],
)
def test_contexts(contexts: list[str], path: str, type_: str, expected: bool) -> None:
    assert allowed_here(_context(*contexts), path, type_, base()) is expected


def test_a_context_by_fhirpath_is_not_judged() -> None:
    assert allowed_here(
        _context("Patient.name.where(use='old')", kind="fhirpath"), "Observation", "Observation", base()
    )


def test_contexts_in_words() -> None:
    assert contexts_in_words(_context("Patient", "Observation.value[x]")) == "Patient, Observation.value[x]"


@pytest.fixture(scope="module")
def made() -> Validator:
    modifier = element("Extension", isModifier=True, isModifierReason="It says the contrary.")
    complex_ = extension(
        "complex",
        element(
            "Extension.extension", slicing={"discriminator": [{"type": "value", "path": "url"}], "rules": "closed"}
        ),
        element("Extension.extension:part", min=1, max="1"),
        element("Extension.extension:part.url", fixedUri="part"),
        element("Extension.extension:part.value[x]", min=1, type=[{"code": "integer"}]),
        element("Extension.value[x]", max="0"),
    )
    return Validator(
        library(
            extension("word", VALUE, context="Patient"),
            extension("reversed", modifier, VALUE, context="Patient"),
            extension("typed", VALUE, context="HumanName"),
            extension("chosen", VALUE, context="Observation.value[x]"),
            extension("dated", VALUE, context="Patient.birthDate"),
            complex_,
        )
    )


def ext(name: str, **content: Any) -> JsonObject:
    return {"url": MADE + name, **(content or {"valueString": "x"})}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (patient(extension=[ext("word")]), []),
        (observation(extension=[ext("word")]), [("extension-context", "Observation.extension[0]")]),
        (patient(extension=[ext("unknown")]), [("extension-unknown", "Patient.extension[0]")]),
        (
            patient(extension=[ext("word", valueInteger=1)]),
            [("choice-type", "Patient.extension[0].value.ofType(integer)")],
        ),
        (patient(modifierExtension=[ext("word")]), [("extension-modifier", "Patient.modifierExtension[0]")]),
        (patient(modifierExtension=[ext("reversed")]), []),
        (patient(extension=[ext("reversed")]), [("extension-modifier", "Patient.extension[0]")]),
        (patient(name=[{"extension": [ext("typed")]}]), []),
        (
            patient(name=[{"_text": {"extension": [ext("typed")]}}]),
            [("extension-context", "Patient.name[0].text.extension[0]")],
        ),
        (observation(valueString="x", _valueString={"extension": [ext("chosen")]}), []),
        (observation(valueQuantity={"value": 1, "extension": [ext("chosen")]}), []),
        (
            observation(issued="2020-01-01T10:00:00Z", _issued={"extension": [ext("chosen")]}),
            [("extension-context", "Observation.issued.extension[0]")],
        ),
        (patient(birthDate="2000", _birthDate={"extension": [ext("dated")]}), []),
        (patient(extension=[ext("dated")]), [("extension-context", "Patient.extension[0]")]),
        # extensions in extensions
        (patient(extension=[ext("complex", extension=[{"url": "part", "valueInteger": 1}])]), []),
        (
            patient(extension=[ext("complex", extension=[{"url": "part", "valueString": "x"}])]),
            [("choice-type", "Patient.extension[0].extension[0].value.ofType(string)")],
        ),
        (
            patient(
                extension=[
                    ext("complex", extension=[{"url": "part", "valueInteger": 1}, {"url": "other", "valueInteger": 1}])
                ]
            ),
            [("slice-unmatched", "Patient.extension[0].extension[1]")],
        ),
        (
            patient(extension=[ext("complex", valueString="x")]),
            [
                ("slice-min", "Patient.extension[0]"),
                ("element-prohibited", "Patient.extension[0].value.ofType(string)"),
            ],
        ),
        (patient(extension=[{"url": DATA_ABSENT, "valueCode": "unknown"}] * 2), []),
        # in contained resources and in Bundles
        (
            observation(contained=[patient(id="p", extension=[ext("unknown")])], subject={"reference": "#p"}),
            [("extension-unknown", "Observation.contained[0].extension[0]")],
        ),
        (patient(extension=[{"valueString": "x"}]), [("cardinality-min", "Patient.extension[0]")]),
        (patient(extension=["x"]), [("element-type", "Patient.extension[0]")]),
    ],
)
def test_extensions(record: JsonObject, expected: list[tuple[str, str]], made: Validator) -> None:
    for _ in range(2):  # what was found good is remembered, what was not is found again
        assert sorted(findings(made.check(record))) == sorted(expected)


def test_a_modifier_is_one_by_its_definition() -> None:
    assert is_modifier({"snapshot": {"element": [{"isModifier": True}]}})
    assert not is_modifier({"snapshot": {"element": [{}]}})
