"""The shipped examples: made by their generator, whole, plausible, and nobody's.

Expected values are worked out by hand from the plan (tools/example_plan.py) and the profiles.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
MADE = ("course", "export", "observations", "records", "responses")
SINGLES = sorted(path for folder in MADE[2:] for path in (EXAMPLES / folder).iterdir())
NAMES = [*(f"session-{number}" for number in range(1, 7)), *(f"week-{number}" for number in range(3, 7))]
BUNDLES = [EXAMPLES / "course" / f"{name}.json" for name in NAMES]
DEFINITIONS = sorted((ROOT / "profiles").rglob("*.json"))
BASE = "https://w3id.org/fhir-keta/"


def load(path: Path) -> Json:
    resource: Json = json.loads(path.read_text("utf-8"))
    return resource


@cache
def bundles() -> list[Json]:
    return [load(path) for path in BUNDLES]


@cache
def course() -> dict[str, Json]:
    """Every resource of the course by Type/id, in the order of loading."""
    return {name(entry["resource"]): entry["resource"] for bundle in bundles() for entry in bundle["entry"]}


def name(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def of_type(resource_type: str) -> list[Json]:
    return [resource for resource in course().values() if resource["resourceType"] == resource_type]


def code(concept: Json) -> str:
    return str(concept["coding"][0]["code"])


def nodes(value: Any) -> Iterator[Json]:
    """Every object in a resource, the resource first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from nodes(part)


def references(resource: Json) -> list[str]:
    return [node["reference"] for node in nodes(resource) if isinstance(node.get("reference"), str)]


def answers(response: Json) -> dict[str, Any]:
    """Code or plain value of the first answer of every answered item, by linkId."""
    found = {}
    for node in nodes(response):
        if "linkId" in node and "answer" in node:
            value = next(iter(node["answer"][0].values()))
            found[node["linkId"]] = value["code"] if isinstance(value, dict) else value
    return found


# ---- made files -----------------------------------------------------------------------------------------------------


def test_the_generator_makes_the_shipped_files_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools" / "make_examples.py"), str(tmp_path)], check=True)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    shipped = {
        path.relative_to(EXAMPLES): path.read_bytes() for folder in MADE for path in (EXAMPLES / folder).iterdir()
    }
    assert sorted(made) == sorted(shipped)
    differing = [str(path) for path in made if made[path] != shipped[path]]
    assert not differing, "run: python tools/make_examples.py"


def test_the_export_holds_what_the_bundles_hold() -> None:
    exported: dict[str, Json] = {}
    for path in (EXAMPLES / "export").iterdir():
        for line in path.read_bytes().splitlines():
            resource = json.loads(line)
            assert path.name == f"{resource['resourceType']}.ndjson"
            exported[name(resource)] = resource
    assert exported == course()


@pytest.mark.parametrize("path", SINGLES, ids=lambda path: path.stem)
def test_each_single_file_is_a_resource_of_the_course(path: Path) -> None:
    resource = load(path)
    assert course()[name(resource)] == resource


def test_there_is_a_response_for_every_form_and_a_record_for_every_profile_of_records() -> None:
    forms = {path.stem for path in (ROOT / "profiles" / "Questionnaire").iterdir()}
    assert {path.stem for path in (EXAMPLES / "responses").iterdir()} == forms
    claimed = {url for path in SINGLES for url in load(path).get("meta", {}).get("profile", ())}
    profiles = {
        definition["url"]
        for definition in map(load, (ROOT / "profiles" / "StructureDefinition").iterdir())
        if definition["type"] not in ("Extension", "Questionnaire") and not definition["abstract"]
    }
    assert profiles - claimed == set()


# ---- bundles --------------------------------------------------------------------------------------------------------


def test_the_bundles_are_all_there_and_their_names_sort_in_the_order_of_loading() -> None:
    assert sorted((EXAMPLES / "course").iterdir()) == BUNDLES


