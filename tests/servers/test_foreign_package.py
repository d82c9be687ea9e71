"""FHIR packages that HL7 published, as they come in a library of HAPI: read and loaded like anybody's."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_keta.cli.main import main
from fhir_keta.server.packages import choose
from fhir_keta.server.sandbox import Sandbox
from tests import java
from tests.conftest import require
from tests.servers.hapi import PROJECT
from tests.servers.wire import Wire

TERMINOLOGY = "hl7.terminology-5.1.0.tgz"  # for R4, though it travels with R5's definitions
EXTENSIONS = "hl7.fhir.uv.extensions.r5-1.0.0.tgz"
DEFINING = {"CodeSystem", "NamingSystem", "StructureDefinition", "ValueSet"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages."""
    require(java.missing())
    java.build(PROJECT)
    folder = tmp_path_factory.mktemp("packages")
    (library,) = (PROJECT / "target" / "lib").glob("hapi-fhir-validation-resources-r5-*.jar")
    with zipfile.ZipFile(library) as archive:
        for name in (TERMINOLOGY, EXTENSIONS):
            (folder / name).write_bytes(archive.read(f"org/hl7/fhir/r5/packages/{name}"))
    return folder


@pytest.fixture(scope="module")
def types(packages: Path) -> Counter[str]:
    """How many resources of each type the main folder of the terminology package has, counted here."""
    found: Counter[str] = Counter()
    with tarfile.open(packages / TERMINOLOGY) as archive:
        for member in archive:
            folder, _, name = member.name.rpartition("/")
            if folder == "package" and name.endswith(".json") and name not in (".index.json", "package.json"):
                content = archive.extractfile(member)
                assert content is not None
                found[json.load(io.TextIOWrapper(content, encoding="utf-8"))["resourceType"]] += 1
    return found


def test_its_definitions_are_chosen(packages: Path, types: Counter[str]) -> None:
    chosen = choose(packages / TERMINOLOGY)
    loaded = Counter(json.loads(record.data)["resourceType"] for record in chosen.records)
    assert loaded == {kind: types[kind] for kind in DEFINING}
    assert loaded.total() > 4000
    assert set(types) - DEFINING == {"Bundle", "List", "ImplementationGuide"}
    assert [remark.split(":")[0] for remark in chosen.remarks] == [
        f"its examples are left out ({types['List']} List)",
        f"its Bundles that are no documents or messages are left out ({types['Bundle']})",
        "ImplementationGuide/hl7.terminology is left out, because it lists resources that are left out.",
    ]


def test_a_package_for_another_version_of_fhir_is_refused(packages: Path) -> None:
    result = CliRunner().invoke(main, ["upload", "--server", "http://127.0.0.1:9", str(packages / EXTENSIONS)])
    assert result.exit_code == 2
    assert f"{EXTENSIONS} is for FHIR 5.0.0; give its edition for FHIR 4.0.1" in result.stderr


def test_it_is_loaded_completely(packages: Path, types: Counter[str]) -> None:
    with Sandbox() as sandbox:
        result = CliRunner().invoke(main, ["upload", "--server", sandbox.url, str(packages / TERMINOLOGY)])
        assert result.exit_code == 0, result.stderr
        server = Wire(sandbox.url)
        stored = {kind: server.get(f"{kind}?_summary=count")["total"] for kind in (*DEFINING, "ImplementationGuide")}
        server.close()
    assert stored == {kind: types[kind] for kind in DEFINING} | {"ImplementationGuide": 0}
