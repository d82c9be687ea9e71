"""Snapshot generation, rule by rule (FHIR R4: Profiling FHIR, StructureDefinition, ElementDefinition)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_keta.definitions.library import Library, base
from fhir_keta.errors import DefinitionError

JsonObject = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
OURS = "https://example.org/StructureDefinition/"


def _profile(name: str, base_name: str, *elements: JsonObject, **members: Any) -> JsonObject:
    base_url = base_name if ":" in base_name else CORE + base_name
    return {
        "resourceType": "StructureDefinition",
        "url": OURS + name,
        "version": "1",
        "name": name,
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Observation",
        "baseDefinition": base_url,
        "derivation": "constraint",
        "differential": {"element": list(elements)},
        **members,
    }


def _extension(name: str, *elements: JsonObject) -> JsonObject:
    root = {"id": "Extension", "path": "Extension", "short": "How loud", "definition": "How loud it was", "max": "1"}
    url = {"id": "Extension.url", "path": "Extension.url", "fixedUri": OURS + name}
    return _profile(name, "Extension", root, *elements, url, type="Extension", kind="complex-type")


def _element(identifier: str, **members: Any) -> JsonObject:
    """An element of a differential from its id: the path is the id without slice names."""
    steps = [step.partition(":") for step in identifier.split(".")]
    named = {"sliceName": steps[-1][2]} if steps[-1][2] else {}
    return {"id": identifier, "path": ".".join(name for name, _, _ in steps), **named, **members}


def _snapshot(*definitions: JsonObject) -> dict[str, JsonObject]:
    """The elements of the first definition's snapshot by id, in order."""
    found = base().with_resources(definitions).structure(definitions[0]["url"])
    assert found is not None
    elements = found["snapshot"]["element"]
    assert len({item["id"] for item in elements}) == len(elements)
    return {item["id"]: item for item in elements}


def _observation(*elements: JsonObject) -> dict[str, JsonObject]:
    return _snapshot(_profile("some", "Observation", *elements))


SLICING = {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}


def test_without_a_differential_everything_is_the_base() -> None:
    published = base().structure("Observation")["snapshot"]["element"]
    made = list(_observation().values())
    assert [item["id"] for item in made] == [item["id"] for item in published]
    for ours, theirs in zip(made, published, strict=True):
        assert {key for key in theirs if key not in ours} <= {"extension"}
        for key in ("min", "max", "base", "type", "binding", "isModifier", "contentReference", "short"):
            assert ours.get(key) == theirs.get(key)


def test_what_the_differential_says_replaces_and_the_rest_stays() -> None:
    status = _observation(_element("Observation.status", short="Done", mustSupport=True, patternCode="final"))[
        "Observation.status"
    ]
    assert (status["short"], status["mustSupport"], status["patternCode"]) == ("Done", True, "final")
    assert (status["min"], status["max"], status["type"]) == (1, "1", [{"code": "code"}])
    assert status["binding"]["strength"] == "required"
    assert status["base"] == {"path": "Observation.status", "min": 1, "max": "1"}


def test_constraints_add_up_and_say_their_source() -> None:
    own = {"key": "ours-1", "severity": "error", "human": "Has a note", "expression": "note.exists()"}
    again = {"key": "obs-6", "severity": "warning", "human": "Something else", "expression": "true"}
    constraints = {
        item["key"]: item
        for item in _observation(_element("Observation", constraint=[own, again]))["Observation"]["constraint"]
    }
    assert constraints["ours-1"] == {**own, "source": OURS + "some"}
    assert constraints["obs-6"]["severity"] == "error", "an inherited constraint cannot be rewritten"
    assert constraints["obs-6"]["source"] == CORE + "Observation"
    other = _observation(_element("Observation", constraint=[{**own, "source": OURS + "other"}]))["Observation"]
    assert other["constraint"][-1]["source"] == OURS + "other"
    assert constraints["dom-3"]["source"] == CORE + "DomainResource"