def test_ids_are_unique_and_entries_are_put_under_them() -> None:
    entries = [entry for bundle in bundles() for entry in bundle["entry"]]
    for entry in entries:
        target = name(entry["resource"])
        assert entry["request"] == {"method": "PUT", "url": target}
        assert entry["fullUrl"] == f"{BASE}example/{target}"
    assert max(Counter(name(entry["resource"]) for entry in entries).values()) == 1
    assert max(len(entry["resource"]["id"]) for entry in entries) <= 64


def test_every_reference_leads_to_the_same_bundle_or_an_earlier_one() -> None:
    loaded: set[str] = set()
    for bundle in bundles():
        loaded |= {name(entry["resource"]) for entry in bundle["entry"]}
        missing = {target for target in references(bundle) if target not in loaded}
        assert not missing, bundle["id"]


# ---- the course -----------------------------------------------------------------------------------------------------


def test_what_the_course_holds() -> None:
    counts = Counter(resource["resourceType"] for resource in course().values())
    # 6 x (before, 2 x during, after, discharge, 24 h) + 1 refused discharge + 4 weekly + 7 PHQ-9 + 7 GAD-7
    assert counts["QuestionnaireResponse"] == 6 * 6 + 1 + 4 + 7 + 7
    assert counts["Procedure"] == counts["Encounter"] == 6
    assert counts["MedicationAdministration"] == 7
    assert counts["AdverseEvent"] == counts["Flag"] == counts["Patient"] == counts["Condition"] == 1
    assert counts["Task"] == 2


@pytest.mark.parametrize(
    ("form", "item_codes", "totals"),
    [
        (
            "phq-9",
            "44250-9 44255-8 44259-0 44254-1 44251-7 44258-2 44252-5 44253-3 44260-8",
            [21, 17, 13, 10, 9, 8, 7],
        ),
        ("gad-7", "69725-0 68509-9 69733-4 69734-2 69735-9 69689-8 69736-7", [13, 11, 9, 6, 5, None, 4]),
    ],
)
def test_totals_are_the_sums_of_their_items(form: str, item_codes: str, totals: list[int | None]) -> None:
    scores = {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}
    for week, total in enumerate(totals):
        response = course()[f"QuestionnaireResponse/week-{week}-{form}"]
        given = answers(response)
        items = [given[item] for item in item_codes.split() if item in given]
        assert given.get(f"{form}.total") == total
        score = course().get(f"Observation/week-{week}-{form}-total")
        if total is None:
            assert len(items) < len(item_codes.split())
            assert score is None
            continue
        assert sum(scores[item] for item in items) == total
        assert score is not None
        assert score["valueInteger"] == total
        assert [course()[member["reference"]]["code"]["coding"][0]["code"] for member in score["hasMember"]] == (
            item_codes.split()
        )


def test_the_patient_responds_and_instruments_are_never_asked_at_discharge_or_a_day_later() -> None:
    totals = [course()[f"Observation/week-{week}-phq-9-total"]["valueInteger"] for week in range(7)]
    assert totals == sorted(totals, reverse=True)
    assert totals[3] <= totals[0] / 2
    points = {
        code({"coding": [response["extension"][0]["valueCoding"]]})
        for response in of_type("QuestionnaireResponse")
        if response["id"].endswith(("phq-9", "gad-7"))
    }
    assert points == {"baseline", "follow-up"}


def test_a_positive_ninth_item_is_abnormal_and_has_a_flag_and_a_task() -> None:
    item = course()["Observation/week-0-phq-9-44260-8"]
    assert code(item["valueCodeableConcept"]) == "LA6569-3"
    assert code(item["interpretation"][0]) == "A"
    flag, task = course()["Flag/week-0-phq-9-44260-8"], course()["Task/week-0-phq-9-44260-8"]
    assert flag["status"] == "active"
    assert (task["status"], task["intent"], task["priority"]) == ("requested", "proposal", "urgent")
    assert task["focus"]["reference"] == name(item)
    others = [one for one in of_type("Observation") if code(one["code"]) == "44260-8" and one is not item]
    assert len(others) == 6
    assert all("interpretation" not in one and code(one["valueCodeableConcept"]) == "LA6568-5" for one in others)


