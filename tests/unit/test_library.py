"""Looking up definitions and enumerating value sets. Expected codes come from the FHIR R4 specification's pages."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.definitions import library
from fhir_keta.definitions.library import Codes, Library, base, bundled
from fhir_keta.errors import DefinitionError
from tests.unit.r4_source import CHECKOUT, compile_r4, jar

JsonObject = dict[str, Any]
SYSTEM = "https://example.org/CodeSystem/animals"


def test_r4_files_are_what_the_tool_makes_of_hl7s_definitions(tmp_path: Path) -> None:
    compile_r4().write(jar(), tmp_path)
    shipped = library.PACKAGE / "definitions" / "r4"
    assert sorted(file.name for file in shipped.iterdir()) == sorted(file.name for file in tmp_path.iterdir())
    for name in ("index.json", "registered.json"):
        assert (shipped / name).read_bytes() == (tmp_path / name).read_bytes(), name
    for name in ("structures.zip", "terminology.zip"):
        # member by member: another zlib may compress the same bytes otherwise
        with zipfile.ZipFile(shipped / name) as ours, zipfile.ZipFile(tmp_path / name) as made:
            assert ours.namelist() == made.namelist()
            assert all(ours.read(member) == made.read(member) for member in made.namelist()), name
            assert {info.date_time for info in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_resource_types_are_those_of_r4() -> None:
    # http://hl7.org/fhir/R4/valueset-resource-types.html: 148 codes, two of them abstract
    listed = base().codes("http://hl7.org/fhir/ValueSet/resource-types")
    assert listed is not None
    assert base().resource_types == set(listed.systems["http://hl7.org/fhir/resource-types"]) - {
        "Resource",
        "DomainResource",
    }


def test_structures_are_found_by_type_canonical_and_version() -> None:
    observation = base().structure("Observation")
    assert observation is not None and observation["version"] == "4.0.1"
    url = "http://hl7.org/fhir/StructureDefinition/Observation"
    assert base().structure(url) is observation
    assert base().find(url + "|4.0.1") is observation
    assert base().find(url + "|4.0.0") is None
    assert base().structure("Nothing") is None
    assert base().structure("http://hl7.org/fhir/ValueSet/observation-status") is None


def test_elements_keep_what_validation_needs() -> None:
    elements = {item["id"]: item for item in base().structure("Observation")["snapshot"]["element"]}
    # http://hl7.org/fhir/R4/observation-definitions.html
    status = elements["Observation.status"]
    assert (status["min"], status["max"]) == (1, "1")
    assert status["binding"]["strength"] == "required"
    assert status["binding"]["valueSet"] == "http://hl7.org/fhir/ValueSet/observation-status|4.0.1"
    keys = {item["key"] for item in elements["Observation"]["constraint"]}
    assert keys == {"dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "obs-6", "obs-7"}
    assert elements["Observation.component.referenceRange"]["contentReference"] == "#Observation.referenceRange"
    assert [kind["code"] for kind in elements["Observation.value[x]"]["type"]][:3] == [
        "Quantity",
        "CodeableConcept",
        "string",
    ]
    # http://hl7.org/fhir/R4/datatypes.html#id
    value = next(item for item in base().structure("id")["snapshot"]["element"] if item["id"] == "id.value")
    extensions = {item["url"].rpartition("/")[2]: item for item in value["type"][0]["extension"]}
    assert extensions["regex"]["valueString"] == r"[A-Za-z0-9\-\.]{1,64}"


def test_the_newest_version_is_found_without_a_version_and_higher_layers_win() -> None:
    known = [_value_set(version="0.9.0"), _value_set(version="0.10.0"), _value_set(version="0.10.0-draft")]
    layered = base().with_resources(known)
    url = known[0]["url"]
    assert layered.find(url) is known[1]
    assert layered.find(url + "|0.9.0") is known[0]
    replaced = _value_set(version="0.10.0")
    higher = layered.with_resources([replaced])
    assert higher.find(url) is replaced
    assert layered.find(url) is known[1], "a library never changes"
    assert [item for item in higher.of_type("ValueSet") if item["url"] == url] == [known[0], replaced, known[2]]


def test_a_library_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(bundled()))
    assert copy.find("http://hl7.org/fhir/StructureDefinition/Patient") is not None
    assert copy.resource_types == bundled().resource_types
    assert copy.find("https://w3id.org/fhir-keta/CodeSystem/keta-intensity") is not None


def test_bundled_holds_r4_sdc_and_our_own() -> None:
    for canonical in (
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
        "https://w3id.org/fhir-keta/StructureDefinition/keta-observation",
    ):
        definition = bundled().structure(canonical)
        assert definition is not None and definition["snapshot"]["element"][0]["path"] in ("Extension", "Observation")


@pytest.mark.parametrize("definition", library.profiles(), ids=lambda item: f"{item['resourceType']}-{item['id']}")
def test_every_definition_of_ours_can_be_used(definition: JsonObject) -> None:
    assert bundled().find(f"{definition['url']}|{definition['version']}") == definition
    if definition["resourceType"] == "StructureDefinition":
        assert bundled().structure(definition["url"])["snapshot"]["element"]
    if definition["resourceType"] == "ValueSet":
        codes = bundled().codes(definition["url"])
        assert codes is not None and any(codes.systems.values())


def test_missing_profiles_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library, "PACKAGE", tmp_path)
    with pytest.raises(DefinitionError, match="lacks its folder profiles; install"):
        library.profiles()
    (tmp_path / "profiles").mkdir()
    with pytest.raises(DefinitionError, match="has nothing in its folder profiles; install"):
        library.profiles()
    (tmp_path / "profiles" / "broken.json").write_text("{")
    with pytest.raises(DefinitionError, match=r"broken\.json is not JSON"):
        library.profiles()


# ---- SDC, against HL7's own files when they are beside the checkout ----

HL7_SDC = CHECKOUT.parent / "shared" / "sdc"
MINIMAL_SDC = sorted((library.PACKAGE / "definitions" / "sdc").glob("*.json"))


@pytest.mark.skipif(not HL7_SDC.is_dir(), reason="HL7's SDC definitions are not beside this checkout (../shared/sdc)")
@pytest.mark.parametrize("file", MINIMAL_SDC, ids=lambda file: file.stem)
def test_minimal_sdc_definitions_agree_with_hl7s(file: Path) -> None:
    ours, theirs = (json.loads((folder / file.name).read_bytes()) for folder in (file.parent, HL7_SDC))
    for name in (
        "url",
        "resourceType",
        "id",
        "context",
        "type",
        "kind",
        "derivation",
        "baseDefinition",
        "content",
        "count",
    ):
        assert ours.get(name) == theirs.get(name), name
    if ours["resourceType"] == "StructureDefinition":
        limits = [
            {
                item["id"]: (
                    item.get("min", 0),
                    item.get("max"),
                    item.get("type"),
                    item.get("fixedUri"),
                )
                for item in definition["differential"]["element"]
            }
            for definition in (ours, theirs)
        ]
        assert limits[0] == limits[1]
        assert bundled().structure(ours["url"]) is not None
    elif ours["resourceType"] == "CodeSystem":
        assert [item["code"] for item in ours["concept"]] == [item["code"] for item in theirs["concept"]]
    else:
        assert ours["compose"] == theirs["compose"]


# ---- value sets ----


def _code_system(**members: Any) -> JsonObject:
    """animal > mammal > (dog, cat), bird; the bird hangs on its property only."""
    concepts = [
        {
            "code": "animal",
            "concept": [
                {
                    "code": "mammal",
                    "concept": [
                        {"code": "dog", "display": "Dog", "property": [{"code": "kept", "valueBoolean": True}]},
                        {"code": "cat", "display": "Cat", "property": [{"code": "kept", "valueBoolean": True}]},
                    ],
                }
            ],
        },
        {"code": "bird", "property": [{"code": "subsumedBy", "valueCode": "animal"}]},
    ]
    return {
        "resourceType": "CodeSystem",
        "url": SYSTEM,
        "version": "1",
        "content": "complete",
        "caseSensitive": True,
        "property": [{"code": "kept", "type": "boolean"}],
        "concept": concepts,
        **members,
    }


def _value_set(name: str = "some", version: str = "1", **members: Any) -> JsonObject:
    return {"resourceType": "ValueSet", "url": f"https://example.org/ValueSet/{name}", "version": version, **members}


def _codes(*value_sets: JsonObject, code_system: JsonObject | None = None) -> Codes | None:
    known = Library([code_system or _code_system(), *value_sets])
    return known.codes(value_sets[0]["url"])


def _filtered(property_name: str, operator: str, value: str) -> set[str] | None:
    include = {"system": SYSTEM, "filter": [{"property": property_name, "op": operator, "value": value}]}
    codes = _codes(_value_set(compose={"include": [include]}))
    return None if codes is None else set(codes.systems.get(SYSTEM, ()))


@pytest.mark.parametrize(
    ("property_name", "operator", "value", "expected"),
    [
        ("concept", "is-a", "mammal", {"mammal", "dog", "cat"}),
        ("concept", "descendent-of", "animal", {"mammal", "dog", "cat", "bird"}),
        ("concept", "is-not-a", "mammal", {"animal", "bird"}),
        ("concept", "in", "dog,bird", {"dog", "bird"}),
        ("concept", "not-in", "dog,bird", {"animal", "mammal", "cat"}),
        ("concept", "=", "dog", {"dog"}),
        ("parent", "=", "animal", {"mammal", "bird"}),
        ("child", "exists", "false", {"dog", "cat", "bird"}),
        ("kept", "=", "true", {"dog", "cat"}),
        ("kept", "exists", "false", {"animal", "mammal", "bird"}),
        ("display", "regex", "D.*", {"dog"}),
        ("colour", "=", "red", None),
    ],
)
def test_filters(property_name: str, operator: str, value: str, expected: set[str] | None) -> None:
    assert _filtered(property_name, operator, value) == expected


def test_include_of_a_whole_system_with_displays() -> None:
    codes = _codes(_value_set(compose={"include": [{"system": SYSTEM}]}))
    assert codes is not None
    assert codes.systems == {SYSTEM: {"animal": None, "mammal": None, "dog": "Dog", "cat": "Cat", "bird": None}}


def test_listed_concepts_need_no_code_system_and_take_its_displays() -> None:
    listed = [{"code": "dog"}, {"code": "cat", "display": "House cat"}]
    codes = _codes(_value_set(compose={"include": [{"system": SYSTEM, "concept": listed}]}))
    assert codes is not None and codes.systems == {SYSTEM: {"dog": "Dog", "cat": "House cat"}}
    other = {"system": "https://example.org/unknown", "concept": [{"code": "x"}]}
    codes = _codes(_value_set(compose={"include": [other]}))
    assert codes is not None and codes.systems == {"https://example.org/unknown": {"x": None}}


def test_value_sets_inside_one_include_are_cut_with_each_other_and_with_the_system() -> None:
    # R4, ValueSet resource, "Composition Rules": conditions inside an include are cut with each other, includes added
    mammals = _value_set(
        "mammals",
        compose={"include": [{"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "mammal"}]}]},
    )
    some = _value_set(
        "listed", compose={"include": [{"system": SYSTEM, "concept": [{"code": "dog"}, {"code": "bird"}]}]}
    )
    include = {"valueSet": [mammals["url"], some["url"]]}
    codes = _codes(_value_set(compose={"include": [include]}), mammals, some)
    assert codes is not None and set(codes.systems[SYSTEM]) == {"dog"}
    codes = _codes(_value_set(compose={"include": [{"system": SYSTEM, "valueSet": [some["url"]]}]}), some)
    assert codes is not None and set(codes.systems[SYSTEM]) == {"dog", "bird"}
    codes = _codes(
        _value_set(compose={"include": [{"valueSet": [mammals["url"]]}, {"valueSet": [some["url"]]}]}), mammals, some
    )
    assert codes is not None and set(codes.systems[SYSTEM]) == {"mammal", "dog", "cat", "bird"}


def test_excluded_codes_are_out() -> None:
    compose = {"include": [{"system": SYSTEM}], "exclude": [{"system": SYSTEM, "concept": [{"code": "dog"}]}]}
    codes = _codes(_value_set(compose=compose))
    assert codes is not None and set(codes.systems[SYSTEM]) == {"animal", "mammal", "cat", "bird"}


@pytest.mark.parametrize("content", ["not-present", "fragment", "example", "supplement"])
def test_incomplete_code_systems_cannot_be_enumerated(content: str) -> None:
    compose = {"include": [{"system": SYSTEM}]}
    assert _codes(_value_set(compose=compose), code_system=_code_system(content=content)) is None
    assert base().codes("http://hl7.org/fhir/ValueSet/body-site") is None  # SNOMED CT
    assert base().codes("http://hl7.org/fhir/ValueSet/mimetypes") is None
    assert base().codes("https://example.org/nothing") is None


def test_the_codes_that_may_be_in_a_value_set() -> None:
    # R4, ValueSet resource, "Composition Rules"; a filter that nobody here can apply leaves fewer, never others
    other = "https://example.org/unknown"
    listed = _value_set("listed", compose={"include": [{"system": SYSTEM, "concept": [{"code": "dog"}]}]})
    odd = {"system": SYSTEM, "filter": [{"property": "colour", "op": "=", "value": "red"}]}

    def possible(*includes: JsonObject, exclude: JsonObject | None = None) -> Codes | None:
        compose = {"include": list(includes), **({"exclude": [exclude]} if exclude else {})}
        some = _value_set(compose=compose)
        return Library([_code_system(), listed, some]).possible_codes(some["url"])

    found = possible({"system": other}, {"valueSet": [listed["url"]]})
    assert found is not None and found.open_systems == {other} and found.systems == {SYSTEM: {"dog": "Dog"}}
    assert found.contains(other, "x") and found.contains(SYSTEM, "dog") and not found.contains(SYSTEM, "cat")
    assert found.contains(None, "x") and not found.contains("https://example.org/third", "x")
    found = possible(odd)
    assert found is not None and not found.open_systems and set(found.systems[SYSTEM]) > {"dog", "cat"}
    found = possible({"system": SYSTEM}, exclude={"system": other})
    assert found is not None and found.contains(SYSTEM, "dog")
    found = possible({"system": SYSTEM}, exclude=odd)
    assert found is not None and found.contains(SYSTEM, "dog")
    found = possible({"system": other, "valueSet": [listed["url"]]})
    assert found is not None and not found.contains(other, "x") and not found.contains(SYSTEM, "dog")
    found = possible({"valueSet": [listed["url"], "https://example.org/nothing"]})
    assert found is not None and found.contains(SYSTEM, "dog") and not found.contains(SYSTEM, "cat")
    assert possible({"valueSet": ["https://example.org/nothing"]}) is None
    assert possible({"system": SYSTEM}, {"valueSet": ["https://example.org/nothing"]}) is None


def test_an_expansion_that_came_along_is_used_when_it_is_whole() -> None:
    compose = {"include": [{"system": "http://snomed.info/sct"}]}
    contains = [
        {
            "system": SYSTEM,
            "code": "x",
            "abstract": True,
            "contains": [{"system": SYSTEM, "code": "dog", "display": "Dog"}],
        }
    ]
    codes = _codes(_value_set(compose=compose, expansion={"contains": contains}))
    assert codes is not None and codes.systems == {SYSTEM: {"dog": "Dog"}}
    assert _codes(_value_set(compose=compose, expansion={"contains": contains, "total": 7})) is None
    assert _codes(_value_set(compose=compose, expansion={"contains": contains, "offset": 0})) is None


def test_value_sets_that_include_each_other_are_refused() -> None:
    one = _value_set("one", compose={"include": [{"valueSet": ["https://example.org/ValueSet/two"]}]})
    two = _value_set("two", compose={"include": [{"valueSet": ["https://example.org/ValueSet/one"]}]})
    with pytest.raises(DefinitionError, match=r"circle: .*one -> .*two -> .*one; remove"):
        _codes(one, two)


def test_letter_case_counts_only_where_the_code_system_says_so() -> None:
    # R4, CodeSystem.caseSensitive; adverse-event-seriousness is case sensitive and has "Serious"
    compose = {"include": [{"system": SYSTEM}]}
    for case_sensitive in (True, False):
        codes = _codes(_value_set(compose=compose), code_system=_code_system(caseSensitive=case_sensitive))
        assert codes is not None and codes.contains(SYSTEM, "dog")
        assert codes.contains(SYSTEM, "DOG") is not case_sensitive
        assert codes.contains(None, "DOG") is not case_sensitive
        assert not codes.contains("https://example.org/other", "dog")
    seriousness = base().codes("http://hl7.org/fhir/ValueSet/adverse-event-seriousness")
    system = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness"
    assert seriousness is not None and seriousness.contains(system, "Serious")
    assert not seriousness.contains(system, "serious")


def test_hierarchies_of_version_3_code_systems_are_followed() -> None:
    # http://hl7.org/fhir/R4/v3/PurposeOfUse/vs.html: the concepts of v3-ActReason that are PurposeOfUse
    codes = base().codes("http://terminology.hl7.org/ValueSet/v3-PurposeOfUse")
    assert codes is not None
    listed = codes.systems["http://terminology.hl7.org/CodeSystem/v3-ActReason"]
    assert {"PurposeOfUse", "TREAT", "ETREAT", "HRESCH"} <= listed.keys()
    assert "BONUS" not in listed