def test_walking_into_a_type_brings_its_elements() -> None:
    made = _observation(_element("Observation.code.coding.system", min=1))
    below = [identifier for identifier in made if identifier.startswith("Observation.code")]
    # http://hl7.org/fhir/R4/datatypes.html#CodeableConcept and #Coding, with id and extension of Element
    assert below == [
        "Observation.code",
        "Observation.code.id",
        "Observation.code.extension",
        "Observation.code.coding",
        "Observation.code.coding.id",
        "Observation.code.coding.extension",
        "Observation.code.coding.system",
        "Observation.code.coding.version",
        "Observation.code.coding.code",
        "Observation.code.coding.display",
        "Observation.code.coding.userSelected",
        "Observation.code.text",
    ]
    system = made["Observation.code.coding.system"]
    assert (system["min"], system["max"], system["path"]) == (1, "1", "Observation.code.coding.system")
    assert system["base"] == {"path": "Coding.system", "min": 0, "max": "1"}
    assert made["Observation.category"]["base"]["path"] == "Observation.category"


def test_a_choice_named_with_its_type_is_narrowed_and_sliced() -> None:
    # ElementDefinition.path: valueQuantity stands for value[x] with that type alone
    made = _observation(_element("Observation.valueQuantity", min=1), _element("Observation.valueQuantity.code", min=1))
    choice, part = made["Observation.value[x]"], made["Observation.value[x]:valueQuantity"]
    assert choice["type"] == part["type"] == [{"code": "Quantity"}]
    assert choice["slicing"] == {
        "discriminator": [{"type": "type", "path": "$this"}],
        "ordered": False,
        "rules": "closed",
    }
    assert (choice["min"], part["min"], part["max"]) == (1, 1, "1"), "no other slice is left to meet the minimum"
    assert part["path"] == "Observation.value[x]"
    code = made["Observation.value[x]:valueQuantity.code"]
    assert (code["path"], code["min"]) == ("Observation.value[x].code", 1)


def test_two_types_can_be_left_by_name() -> None:
    made = _observation(
        _element("Observation.valueQuantity"), _element("Observation.valueCodeableConcept", short="Words")
    )
    assert [kind["code"] for kind in made["Observation.value[x]"]["type"]] == ["Quantity", "CodeableConcept"]
    assert made["Observation.value[x]:valueCodeableConcept"]["type"] == [{"code": "CodeableConcept"}]


def test_a_choice_can_be_sliced_by_type_in_the_long_form() -> None:
    made = _observation(_element("Observation.value[x]:valueString", short="Words"))
    assert made["Observation.value[x]:valueString"]["type"] == [{"code": "string"}]
    assert made["Observation.value[x]"]["slicing"]["rules"] == "open"
    assert len(made["Observation.value[x]"]["type"]) == 11


def test_a_choice_narrowed_to_one_type_can_be_walked_into() -> None:
    made = _observation(
        _element("Observation.value[x]", type=[{"code": "Quantity"}]), _element("Observation.value[x].unit", min=1)
    )
    assert made["Observation.value[x].unit"]["base"]["path"] == "Quantity.unit"
    assert "slicing" not in made["Observation.value[x]"]


def test_slices_start_as_their_element_stands_and_follow_it() -> None:
    made = _observation(
        _element("Observation.component", slicing=SLICING, min=1, short="A part"),
        _element("Observation.component.code", mustSupport=True),
        _element("Observation.component:second", max="1"),
        _element("Observation.component:first", min=1, max="1"),
        _element("Observation.component:first.value[x]", min=1),
    )
    part = made["Observation.component:second"]
    assert (part["min"], part["max"], part["short"], "slicing" in part) == (0, "1", "A part", False)
    assert made["Observation.component:second.code"]["mustSupport"] is True
    assert made["Observation.component:first.value[x]"]["min"] == 1
    assert made["Observation.component:second.value[x]"]["min"] == made["Observation.component.value[x]"]["min"] == 0
    roots = [
        identifier
        for identifier in made
        if identifier.startswith("Observation.component") and "." not in identifier[12:]
    ]
    assert roots == ["Observation.component", "Observation.component:second", "Observation.component:first"]
    order = list(made)
    assert order.index("Observation.component.referenceRange") < order.index("Observation.component:second")