def test_doses_follow_from_weight_and_time() -> None:
    for session in range(1, 7):
        weight = course()[f"Observation/session-{session}-weight"]["valueQuantity"]["value"]
        given = [one for one in of_type("MedicationAdministration") if one["id"].startswith(f"session-{session}-")]
        per_kg = 0.0
        for one in given:
            dosage = one["dosage"]
            dose = dosage["extension"][0]["valueQuantity"]["value"]
            start, end = (datetime.fromisoformat(one["effectivePeriod"][side]) for side in ("start", "end"))
            assert dosage["dose"]["value"] == pytest.approx(dose * weight)
            assert dosage["rateQuantity"]["value"] == pytest.approx(dose / ((end - start).total_seconds() / 3600))
            per_kg += dose
        assert per_kg == pytest.approx(0.5)
        infusion = course()[f"Procedure/session-{session}-infusion"]["performedPeriod"]
        assert infusion["start"] == given[0]["effectivePeriod"]["start"]
        assert infusion["end"] == given[-1]["effectivePeriod"]["end"]


def test_in_session_2_going_home_is_first_refused() -> None:
    refused = course()["Observation/session-2-discharge-refused-discharge-readiness"]
    granted = course()["Observation/session-2-discharge-discharge-readiness"]
    assert (refused["valueBoolean"], granted["valueBoolean"]) == (False, True)
    assert refused["effectiveDateTime"] < granted["effectiveDateTime"]
    unmet = {code(one["code"]) for one in refused["component"] if one.get("valueBoolean") is False}
    assert unmet == {"steady", "escort"}
    assert len(granted["component"]) == 6
    event = course()["AdverseEvent/session-2-nausea"]
    assert [code(one["valueCodeableConcept"]) for one in event["extension"]] == ["infusion-slowed", "discharge-delayed"]
    suspect = course()[event["suspectEntity"][0]["instance"]["reference"]]
    assert suspect["effectivePeriod"]["start"] < event["date"] < suspect["effectivePeriod"]["end"]


def test_what_happens_in_a_session_happens_in_order() -> None:
    for session in range(1, 7):
        prefix = f"QuestionnaireResponse/session-{session}-"
        forms = [
            course()[prefix + form]["authored"]
            for form in ("before", "during-15", "during-30", "after", "discharge", "24h")
        ]
        start, end = course()[f"Procedure/session-{session}-infusion"]["performedPeriod"].values()
        moments = [forms[0], start, forms[1], forms[2], end, *forms[3:]]
        assert moments == sorted(moments)
        assert all(moment.endswith("+02:00") for moment in moments)


# ---- what answers become --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("observation", "effective"),
    [
        # now: the moment of answering
        ("session-2-during-30-nausea", "2026-09-10T10:34:00+02:00"),
        # the infusion
        ("session-2-after-vomiting", {"start": "2026-09-10T10:05:00+02:00", "end": "2026-09-10T10:55:00+02:00"}),
        # since discharge: of the last infusion
        ("week-3-follow-up-mood-change", {"start": "2026-09-24T11:40:00+02:00", "end": "2026-09-28T18:15:00+02:00"}),
        # since the last form: no later form yet, so since discharge
        ("session-2-24h-drove-early", {"start": "2026-09-10T12:55:00+02:00", "end": "2026-09-11T11:00:00+02:00"}),
        # since the last form: the one a day after the infusion
        ("week-3-follow-up-headache", {"start": "2026-09-25T10:20:00+02:00", "end": "2026-09-28T18:15:00+02:00"}),
        # two weeks
        ("week-0-phq-9-total", {"start": "2026-08-24T09:05:00+02:00", "end": "2026-09-07T09:05:00+02:00"}),
        # mood benefit: first day to last day
        ("week-6-follow-up-mood-benefit", {"start": "2026-09-25", "end": "2026-10-17"}),
    ],
)
def test_an_observation_is_true_for_the_time_its_question_asks_about(observation: str, effective: str | Json) -> None:
    found = course()[f"Observation/{observation}"]
    assert found.get("effectiveDateTime") == (effective if isinstance(effective, str) else None)
    assert found.get("effectivePeriod") == (effective if isinstance(effective, dict) else None)


