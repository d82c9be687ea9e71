"""What a plan tells of the server's copies: where they differ, from what to what, and which other versions it has."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from fhir_keta.cli import upload_report
from fhir_keta.server import plan_file
from fhir_keta.server.client import Client
from fhir_keta.server.comparison import Difference, differences
from fhir_keta.server.plan import plan
from tests.unit.uploads import PATIENT, code_system, record

Resource = dict[str, Any]


def put(client: Client, resource: Resource) -> None:
    client.update(resource["resourceType"], resource["id"], json.dumps(resource).encode())


def test_each_place_with_what_stands_on_either_side(client: Client) -> None:
    put(client, code_system(title="Old", copyright="theirs", concept=[{"code": "low"}, {"code": "high"}]))
    ours = code_system(title="New", publisher="ours", concept=[{"code": "low", "display": "Low"}])
    (entry,) = plan([ours], client).entries
    assert (entry.action, entry.version) == ("conflict", "1")
    assert sorted(entry.differences, key=str) == [
        Difference("CodeSystem.concept[0].display", ours="Low"),
        Difference("CodeSystem.concept[1]", theirs={"code": "high"}),
        Difference("CodeSystem.copyright", theirs="theirs"),
        Difference("CodeSystem.publisher", ours="ours"),
        Difference("CodeSystem.title", ours="New", theirs="Old"),
    ]


def test_what_is_put_in_before_others_does_not_make_them_differ(client: Client) -> None:
    codes = [{"code": code, "display": code.title()} for code in ("none", "low", "high")]
    put(client, code_system(concept=[codes[1], {**codes[2], "display": "Top"}, {"code": "beyond"}]))
    (entry,) = plan([code_system(concept=codes)], client).entries
    assert list(entry.differences) == [
        Difference("CodeSystem.concept[0]", ours=codes[0]),
        Difference("CodeSystem.concept[2].display", ours="High", theirs="Top"),
        Difference("CodeSystem.concept[2]", theirs={"code": "beyond"}),
    ]


@given(lists(sampled_from("abcde"), max_size=5), lists(sampled_from("abcde"), max_size=5))
def test_lists_are_the_same_only_when_they_are(ours: list[str], theirs: list[str]) -> None:
    """Whatever is held against what, repeated keys and other orders too: no difference is lost."""

    def of(codes: list[str]) -> Resource:
        return code_system(concept=[{"code": code} for code in codes])

    found = differences(of(ours), of(theirs), base="", by_canonical=True)
    assert (found == []) == (ours == theirs)


def test_other_versions_are_named(client: Client) -> None:
    put(client, code_system(id="a", version="0.9"))
    put(client, {name: value for name, value in code_system(id="b").items() if name != "version"})
    put(client, code_system(id="c", version="2"))
    (entry,) = plan([code_system(version="2")], client).entries
    assert (entry.action, entry.target) == ("unchanged", "c")
    assert entry.others == ("http://example.org/levels (CodeSystem/b)", "http://example.org/levels|0.9 (CodeSystem/a)")
    (entry,) = plan([code_system(version="3")], client).entries
    assert entry.action == "create"
    assert len(entry.others) == 3


def test_they_are_shown_of_definitions_with_values_and_of_records_without(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    put(client, code_system(title="Old", copyright="x" * 100))
    put(client, code_system(id="before", version="0.9"))
    put(client, {**PATIENT, "gender": "male"})
    ours = code_system(title="New\u202e\n", publisher="ours")
    planned = plan([ours, record({**PATIENT, "gender": "female", "birthDate": "1961-03-04"})], client)
    upload_report.plan(planned)
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(
        [
            "RESOURCE           ACTION",
            "CodeSystem/levels  conflict",
            '  CodeSystem.title: "Old" -> "New\N{REPLACEMENT CHARACTER}\\n"',
            '  CodeSystem.publisher: added "ours"',
            f'  CodeSystem.copyright: removed "{"x" * 59} [...]',
            "  also there: http://example.org/levels|0.9 (CodeSystem/before)",
            "Patient/p          update",
            "  Patient.gender: changed",
            "  Patient.birthDate: added",
        ]
    )


def test_many_are_counted(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    put(client, code_system(concept=[{"code": f"old-{number}"} for number in range(30)]))
    upload_report.plan(plan([code_system(concept=[{"code": f"new-{number}"} for number in range(30)])], client))
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "old-" in line]) == 20
    assert lines[-1] == "  and 10 more differences"


def test_they_are_kept_in_the_plan_file(client: Client, tmp_path: Any) -> None:
    put(client, code_system(title="Old", extension=[{"url": "http://example.org/x", "valueDecimal": 1}]))
    put(client, {**PATIENT, "gender": "male"})
    put(client, code_system(id="before", version="0.9"))
    score = json.dumps(code_system(title="New", extension=[{"url": "http://example.org/x", "valueDecimal": 0}]))
    sources = [record(score.replace('"valueDecimal": 0', '"valueDecimal": 2.50')), record({**PATIENT, "active": True})]
    path = str(tmp_path / "plan.json")
    plan_file.save(plan(sources, client), path, ["in.json"], {"overwrite": False})
    definition, patient = plan_file.load(path).entries
    assert sorted(definition["differences"], key=str) == sorted(
        [
            {"path": "CodeSystem.title", "ours": "New", "server": "Old"},
            {"path": "CodeSystem.extension[0].valueDecimal", "ours": Decimal("2.50"), "server": 1},
        ],
        key=str,
    )
    assert '"ours":2.50' in (tmp_path / "plan.json").read_text()
    assert definition["otherVersions"] == ["http://example.org/levels|0.9 (CodeSystem/before)"]
    assert sorted(each["path"] for each in patient["differences"]) == ["Patient.active", "Patient.gender"]
    assert all(each.keys() == {"path"} for each in patient["differences"])