def test_slices_are_told_apart_without_ids() -> None:
    elements = [
        {"path": "Observation"},
        {"path": "Observation.component", "slicing": SLICING},
        {"path": "Observation.component", "sliceName": "one", "min": 1},
        {"path": "Observation.component.code", "short": "Of one"},
        {"path": "Observation.component", "sliceName": "two"},
        {"path": "Observation.component.code", "short": "Of two"},
    ]
    made = _observation(*elements)
    assert made["Observation.component:one.code"]["short"] == "Of one"
    assert made["Observation.component:two.code"]["short"] == "Of two"
    assert made["Observation.component.code"]["short"] == base_short("Observation.component.code")


def base_short(identifier: str) -> str:
    elements = base().structure("Observation")["snapshot"]["element"]
    return str(next(item["short"] for item in elements if item["id"] == identifier))


def test_a_derived_profile_narrows_and_reslices_a_slice() -> None:
    first = _profile(
        "first",
        "Observation",
        _element("Observation.component", slicing=SLICING),
        _element("Observation.component:part", max="3"),
        _element("Observation.component:part.code", short="Which"),
    )
    second = _profile(
        "second",
        OURS + "first",
        _element("Observation.component:part", max="2", slicing=SLICING),
        _element("Observation.component:part/left", sliceName="part/left", min=1, max="1"),
        _element("Observation.component:other"),
    )
    made = _snapshot(second, first)
    assert made["Observation.component:part"]["max"] == "2"
    assert made["Observation.component:part/left"]["sliceName"] == "part/left"
    assert made["Observation.component:part/left.code"]["short"] == "Which"
    named = [item["sliceName"] for item in made.values() if "sliceName" in item]
    assert named == ["part", "part/left", "other"]
    assert made["Observation.component"]["base"] == {"path": "Observation.component", "min": 0, "max": "*"}


def test_an_inherited_slice_takes_over_what_is_said_below_its_element() -> None:
    first = _profile(
        "first",
        "Observation",
        _element("Observation.category", slicing=SLICING),
        _element("Observation.category:part", max="1"),
    )
    second = _profile(
        "second",
        OURS + "first",
        _element("Observation.category.coding", min=1),
        _element("Observation.category:part", short="Ours"),
    )
    assert _snapshot(second, first)["Observation.category:part.coding"]["min"] == 1


def test_content_references_are_followed_where_something_stands_below() -> None:
    made = _observation(_element("Observation.component.referenceRange.low", min=1))
    assert "contentReference" not in made["Observation.component.referenceRange"]
    assert made["Observation.component.referenceRange"]["type"] == [{"code": "BackboneElement"}]
    assert made["Observation.component.referenceRange.low"]["min"] == 1
    assert made["Observation.component.referenceRange.low"]["base"]["path"] == "Observation.referenceRange.low"
    assert made["Observation.referenceRange.low"]["min"] == 0
    assert _observation()["Observation.component.referenceRange"]["contentReference"] == "#Observation.referenceRange"


def test_extensions_are_sliced_by_url_and_speak_as_their_definition_does() -> None:
    loud = _extension("loud", _element("Extension.value[x]", type=[{"code": "integer"}], min=1))
    using = _profile(
        "using",
        "Observation",
        _element("Observation.extension:loud", type=[{"code": "Extension", "profile": [loud["url"]]}]),
        _element("Observation.extension:loud.value[x]", short="Decibel"),
    )
    made = _snapshot(using, loud)
    assert made["Observation.extension"]["slicing"] == {
        "discriminator": [{"type": "value", "path": "url"}],
        "ordered": False,
        "rules": "open",
    }
    part = made["Observation.extension:loud"]
    assert (part["short"], part["definition"], part["min"], part["max"]) == ("How loud", "How loud it was", 0, "1")
    assert part["base"]["path"] == "DomainResource.extension"
    value = made["Observation.extension:loud.value[x]"]
    assert (value["type"], value["min"], value["short"]) == ([{"code": "integer"}], 1, "Decibel")
    assert made["Observation.extension:loud.url"]["fixedUri"] == loud["url"]


