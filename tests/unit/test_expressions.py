"""Constraints as FHIRPath: what is met, what is not, what nobody knows, and an end for what has none."""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from fhir_keta.validation.fhirpath.deadline import TooLong, within
from fhir_keta.validation.fhirpath.expressions import Expression
from fhir_keta.validation.scope import Scope
from fhir_keta.validation.validator import Validator
from tests.base_records import observation, patient
from tests.unit.made_profiles import element, profile, validator

JsonObject = dict[str, Any]
NAMED = patient(
    name=[{"given": ["Ada"], "family": "King"}, {"text": "x"}], birthDate="1990-01-01", multipleBirthInteger=2
)
ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "x"}
WITHIN = patient(contained=[ORGANIZATION], managingOrganization={"reference": "#o"})


def answer(text: str, value: Any, path: str = "Patient") -> bool | None:
    whole = value if isinstance(value, dict) else {}
    return Expression(text, path)(value, Scope(whole, whole))


MET: tuple[tuple[str, JsonObject], ...] = (
    ("name.given.first().matches('^A')", NAMED),
    ("Patient.name.count() = 2", NAMED),
    ("%resource is Patient and %rootResource.name.count() = 2", NAMED),
    ("$this is Patient and type().name = 'Patient' and is(Patient)", NAMED),
    ("name.all($this is HumanName and %context.name.count() = 2) and 'Patient.x'.length() = 9", NAMED),
    ("multipleBirth.ofType(integer) > 1", NAMED),
    ("name.select(given.count() + family.count()).first() = 2", NAMED),
    ("%resource.birthDate.toString().startsWith('1990')", NAMED),
    ("name.given.hasValue()", NAMED),
    ("name.given.trace('given').exists()", NAMED),
    ("managingOrganization.resolve().name = 'x'", WITHIN),
    ("managingOrganization.resolve().ofType(Organization).exists()", WITHIN),
    ("managingOrganization.resolve().empty()", patient(managingOrganization={"reference": "Organization/1"})),
)


@pytest.mark.parametrize(("text", "value"), MET, ids=lambda each: each if isinstance(each, str) else "")
def test_met_and_not(text: str, value: JsonObject, capsys: pytest.CaptureFixture[str]) -> None:
    before = copy.deepcopy(value)
    assert answer(text, value) is True
    assert answer(f"({text}).not()", value) is False
    assert value == before, "the record is left as it was"
    assert capsys.readouterr() == ("", "")


def test_values_of_primitive_types() -> None:
    assert answer("$this.length() > 2 and matches('^a')", "abc", "string") is True
    assert answer("$this.length() > 2 and matches('^a')", "bcd", "string") is False


def test_empty_is_not_met() -> None:
    assert answer("name.given.first().startsWith('A')", patient(name=[{"text": "x"}])) is False


@pytest.mark.parametrize("text", ["name.nonsense()", "name((", "1 +", "birthDate.memberOf('x')", "conformsTo('x')"])
def test_what_cannot_be_evaluated_is_neither(text: str) -> None:
    assert answer(text, NAMED) is None


@pytest.mark.parametrize(
    "text",
    ["name.given.(((", "name.", "name..given", "name given", "name.exists() or", "name.exists() % 2", "'x", "))"],
)
def test_what_is_no_fhirpath_is_not_guessed_at(text: str) -> None:
    assert answer(text, NAMED) is None
    assert answer(f"$this.exists() and {text}", NAMED) is None


@pytest.mark.parametrize("text", ["name.given.first().matches('(a+)+$')", "(1 | 2).repeat($this + 1).exists()"])
def test_what_has_no_end_is_given_up_once(text: str) -> None:
    value = patient(name=[{"given": ["a" * 60 + "b"]}])
    expression = Expression(text, "Patient")
    scope = Scope(value, value)
    assert expression(value, scope) is None  # without the limit this would not come back
    assert expression(value, scope) is None


def test_an_end_in_another_thread() -> None:
    def endless() -> None:
        while True:
            time.sleep(0.01)

    found: list[str] = []

    def work() -> None:
        try:
            within(0.1, endless)
        except TooLong:
            found.append("ended")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert found == ["ended"]


def test_the_library_is_imported_only_when_needed() -> None:
    code = (
        "import sys; from fhir_keta import Validator; v = Validator();"
        "v.check({'resourceType': 'CareTeam', 'status': 'active'});"
        "assert 'fhirpathpy' not in sys.modules;"
        "v.check({'resourceType': 'CareTeam', 'participant': [{'member': {'reference': 'Patient/1'}}]});"
        "assert 'fhirpathpy' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def own(expression: str, place: str = "Observation") -> Validator:
    rule = {"key": "own-1", "severity": "error", "human": "As it says.", "expression": expression}
    return validator(profile("own", element(place, constraint=[rule])))


def test_in_a_profile() -> None:
    made = own("note.text.first().matches('^a')", "Observation")
    assert made.check(observation(note=[{"text": "abc"}])) == []
    (issue,) = made.check(observation(note=[{"text": "b"}]))
    assert (issue.rule, issue.expression, issue.message) == ("own-1", "Observation", "As it says.")


def test_on_an_element_of_a_data_type_and_on_a_primitive() -> None:
    made = own("text.matches('^a')", "Observation.note")
    assert made.check(observation(note=[{"text": "abc"}])) == []
    assert [issue.expression for issue in made.check(observation(note=[{"text": "b"}]))] == ["Observation.note[0]"]
    made = own("$this.matches('^2')", "Observation.issued")
    assert made.check(observation(issued="2020-01-01T00:00:00Z")) == []
    assert [issue.expression for issue in made.check(observation(issued="1999-01-01T00:00:00Z"))] == [
        "Observation.issued"
    ]


def test_what_cannot_be_evaluated_is_an_information() -> None:
    made = own("note.nonsense()")
    (issue,) = made.check(observation(note=[{"text": "abc"}]))
    assert (issue.rule, issue.severity) == ("invariant-unevaluated", "information")
    assert "own-1" in issue.message