def test_a_response_yields_exactly_its_observations() -> None:
    yielded = [
        one["id"].removeprefix("session-3-after-")
        for one in of_type("Observation")
        if {"reference": "QuestionnaireResponse/session-3-after"} in one.get("derivedFrom", ())
    ]
    assert yielded == [
        *("nausea", "vomiting", "stomach-discomfort", "drowsiness", "fatigue", "blurred-vision"),
        *("body-detachment", "surroundings-detachment", "time-perception", "space-perception", "self-perception"),
        *("floating", "visual-effects", "auditory-effects", "emotional-release", "new-perspectives"),
        *("mood", "mood-change", "relaxation", "clarity", "clarity-change", "support-available", "callback-wanted"),
    ]
    words = course()["Observation/session-3-after-new-perspectives"]["component"]
    assert [(code(one["code"]), one["valueString"].split()[0]) for one in words] == [("in-own-words", "I")]


@pytest.mark.parametrize(
    ("observation", "value"),
    [
        ("session-1-before-psychosis-history", {"valueBoolean": False}),
        ("session-3-before-earlier-reaction", {"valueBoolean": True}),
        ("session-2-after-vomiting", {"valueInteger": 1}),
        ("session-1-24h-mood-benefit", {"valueQuantity": 0}),
        ("week-3-follow-up-mood-benefit", {"valueQuantity": 4}),
        ("week-6-follow-up-mood-benefit", {"valueQuantity": 23}),
        ("session-1-before-alcohol-or-drugs-today", {"dataAbsentReason": "asked-declined"}),
        ("session-4-before-fear", {"dataAbsentReason": "asked-declined"}),
        ("session-2-during-30-infusion-request", {"valueCodeableConcept": "slow"}),
        ("session-2-during-30-overall-feeling", {"valueCodeableConcept": "unpleasant"}),
    ],
)
def test_what_an_answer_becomes(observation: str, value: Json) -> None:
    found = course()[f"Observation/{observation}"]
    given = {key: one for key, one in found.items() if key.startswith(("value", "dataAbsent"))}
    plain = {
        key: one["value"] if key == "valueQuantity" else code(one) if isinstance(one, dict) else one
        for key, one in given.items()
    }
    assert plain == value


def test_a_skipped_question_has_no_observation() -> None:
    assert "callback-wanted" not in answers(course()["QuestionnaireResponse/session-5-after"])
    assert "Observation/session-5-after-callback-wanted" not in course()
    assert "Observation/session-5-after-mood" in course()


# ---- nobody's -------------------------------------------------------------------------------------------------------


def test_people_places_and_identifiers_are_plainly_invented() -> None:
    for resource in course().values():
        for node in nodes(resource):
            assert not {"telecom", "address", "photo"} & node.keys(), name(resource)
            for identifier in node.get("identifier", ()):
                assert identifier["system"].startswith(f"{BASE}example/")
                assert identifier["value"].startswith("example-")
    people = [*of_type("Patient"), *of_type("Practitioner")]
    assert {one["name"][0]["family"] for one in people} == {"Example"}
    assert {word for one in people for word in one["name"][0]["given"]} == {"Patient", "Clinician", "Nurse"}
    assert {"Example Clinic" in one["name"] for one in (*of_type("Organization"), *of_type("Location"))} == {True}


# ---- fhir.resources -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*SINGLES, *DEFINITIONS, *BUNDLES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_fhir_resources_parses_it(path: Path) -> None:
    from fhir.resources.R4B import get_fhir_model_class

    resource = load(path)
    parsed = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert parsed.get_resource_type() == resource["resourceType"]
