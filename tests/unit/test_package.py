"""Any FHIR package is read with care."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_keta.definitions import package
from fhir_keta.errors import DefinitionError

MANIFEST = {"name": "org.example.some", "version": "1.0.0", "fhirVersions": ["4.0.1"]}


def _packed(tmp_path: Path, *members: tuple[str | tarfile.TarInfo, bytes], manifest: object = MANIFEST) -> Path:
    file = tmp_path / "other.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name, data in (("package/package.json", json.dumps(manifest).encode()), *members):
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


PATIENT = b'{"resourceType": "Patient", "id": "a", "multipleBirthInteger": 1.0}'
BASIC = b'{"resourceType": "Basic", "id": "b"}'


def test_resources_are_those_of_the_package_folder_and_of_folders_of_examples(tmp_path: Path) -> None:
    file = _packed(
        tmp_path,
        ("./package/Patient-a.json", b"\xef\xbb\xbf" + PATIENT),
        ("package/.index.json", b"[]"),
        ("package/._Patient-a.json", b"\0\5\x16\7"),
        ("package/openapi/x.json", b"[]"),
        ("package/xml/StructureDefinition-x.sch", b"<schema/>"),
        ("package/other/validation-oo.json", BASIC),
        ("other/spec.json", BASIC),
        ("package/notes.txt", b"hello"),
        ("package/example/Basic-b.json", BASIC),
        ("package/examples/Basic-b.json", BASIC),
        ("example/Basic-b.json", BASIC),
    )
    read = package.read(file)
    assert [(each.name, each.resource["id"], each.example) for each in read.members] == [
        ("package/Patient-a.json", "a", False),
        ("package/example/Basic-b.json", "b", True),
        ("package/examples/Basic-b.json", "b", True),
        ("example/Basic-b.json", "b", True),
    ]
    assert read.members[0].data == PATIENT  # byte for byte, so that 1.0 stays 1.0
    assert (read.name, read.version, read.passed_over) == ("org.example.some", "1.0.0", ())


def test_what_a_package_depends_on(tmp_path: Path) -> None:
    needed = {"hl7.fhir.r4.core": "4.0.1", "hl7.terminology.r4": "5.1.0"}
    assert package.read(_packed(tmp_path, manifest={**MANIFEST, "dependencies": needed})).dependencies == needed
    assert package.read(_packed(tmp_path, manifest={**MANIFEST, "dependencies": None})).dependencies == {}


def test_a_file_that_is_no_resource_is_named_not_refused(tmp_path: Path) -> None:
    # "Packages may contain additional [...] files but their use is not defined by this specification"
    read = package.read(_packed(tmp_path, ("package/usage-stats.json", b'{"count": 3}'), ("package/a.json", PATIENT)))
    assert read.passed_over == ("package/usage-stats.json",)
    assert [each.name for each in read.members] == ["package/a.json"]


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
    ],
)
def test_members_that_are_no_objects_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(
        DefinitionError, match=rf"package/x\.json in .*other\.tgz {message}|package/x\.json .*{message}"
    ):
        package.read(_packed(tmp_path, ("package/x.json", data)))


def test_packages_for_other_versions_of_fhir_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"is for FHIR 5\.0\.0; give its edition for FHIR 4\.0\.1"):
        package.read(_packed(tmp_path, manifest={**MANIFEST, "fhirVersions": ["5.0.0"]}))
    assert package.read(_packed(tmp_path, manifest={**MANIFEST, "fhirVersions": ["5.0.0", "4.0.1"]})).members == ()
    with pytest.raises(DefinitionError, match=r"is for FHIR 3\.0\.2; give"):
        package.read(_packed(tmp_path, manifest={"name": "old", "version": "1", "fhir-version-list": ["3.0.2"]}))
    with pytest.raises(DefinitionError, match=r"is for FHIR 5\.0\.0; give"):
        package.read(_packed(tmp_path, manifest={**MANIFEST, "fhirVersions": "5.0.0"}))