def test_a_type_with_a_profile_takes_over_what_the_profile_says() -> None:
    simple = [{"code": "Quantity", "profile": [CORE + "SimpleQuantity"]}]
    made = _observation(_element("Observation.value[x]", type=simple), _element("Observation.value[x].unit", min=1))
    assert made["Observation.value[x].comparator"]["max"] == "0"  # SimpleQuantity
    assert "sqty-1" in {item["key"] for item in made["Observation.value[x]"]["constraint"]}
    assert (made["Observation.value[x]"]["min"], made["Observation.value[x]"]["max"]) == (0, "1")


def test_texts_can_continue_the_bases() -> None:
    made = _observation(_element("Observation.status", definition="... And for us always final."))
    assert made["Observation.status"]["definition"] == "The status of the result value. And for us always final."


def test_links_into_the_specification_are_whole() -> None:
    profile = _profile("questions", "Questionnaire", type="Questionnaire")
    definition = _snapshot(profile)["Questionnaire.item.definition"]["definition"]
    assert "[ElementDefinition](http://hl7.org/fhir/elementdefinition.html)" in definition


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([_element("Observation.statuss")], r"Observation\.statuss is not an element of its base; correct the path"),
        ([_element("Observation.valueMoney")], r"Observation\.valueMoney is not an element"),
        ([_element("Observation.status", min=0)], "has min 0 under 1 of its base; raise min"),
        ([_element("Observation.code", max="*")], r"has max \* over 1 of its base; lower max"),
        (
            [_element("Observation.code", type=[{"code": "Coding"}])],
            "has the type Coding, which its base does not allow",
        ),
        (
            [_element("Observation.status", binding={"strength": "extensible"})],
            "weakens the binding from required to extensible",
        ),
        ([_element("Observation.component:one")], "has slices but no slicing; add slicing with a discriminator"),
        ([_element("Observation.value[x].code")], "has 11 types, so nothing can stand below it; narrow it"),
        ([_element("Patient.name")], "its first path is Patient; start every path with Observation"),
    ],
)
def test_differentials_that_do_not_fit_are_refused(elements: list[JsonObject], message: str) -> None:
    with pytest.raises(DefinitionError, match=rf"{OURS}some.*{message}"):
        _observation(*elements)


def test_an_unknown_base_and_circles_are_refused() -> None:
    with pytest.raises(DefinitionError, match=rf"{OURS}lost: its baseDefinition {OURS}nothing is not known; add"):
        _snapshot(_profile("lost", OURS + "nothing"))
    with pytest.raises(DefinitionError, match=rf"circle: {OURS}self -> {OURS}self; give"):
        _snapshot(_profile("self", OURS + "self"))
    one, two = _profile("one", OURS + "two"), _profile("two", OURS + "one")
    with pytest.raises(DefinitionError, match=rf"circle: {OURS}one -> {OURS}two -> {OURS}one; give"):
        _snapshot(one, two)


def test_snapshots_are_made_once_and_definitions_stay_as_they_were() -> None:
    definition = _profile("some", "Observation", _element("Observation.status", short="Done"))
    known = Library([definition], base())
    assert known.structure(definition["url"]) is known.structure(definition["url"])
    assert "snapshot" not in definition
    published = next(
        item for item in base().structure("Observation")["snapshot"]["element"] if item["id"] == "Observation.status"
    )
    assert published["short"] != "Done"
