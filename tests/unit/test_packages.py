"""What of somebody's FHIR package is loaded into a server, and what is said of the rest."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.errors import DefinitionError
from fhir_keta.server.packages import Chosen, choose

Resource = dict[str, Any]

URL = "https://example.org/fhir"
VALUE_SET: Resource = {"resourceType": "ValueSet", "id": "v", "url": f"{URL}/ValueSet/v", "version": "1"}
PATIENT: Resource = {"resourceType": "Patient", "id": "p"}
NAMING_SYSTEM: Resource = {"resourceType": "NamingSystem", "id": "n", "name": "N"}
EXAMPLE_FORM: Resource = {"resourceType": "Questionnaire", "id": "q", "url": f"{URL}/Questionnaire/q"}


def guide(*listed: str) -> Resource:
    resources = [{"reference": {"reference": each}} for each in listed]
    return {
        "resourceType": "ImplementationGuide",
        "id": "g",
        "url": f"{URL}/ImplementationGuide/g",
        "definition": {"resource": resources},
    }


def packed(folder: Path, files: dict[str, Resource | bytes], **manifest: Any) -> Path:
    target = folder / "some.tgz"
    given = {
        "package/package.json": {"name": "org.example.some", "version": "1", "fhirVersions": ["4.0.1"], **manifest}
    }
    with tarfile.open(target, "w:gz") as archive:
        for name, content in (given | files).items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target


def names(chosen: Chosen) -> list[str]:
    assert all("some.tgz/package/" in record.place.path for record in chosen.records)
    return [record.place.path.partition("some.tgz/package/")[2] for record in chosen.records]


def test_definitions_are_loaded_and_examples_on_request(tmp_path: Path) -> None:
    file = packed(
        tmp_path,
        {
            "package/ValueSet-v.json": VALUE_SET,
            "package/NamingSystem-n.json": NAMING_SYSTEM,
            "package/Patient-p.json": PATIENT,
            "package/example/Questionnaire-q.json": EXAMPLE_FORM,
            "package/.index.json": {"index-version": 2, "files": []},
            "package/other/validation-oo.json": {"resourceType": "OperationOutcome", "id": "o"},
            "package/xml/Patient-p.xml": b"<Patient/>",
        },
    )
    chosen = choose(file)
    assert names(chosen) == ["ValueSet-v.json", "NamingSystem-n.json"]
    assert chosen.remarks == ("its examples are left out (1 Patient, 1 Questionnaire): add --examples to load them.",)
    everything = choose(file, examples=True)
    assert names(everything) == [
        "ValueSet-v.json", "NamingSystem-n.json", "Patient-p.json", "example/Questionnaire-q.json",
    ]  # fmt: skip
    assert everything.remarks == ()


def test_records_are_the_bytes_of_the_package(tmp_path: Path) -> None:
    data = b'{"resourceType": "ConceptMap", "id": "c", "url": "https://example.org/c", "x": 1.50}\r\n'
    assert choose(packed(tmp_path, {"package/ConceptMap-c.json": data})).records[0].data == data


@pytest.mark.parametrize(
    ("listed", "examples", "loaded"),
    [
        (["ValueSet/v"], False, True),
        (["ValueSet/v", "Patient/p"], False, False),
        (["ValueSet/v", "Patient/p"], True, True),
        (["ValueSet/v", "Patient/elsewhere"], False, True),  # nothing of this package: the server may have it
        (["Bundle/b"], True, False),
    ],
)
def test_a_guide_that_lists_what_is_left_out_is_left_out(
    tmp_path: Path, listed: list[str], examples: bool, loaded: bool
) -> None:
    files = {
        "package/ImplementationGuide-g.json": guide(*listed),
        "package/ValueSet-v.json": VALUE_SET,
        "package/example/Patient-p.json": PATIENT,
        "package/example/Bundle-b.json": {"resourceType": "Bundle", "id": "b", "type": "transaction"},
    }
    chosen = choose(packed(tmp_path, files), examples=examples)
    assert ("ImplementationGuide-g.json" in names(chosen)) is loaded
    said = "ImplementationGuide/g is left out, because it lists resources that are left out."
    assert (said in chosen.remarks) is not loaded


@pytest.mark.parametrize("malformed", [{"definition": []}, {"definition": {"resource": [1, {"reference": "x"}]}}, {}])
def test_a_malformed_guide_is_for_the_server_to_refuse(tmp_path: Path, malformed: Resource) -> None:
    given = {**guide(), "definition": None, **malformed}
    assert names(choose(packed(tmp_path, {"package/g.json": given}))) == ["g.json"]


def test_what_cannot_be_found_again_is_left_out_and_named(tmp_path: Path) -> None:
    # packages of KBV and gematik have such NamingSystems; R4 gives them no url
    nameless = {"resourceType": "NamingSystem", "name": "N"}
    without_id = {name: value for name, value in VALUE_SET.items() if name != "id"}
    chosen = choose(packed(tmp_path, {"package/N.json": nameless, "package/V.json": without_id}))
    assert names(chosen) == ["V.json"]  # found by its url
    assert chosen.remarks == ("what has no id is left out (package/N.json): a second upload could not find it again.",)


def test_bundles_are_examples_and_only_documents_and_messages_are_loaded_whole(tmp_path: Path) -> None:
    bundles = {
        f"package/examples/{kind}.json": {"resourceType": "Bundle", "id": kind, "type": kind}
        for kind in ("document", "message", "transaction", "collection", "searchset")
    }
    file = packed(tmp_path, bundles)
    assert names(choose(file)) == []
    chosen = choose(file, examples=True)
    assert names(chosen) == ["examples/document.json", "examples/message.json"]
    assert chosen.remarks == ("its Bundles that are no documents or messages are left out (3): unpack them for that.",)


def test_what_is_no_resource_and_what_is_needed_is_said(tmp_path: Path) -> None:
    needed = {"hl7.fhir.r4.core": "4.0.1", "hl7.terminology.r4": "5.1.0", "de.basisprofil.r4": "1.5.2"}
    file = packed(tmp_path, {"package/stats.json": {"count": 1}}, dependencies=needed)
    assert choose(file).remarks == (
        "no resources, so left out: package/stats.json.",
        "it depends on de.basisprofil.r4 1.5.2, hl7.terminology.r4 5.1.0: load that too, if the server lacks it.",
    )


def test_a_path_that_leads_out_of_the_package_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="leaves the package"):
        choose(packed(tmp_path, {"package/../../evil.json": PATIENT}))
