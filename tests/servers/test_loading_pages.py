"""The pages on loading into a server, run as they stand, block after block, against that server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_keta import __version__
from fhir_keta.cli.main import main
from fhir_keta.definitions.package_build import FILE_NAME, NAME
from tests import pages
from tests.pages import ROOT
from tests.servers.test_package import INSTALLABLE
from tests.servers.wire import name

DOCS = ROOT / "docs"


def follow(page: str, folder: Path, **variables: str) -> Iterator[str]:
    """Run the page's commands, a block at each step, in a folder that has the examples; gives what was said."""
    pages.like_a_clone(folder)
    for block in pages.blocks(DOCS / page, "sh"):
        done = pages.run(block, folder, pages.environment(**variables))
        assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr}"
        yield done.stderr


def test_loading_into_hapi(hapi: str, tmp_path: Path) -> None:
    said = list(follow("loading-into-hapi.md", tmp_path, SERVER=hapi))
    assert "created" in said[1] or "unchanged" in said[1]
    assert (tmp_path / "packages" / FILE_NAME).is_file()
    assert '<testsuite name="fhir-keta upload"' in (tmp_path / "upload.xml").read_text()


def test_what_hapi_stores_otherwise_than_sent_is_reported_as_altered(hapi: str, tmp_path: Path) -> None:
    identity = name("operation")
    operation = {
        "resourceType": "OperationDefinition",
        "id": identity,
        "url": f"https://w3id.org/fhir-keta/test/{identity}",
        "name": "Test",
        "status": "draft",
        "kind": "operation",
        "code": "test",
        "system": False,
        "type": True,
        "instance": False,
        "resource": "Task",  # a list in FHIR; packages that gematik published have it so
    }
    (tmp_path / "operation.json").write_text(json.dumps(operation))
    result = CliRunner().invoke(main, ["upload", "--server", hapi, str(tmp_path)])
    assert result.exit_code == 1
    assert f"OperationDefinition/{identity} altered (HTTP 201)" in result.stderr
    assert "the server gives back something else: OperationDefinition.resource" in result.stderr


def test_loading_into_medplum(medplum: str, tmp_path: Path) -> None:
    definitions, records = follow("loading-into-medplum.md", tmp_path, SERVER=f"{medplum}/own-ids")
    assert "65 unchanged." in definitions.splitlines()[-1]
    assert re.search(r"done: 791 unchanged\.", records)


def test_the_page_tells_hapis_installer_what_the_tests_tell_it() -> None:
    (settings,) = pages.blocks(DOCS / "loading-into-hapi.md", "yaml")
    said = dict(re.findall(r"^ +(\w+): (\S+)$", settings, re.MULTILINE))
    assert said.pop("packageUrl") == f"file:///packages/{FILE_NAME}"
    assert said == {
        "name": NAME,
        "version": __version__,
        "fetchDependencies": "false",
        "installMode": "STORE_AND_INSTALL",
    }
    assert re.findall(r"- (\w+)", settings) == INSTALLABLE


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("loading-*.md")))
def test_each_page_is_linked_and_run(page: str) -> None:
    assert f"(docs/{page})" in (ROOT / "README.md").read_text()
    own = ROOT / "tests" / "acceptance" / f"test_{page.removesuffix('.md').replace('-', '_')}.py"
    assert own.exists() or f'follow("{page}"' in Path(__file__).read_text()
