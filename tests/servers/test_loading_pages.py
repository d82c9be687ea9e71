"""The pages on loading into a server, run as they stand, block after block, against that server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from joserfc.jwk import ECKey

from fhir_keta import __version__
from fhir_keta.cli.main import main
from fhir_keta.definitions.package_build import FILE_NAME, NAME
from tests import pages
from tests.pages import ROOT
from tests.servers.guarded import Guarded, basic
from tests.servers.test_package import INSTALLABLE
from tests.servers.token_endpoint import TokenEndpoint
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


def test_loading_behind_oauth(tmp_path: Path) -> None:
    tokens = TokenEndpoint("loader", {})
    (tmp_path / "token.txt").write_text("given-by-hand\n")
    (tmp_path / "password.txt").write_text("secret\n")
    with Guarded(tokens=tokens) as server:
        password = basic("loader", "secret")
        server.allowed = lambda headers: (
            tokens.accepts(headers.get("authorization"))
            or headers.get("authorization") == "Bearer given-by-hand"
            or password(headers)
        )
        (settings,) = pages.blocks(DOCS / "loading-behind-oauth.md", "toml")
        url = '"https://fhir.example.org/fhir"'
        assert url in settings
        (tmp_path / "fhir-keta.toml").write_text(settings.replace(url, json.dumps(server.url)))
        steps = follow("loading-behind-oauth.md", tmp_path, SERVER=server.url)
        next(steps)
        (public,) = json.loads((tmp_path / "loader.jwks.json").read_text())["keys"]
        assert "d" not in public
        key = ECKey.import_key(public).public_key
        assert isinstance(key, EllipticCurvePublicKey)
        tokens.keys[public["kid"]] = key  # as its administrator does
        by_name, by_flags, by_token, by_password = steps
    assert tokens.issued and not tokens.refused
    assert "791 created." in by_name
    for said in (by_flags, by_token, by_password):
        assert "65 unchanged." in said


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
    assert f'follow("{page}"' in Path(__file__).read_text()
