"""The definitions as content: names, codes, scales and tables, held against what was written down before them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhir_keta import __version__
from fhir_keta.definitions.library import bundled

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2] / "profiles"
BASE = "https://w3id.org/fhir-keta/"
CORE = "http://hl7.org/fhir/StructureDefinition/"
ORDINAL = f"{CORE}ordinalValue"
FILES = sorted(path for path in ROOT.glob("*/*.json") if path.parent.name != "Questionnaire")

# concept, its kind, the profile of its Observation: one row for each statement of the patient leaflet, and for safety
LEAFLET = """
detachment experience | body-detachment experience | surroundings-detachment experience | time-perception experience
space-perception experience | self-perception experience | floating experience | visual-effects experience
auditory-effects experience | new-perspectives experience | emotional-release experience | overall-feeling experience
relaxation rating | mood rating | clarity rating | fear rating | mood-change change | clarity-change change
fatigue side-effect | drowsiness side-effect | nausea side-effect | vomiting side-effect
stomach-discomfort side-effect | headache side-effect | dizziness side-effect | blurred-vision side-effect
numbness side-effect | unsteadiness side-effect | palpitations side-effect | bladder-pain side-effect
nightmares side-effect | memory-gaps side-effect | time-to-process statement | shared-experience statement
wants-to-talk statement | support-available statement | earlier-reaction statement | psychosis-history statement
sedative-today statement | alcohol-or-drugs-today statement | driving-advice-understood statement
drove-early statement | instructions-understood statement | contact-known statement | escort-present statement
callback-wanted statement | infusion-request statement | effects-returned statement | mood-benefit mood-benefit
concern concern | discharge-readiness discharge-readiness
"""
NOT_OBSERVED = {
    "component": "how-it-felt how-long in-own-words ongoing oriented steady vitals-acceptable escort instructions "
    "driving-advice",
    "question": "other-effects declined mood-benefit-noticed mood-benefit-first-day mood-benefit-still-there "
    "mood-benefit-last-day",
}
SCALES = {
    "keta-intensity": "not-at-all:0 slightly:1 moderately:2 strongly:3 extremely:4",
    "keta-how-it-felt": "very-unpleasant:-2 unpleasant:-1 neutral:0 pleasant:1 very-pleasant:2",
    "keta-change": "very-much-worse:-3 much-worse:-2 a-little-worse:-1 no-change:0 a-little-better:1 much-better:2 "
    "very-much-better:3",
    "keta-how-long": "moments minutes most-of-it still-there",
    "keta-infusion-request": "go-on slow pause stop",
    "keta-time-point": "baseline during end-of-infusion recovery discharge 24h follow-up",
    "keta-recall": "now infusion since-discharge since-last-form P14D",
    "keta-alert-level": "attention urgent",
    "keta-action": "none observed infusion-slowed infusion-paused infusion-stopped dose-reduced medication-given "
    "oxygen-given discharge-delayed transferred",
    "keta-yes-no": "yes no prefer-not-to-say",
}
ENUMERATED = {
    "keta-instrument-item-codes": "44250-9 44255-8 44259-0 44254-1 44251-7 44258-2 44252-5 44253-3 44260-8 69722-7 "
    "69725-0 68509-9 69733-4 69734-2 69735-9 69689-8 69736-7",
    "keta-instrument-answers": "LA6568-5 LA6569-3 LA6570-1 LA6571-9 LA6572-7 LA6573-5 LA6575-0 LA6574-3",
    "keta-score-codes": "44261-6 70274-6",
    "keta-infusion-codes": "14152002 386358000",
    "keta-medication-codes": "373464007 N01AX03",
    "keta-response-status": "completed amended",
}
PROFILES = {
    "keta-observation": "Observation",
    "keta-experience": "keta-observation",
    "keta-side-effect": "keta-observation",
    "keta-rating": "keta-observation",
    "keta-change": "keta-observation",
    "keta-statement": "keta-observation",
    "keta-mood-benefit": "keta-observation",
    "keta-concern": "keta-observation",
    "keta-discharge-readiness": "keta-observation",
    "keta-instrument-item": "Observation",
    "keta-score": "Observation",
    "keta-infusion": "Procedure",
    "keta-administration": "MedicationAdministration",
    "keta-adverse-event": "AdverseEvent",
    "keta-questionnaire": "Questionnaire",
    "keta-response": "QuestionnaireResponse",
}
EXTENSIONS = {
    "keta-time-point": ("Observation", "QuestionnaireResponse"),
    "keta-recall": ("Questionnaire.item",),
    "keta-alert": ("Questionnaire.item",),
    "keta-dose-per-kg": ("MedicationAdministration.dosage",),
    "keta-action-taken": ("AdverseEvent",),
}


@cache
def load(resource_type: str, id_: str) -> Json:
    loaded: Json = json.loads((ROOT / resource_type / f"{id_}.json").read_bytes())
    return loaded


def all_of(resource_type: str) -> list[Json]:
    return [load(resource_type, path.stem) for path in FILES if path.parent.name == resource_type]


def concepts(system: str) -> dict[str, Json]:
    return {concept["code"]: concept for concept in load("CodeSystem", system)["concept"]}


def included(value_set: Json) -> list[tuple[str, str, str]]:
    return [
        (include["system"], concept["code"], concept["display"])
        for include in value_set["compose"]["include"]
        for concept in include.get("concept", ())
    ]


@cache
def verified() -> dict[tuple[str, str], str]:
    """Codes that were read in a primary source, with the display read there (tests/unit/verified_codes.tsv)."""
    lines = (Path(__file__).parent / "verified_codes.tsv").read_text("utf-8").splitlines()[1:]
    return {(system, code): display for system, code, display in (line.split("\t") for line in lines)}


def nodes(node: Any) -> list[Json]:
    """Every object in a resource."""
    if isinstance(node, list):
        return [found for item in node for found in nodes(item)]
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in nodes(value))]
    return []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_definition_says_who_it_is(path: Path) -> None:
    resource_type, id_ = path.parent.name, path.stem
    resource = load(resource_type, id_)
    assert (resource["resourceType"], resource["id"]) == (resource_type, id_)
    assert resource["url"] == f"{BASE}{resource_type}/{id_}"
    assert resource["version"] == __version__
    assert resource["name"] == "".join(part.capitalize() for part in id_.split("-"))
    assert (resource["status"], resource["experimental"]) == ("active", True)
    assert resource["publisher"] == "fhir-keta maintainers"
    assert resource["contact"] == [{"telecom": [{"system": "url", "value": BASE}]}]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", resource["date"])
    assert resource["jurisdiction"][0]["coding"][0]["code"] == "001"
    # R4 has no purpose on an ImplementationGuide, no title and no copyright on a SearchParameter
    wanted = {"title", "description", "purpose", "copyright"}
    wanted -= {"purpose"} if resource_type == "ImplementationGuide" else set()
    wanted -= {"title", "copyright"} if resource_type == "SearchParameter" else set()
    assert wanted <= resource.keys()
    assert not {"snapshot", "text", "meta"} & resource.keys()
    if resource_type != "ImplementationGuide":
        text = path.read_text("utf-8")
        assert text.endswith("}\n")
        assert "\t" not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notices_stand_where_foreign_content_stands(path: Path) -> None:
    resource = load(path.parent.name, path.stem)
    systems = {node["system"] for node in nodes(resource) if "system" in node and "code" in node}
    systems |= {node["system"] for node in nodes(resource) if "system" in node and "concept" in node}
    notices = {
        "http://loinc.org": "LOINC is copyright",
        "http://snomed.info/sct": "SNOMED International, used under the Creative Commons",
        "http://www.whocc.no/atc": "WHO Collaborating Centre",
    }
    for system in systems & notices.keys():
        assert notices[system] in resource["copyright"]
    if "http://loinc.org" in systems:
        assert "educational grant from Pfizer Inc." in resource["copyright"]


@pytest.mark.parametrize("row", LEAFLET.replace("\n", "|").strip(" |").split("|"), ids=str.strip)
def test_every_row_of_the_leaflet_has_a_concept_where_its_profile_looks(row: str) -> None:
    code, kind = row.split()
    concept = concepts("keta-concepts")[code]
    assert concept["property"] == [{"code": "kind", "valueString": kind}]
    element = next(
        e
        for e in load("StructureDefinition", f"keta-{kind}")["differential"]["element"]
        if e["id"] == "Observation.code"
    )
    if "patternCodeableConcept" in element:
        assert element["patternCodeableConcept"]["coding"] == [
            {"system": f"{BASE}CodeSystem/keta-concepts", "code": code}
        ]
    else:
        codes = load("ValueSet", element["binding"]["valueSet"].rpartition("/")[2])
        assert (f"{BASE}CodeSystem/keta-concepts", code, concept["display"]) in included(codes)
        assert element["binding"]["strength"] == "required"


def test_there_are_no_other_concepts() -> None:
    expected = {tuple(row.split()) for row in LEAFLET.replace("\n", "|").strip(" |").split("|")}
    expected |= {(code, kind) for kind, codes in NOT_OBSERVED.items() for code in codes.split()}
    found = {(code, c["property"][0]["valueString"]) for code, c in concepts("keta-concepts").items()}
    assert found == expected


@pytest.mark.parametrize("kind", ["experience", "side-effect", "rating", "change", "statement"])
def test_code_value_sets_hold_exactly_one_kind(kind: str) -> None:
    found = {code for _, code, _ in included(load("ValueSet", f"keta-{kind}-codes"))}
    assert found == {code for code, c in concepts("keta-concepts").items() if c["property"][0]["valueString"] == kind}


@pytest.mark.parametrize("system", SCALES)
def test_scales(system: str) -> None:
    expected = dict(step.partition(":")[::2] for step in SCALES[system].split())
    found = {
        code: str(concept["extension"][0]["valueDecimal"]) if "extension" in concept else ""
        for code, concept in concepts(system).items()
    }
    assert list(found.items()) == list(expected.items())
    assert all(c.get("extension", [{"url": ORDINAL}])[0]["url"] == ORDINAL for c in concepts(system).values())


def test_code_systems_are_complete_and_explained() -> None:
    assert {system["id"] for system in all_of("CodeSystem")} == {*SCALES, "keta-concepts"}
    for system in all_of("CodeSystem"):
        assert (system["caseSensitive"], system["content"]) == (True, "complete")
        assert system["count"] == len(system["concept"]) == len(concepts(system["id"]))
        displays = [concept["display"] for concept in system["concept"]]
        assert len(set(displays)) == len(displays)
        for concept in system["concept"]:
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*|P14D", concept["code"])
            assert concept["display"][0].isupper() or concept["display"][0].isdigit()
            assert re.fullmatch(r"[A-Z][^.]*\.", concept["definition"]), concept["code"]
        whole = load("ValueSet", system["id"])
        assert system["valueSet"] == whole["url"]
        assert whole["compose"] == {"include": [{"system": system["url"]}]}


@pytest.mark.parametrize("id_", ENUMERATED)
def test_value_sets_of_foreign_codes(id_: str) -> None:
    assert [code for _, code, _ in included(load("ValueSet", id_))] == ENUMERATED[id_].split()


def test_value_sets_have_no_filters_and_name_codes_as_their_systems_do() -> None:
    for value_set in all_of("ValueSet"):
        for include in value_set["compose"]["include"]:
            assert include.keys() <= {"system", "concept"}
            own = bundled().code_system(include["system"])
            assert own or include["system"] in {system for system, _ in verified()}
        for system, code, display in included(value_set):
            known = bundled().code_system(system)
            displays = {c["code"]: c["display"] for c in known["concept"]} if known else {}
            assert display == displays.get(code, verified().get((system, code))), code


def test_every_code_is_our_own_or_was_read_in_a_primary_source() -> None:
    own = {(system["url"], c["code"]): c["display"] for system in all_of("CodeSystem") for c in system["concept"]}
    seen = {True: 0, False: 0}
    for path in sorted(ROOT.glob("*/*.json")):
        for node in nodes(json.loads(path.read_bytes())):
            system, code = node.get("system", ""), node.get("code")
            is_own = system.startswith(BASE)
            if not system or not code or (not is_own and bundled().code_system(system)) or "m49" in system:
                continue
            known = own if is_own else verified()
            assert (system, code) in known, f"{path.name}: {system}|{code}"
            assert node.get("display", known[system, code]) == known[system, code], f"{path.name}: {system}|{code}"
            seen[is_own] += 1
    assert seen[True] > 200
    assert seen[False] > 50


def test_the_profiles_and_extensions_are_those_agreed() -> None:
    found = {definition["id"] for definition in all_of("StructureDefinition")}
    assert found == {*PROFILES, *EXTENSIONS}
    for id_, base in PROFILES.items():
        profile = load("StructureDefinition", id_)
        assert profile["baseDefinition"] == (f"{BASE}StructureDefinition/" if "-" in base else CORE) + base
        assert profile["abstract"] is (id_ == "keta-observation")
        assert (profile["kind"], profile["derivation"]) == ("resource", "constraint")
    for id_, contexts in EXTENSIONS.items():
        extension = load("StructureDefinition", id_)
        assert (extension["type"], extension["baseDefinition"]) == ("Extension", f"{CORE}Extension")
        assert extension["context"] == [{"type": "element", "expression": path} for path in contexts]


def test_everything_a_profile_points_at_exists() -> None:
    for definition in all_of("StructureDefinition"):
        assert bundled().structure(definition["baseDefinition"])
        for element in definition["differential"]["element"]:
            for kind in element.get("type", ()):
                for target in (*kind.get("profile", ()), *kind.get("targetProfile", ())):
                    assert bundled().structure(target), target
            if "binding" in element:
                codes = bundled().codes(element["binding"]["valueSet"])
                assert codes, element["id"]
                # a validator without LOINC or SNOMED CT cannot decide a required binding: an invariant does
                systems = [bundled().code_system(system) or {"content": "unknown"} for system in codes.systems]
                foreign = any(system["content"] != "complete" for system in systems)
                assert element["binding"]["strength"] == ("extensible" if foreign else "required")


def test_every_value_set_is_used() -> None:
    used = {
        node["binding"]["valueSet"] for d in all_of("StructureDefinition") for node in nodes(d) if "binding" in node
    }
    used |= {system["valueSet"] for system in all_of("CodeSystem")}
    assert {value_set["url"] for value_set in all_of("ValueSet")} <= used


def position(definition: Json, id_: str, slices: list[str]) -> list[int]:
    """Where an element stands among its siblings in the base, level by level; slices follow in order of appearance."""
    declared = {element["id"]: element for element in definition["differential"]["element"]}
    at = path = definition["type"]
    base = bundled().structure(path)["snapshot"]["element"]
    found: list[int] = []
    for step in id_.split(".")[1:]:
        name, _, slice_name = step.partition(":")
        if not any(element["path"] == f"{path}.{name}" for element in base):  # a child of a data type
            here = next(element for element in base if element["path"] == path)
            path = declared.get(at, {}).get("type", here["type"])[0]["code"]
            base = bundled().structure(path)["snapshot"]["element"]
        at, path = f"{at}.{step}", f"{path}.{name}"
        if slice_name and at not in slices:
            slices.append(at)
        found += [[element["path"] for element in base].index(path), slices.index(at) + 1 if slice_name else 0]
    return found


@pytest.mark.parametrize("id_", [*PROFILES, *EXTENSIONS])
def test_differentials_follow_the_order_of_the_base(id_: str) -> None:
    definition = load("StructureDefinition", id_)
    elements = definition["differential"]["element"]
    assert len({element["id"] for element in elements}) == len(elements)
    slices: list[str] = []
    positions = [position(definition, element["id"], slices) for element in elements]
    assert positions == sorted(positions)
    for element in elements:
        assert element["path"] == re.sub(r":[^.]+", "", element["id"])
        assert element.get("sliceName", "") == element["id"].rpartition(".")[2].partition(":")[2]


def test_the_map_says_only_what_is_so() -> None:
    (group,) = load("ConceptMap", "keta-concepts-to-snomed")["group"]
    assert (group["source"], group["target"]) == (f"{BASE}CodeSystem/keta-concepts", "http://snomed.info/sct")
    for element in group["element"]:
        assert element["display"] == concepts("keta-concepts")[element["code"]]["display"]
        (target,) = element["target"]
        assert target["display"] == verified()["http://snomed.info/sct", target["code"]]
        assert target["equivalence"] in ("equivalent", "wider", "narrower")
        # R4 asks for the sense in which a narrower target is narrower; we say it for a wider one too
        assert ("comment" in target) is (target["equivalence"] != "equivalent")


def test_the_guide_lists_every_definition_once() -> None:
    guide = load("ImplementationGuide", "fhir-keta")
    listed = [resource["reference"]["reference"] for resource in guide["definition"]["resource"]]
    questionnaires = ["keta-before", "keta-during", "keta-after", "keta-discharge", "keta-follow-up", "phq-9", "gad-7"]
    expected = {f"{path.parent.name}/{path.stem}" for path in FILES} | {f"Questionnaire/{q}" for q in questionnaires}
    assert sorted(listed) == sorted(expected - {"ImplementationGuide/fhir-keta"})
    for resource in guide["definition"]["resource"]:
        listed_one = load(*resource["reference"]["reference"].split("/"))
        assert resource["name"] == listed_one.get("title", "Search by time point")
    groups = {grouping["id"] for grouping in guide["definition"]["grouping"]}
    assert {resource["groupingId"] for resource in guide["definition"]["resource"]} == groups
    assert (guide["packageId"], guide["license"], guide["fhirVersion"]) == (
        "org.w3id.fhir-keta",
        "Apache-2.0",
        ["4.0.1"],
    )
