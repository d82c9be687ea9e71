"""Our package follows the FHIR NPM package specification and is the same every time; any package is read with care."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_keta import __version__
from fhir_keta.definitions import package
from fhir_keta.definitions.library import profiles
from fhir_keta.errors import DefinitionError
from fhir_keta.validation.validator import Validator

JsonObject = dict[str, Any]
MANIFEST = {"name": "org.example.some", "version": "1.0.0", "fhirVersions": ["4.0.1"]}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    example = folder / "one.json"
    example.write_bytes(b'{"resourceType": "Observation", "id": "one", "valueQuantity": {"value": 6.50}}')
    package.build(folder / "ours.tgz", [example])
    return folder / "ours.tgz"


def _contents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_the_manifest_says_what_the_specification_asks_for(ours: Path) -> None:
    # FHIR NPM Packages: name, version, canonical, fhirVersions, dependencies, author, license; canonical has no slash
    manifest = json.loads(_contents(ours)["package/package.json"])
    assert manifest["name"] == "org.w3id.fhir-keta"
    assert manifest["version"] == __version__ == "0.1.0"
    assert manifest["canonical"] == "https://w3id.org/fhir-keta"
    assert manifest["fhirVersions"] == ["4.0.1"]
    assert manifest["dependencies"] == {"hl7.fhir.r4.core": "4.0.1", "hl7.fhir.uv.sdc": "3.0.0"}
    assert manifest["license"] == "Apache-2.0"
    assert manifest["author"] == "fhir-keta maintainers"
    assert manifest["description"] and manifest["title"]


def test_everything_of_ours_is_in_it_and_indexed(ours: Path) -> None:
    contents = _contents(ours)
    assert next(iter(contents)) == "package/package.json"
    names = {f"package/{item['resourceType']}-{item['id']}.json" for item in profiles()}
    extra = {"package/package.json", "package/.index.json", "package/example/.index.json"}
    assert set(contents) == names | extra | {"package/example/Observation-one.json"}
    index = json.loads(contents["package/.index.json"])
    assert index["index-version"] == 1
    assert {f"package/{entry['filename']}" for entry in index["files"]} == names
    entry = next(entry for entry in index["files"] if entry["filename"] == "StructureDefinition-keta-observation.json")
    assert entry == {
        "filename": "StructureDefinition-keta-observation.json",
        "resourceType": "StructureDefinition",
        "id": "keta-observation",
        "url": "https://w3id.org/fhir-keta/StructureDefinition/keta-observation",
        "version": __version__,
        "kind": "resource",
        "type": "Observation",
    }


def test_what_is_published_is_valid_fhir() -> None:
    validator = Validator()
    found = {item["url"]: validator.check(item) for item in package.published()}
    assert {
        url: issues for url, issues in found.items() if any(one.severity in ("fatal", "error") for one in issues)
    } == {}


def test_definitions_have_snapshots_and_narratives_and_nothing_of_sdc_goes_along(ours: Path) -> None:
    for resource in package.read(ours):
        assert resource["text"]["status"] == "generated"
        assert resource["url"].startswith("https://w3id.org/fhir-keta/")
        if resource["resourceType"] == "StructureDefinition":
            assert resource["snapshot"]["element"][0]["path"] == resource["type"]
            assert resource["differential"]


def test_the_bytes_are_the_same_every_time(ours: Path, tmp_path: Path) -> None:
    package.build(tmp_path / "again.tgz", [ours.parent / "one.json"])
    assert (tmp_path / "again.tgz").read_bytes() == ours.read_bytes()
    assert ours.read_bytes()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # no name, no time, no system
    with tarfile.open(ours) as archive:
        assert {(item.mtime, item.uid, item.gid, item.uname, item.gname, item.mode) for item in archive} == {
            (0, 0, 0, "", "", 0o644)
        }


def test_examples_go_in_as_they_are_and_come_out_on_request(ours: Path) -> None:
    assert b"6.50" in _contents(ours)["package/example/Observation-one.json"]
    assert len(package.read(ours)) == len(profiles())
    assert [item["id"] for item in package.read(ours, examples=True) if item["resourceType"] == "Observation"] == [
        "one"
    ]


def test_an_example_that_is_no_resource_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(DefinitionError, match=r"x\.json is not a JSON object; correct it"):
        package.build(tmp_path / "x.tgz", [tmp_path / "x.json"])


# ---- reading what others wrote ----


def _packed(tmp_path: Path, *members: tuple[str | tarfile.TarInfo, bytes], manifest: object = MANIFEST) -> Path:
    file = tmp_path / "other.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name, data in (("package/package.json", json.dumps(manifest).encode()), *members):
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


PATIENT = b'\xef\xbb\xbf{"resourceType": "Patient", "id": "a"}'


def test_resources_are_read_from_the_package_folder(tmp_path: Path) -> None:
    other = b'{"resourceType": "Basic", "id": "b"}'
    file = _packed(
        tmp_path,
        ("./package/Patient-a.json", PATIENT),
        ("package/.index.json", b"[]"),
        ("package/openapi/x.json", b"[]"),
        ("package/notes.txt", b"hello"),
        ("package/examples/Basic-b.json", other),
    )
    assert package.read(file) == [{"resourceType": "Patient", "id": "a"}]
    assert [item["id"] for item in package.read(file, examples=True)] == ["a", "b"]


def _link(kind: bytes) -> Callable[[], tarfile.TarInfo]:
    def make() -> tarfile.TarInfo:
        member = tarfile.TarInfo("package/x.json")
        member.type, member.linkname = kind, "/etc/passwd"
        return member

    return make


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (lambda: tarfile.TarInfo("package/../../x.json"), "leaves the package"),
        (lambda: tarfile.TarInfo("../x.json"), "leaves the package"),
        (lambda: tarfile.TarInfo("/package/x.json"), "leaves the package"),
        (lambda: tarfile.TarInfo("package\\..\\x.json"), "leaves the package"),
        (lambda: tarfile.TarInfo("C:/x.json"), "leaves the package"),
        (_link(tarfile.SYMTYPE), "is a link or device"),
        (_link(tarfile.LNKTYPE), "is a link or device"),
        (_link(tarfile.FIFOTYPE), "is a link or device"),
        (_link(tarfile.CHRTYPE), "is a link or device"),
    ],
)
def test_unsafe_members_are_refused(tmp_path: Path, member: Callable[[], tarfile.TarInfo], message: str) -> None:
    with pytest.raises(DefinitionError, match=rf"other\.tgz holds .*{message}; give"):
        package.read(_packed(tmp_path, (member(), b"")))


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _packed(tmp_path, ("package/Patient-a.json", b" " * 5000))
    monkeypatch.setattr(package, "LARGEST_FILE", 4999)
    with pytest.raises(
        DefinitionError, match=r"package/Patient-a\.json in .* has 5,000 bytes, over 4,999; leave it out"
    ):
        package.read(file)
    monkeypatch.undo()
    monkeypatch.setattr(package, "LARGEST_PACKAGE", 6000)
    with pytest.raises(DefinitionError, match="unpacks to more than 6,000 bytes"):
        package.read(file)
    monkeypatch.undo()
    monkeypatch.setattr(package, "MOST_FILES", 1)
    with pytest.raises(DefinitionError, match="has more than 1 files"):
        package.read(file)


def test_a_header_that_claims_a_huge_name_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**33
    file = tmp_path / "huge.tgz"
    file.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(100_000)))
    monkeypatch.setattr(package, "LARGEST_PACKAGE", 50_000)
    with pytest.raises(DefinitionError, match="unpacks to more than 50,000 bytes"):
        package.read(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", r"cannot be read as a package \(.*\); give a FHIR package"),
        (gzip.compress(b"hello" * 1000), "cannot be read as a package"),
        (gzip.compress(b"hello" * 1000)[:-4], "cannot be read as a package"),
        (gzip.compress(bytes(10240)), r"has no package/package\.json"),
    ],
)
def test_what_is_no_package_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "no.tgz").write_bytes(content)
    with pytest.raises(DefinitionError, match=message):
        package.read(tmp_path / "no.tgz")
    with pytest.raises(DefinitionError, match=r"nothing\.tgz cannot be read"):
        package.read(tmp_path / "nothing.tgz")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "no resourceType"),
    ],
)
def test_members_that_are_no_resources_are_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(
        DefinitionError, match=rf"package/x\.json in .*other\.tgz {message}|package/x\.json .*{message}"
    ):
        package.read(_packed(tmp_path, ("package/x.json", data)))


def test_packages_for_other_versions_of_fhir_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"is for FHIR 5\.0\.0; give its edition for FHIR 4\.0\.1"):
        package.read(_packed(tmp_path, manifest={**MANIFEST, "fhirVersions": ["5.0.0"]}))
    assert package.read(_packed(tmp_path, manifest={**MANIFEST, "fhirVersions": ["5.0.0", "4.0.1"]})) == []
