"""docs/loading-behind-oauth.md: every command block, run as it stands there, against a server that wants that login."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.jwk import KeySet

from fhir_keta.cli.server_options import server_options
from fhir_keta.definitions.library import profiles
from fhir_keta.server.settings_file import KEYS
from tests.conftest import require
from tests.servers.certificates import authority
from tests.servers.guarded import Guarded, basic, header
from tests.servers.token_endpoint import TokenEndpoint

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "loading-behind-oauth.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
BLOCKS = {title: re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for title, text in SECTIONS.items()}
SMART = "SMART Backend Services"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def run(block: str, server: Guarded) -> None:
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "SERVER": server.url}
    command = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def stored(server: Guarded) -> int:
    """How many definitions the server has, each written once."""
    written = [asked for asked in server.asked if asked.method in ("PUT", "POST") and asked.path.startswith("/fhir")]
    return len(written)


def test_smart(folder: Path) -> None:
    """What is registered at the token endpoint is what the page makes: the key in PEM, and the JWKS."""
    require(None if shutil.which("openssl") else "openssl not found: apt-get install openssl")
    key, jwks, *uploads = BLOCKS[SMART]
    with Guarded(tokens=TokenEndpoint("keta-loader", {})) as server:
        run(key, server)
        run(jwks, server)
        assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
        public = load_pem_public_key((folder / "public.pem").read_bytes())
        assert isinstance(public, EllipticCurvePublicKey)
        registered = json.loads((folder / "jwks.json").read_text())
        (only,) = KeySet.import_key_set(registered).keys
        assert (only.is_private, "d" in registered["keys"][0]) == (False, False)
        assert only.raw_value == public
        assert server.tokens is not None
        assert only.kid is not None
        server.tokens.keys[only.kid] = public
        for block in uploads:
            run(block, server)
        assert server.tokens.refused == []
        assert stored(server) == len(list(profiles()))


@pytest.fixture
def others(folder: Path) -> Iterator[Callable[[str], Guarded]]:
    """The server of a section: it wants that login, and nothing else will do. The files of the page are there."""
    (folder / "token").write_text("a-token\n")
    (folder / "password").write_text("a password\n")
    (folder / "headers").write_text("X-Api-Key: a key\n")
    signer = authority(folder, "ca")
    signer.issue("loader")
    wanted: dict[str, Callable[[], Guarded]] = {
        "Bearer token": lambda: Guarded(header("Authorization", "Bearer a-token")),
        "User and password": lambda: Guarded(basic("loader", "a password")),
        "Client certificate": lambda: Guarded(tls=signer.server(clients=signer)),
        "Headers for a gateway": lambda: Guarded(header("X-Api-Key", "a key")),
    }
    with ExitStack() as running:
        yield lambda title: running.enter_context(wanted[title]())


@pytest.mark.parametrize("title", [title for title, blocks in BLOCKS.items() if blocks and title != SMART])
def test_other_logins(title: str, others: Callable[[str], Guarded]) -> None:
    server = others(title)
    for block in BLOCKS[title]:
        run(block, server)
    assert stored(server) == len(list(profiles()))


def test_no_block_is_left_out() -> None:
    assert sum(map(len, BLOCKS.values())) == PAGE.count("```") / 2


def test_the_table_has_every_setting() -> None:
    """Its columns are what the command, the environment and the file take."""

    @server_options
    def command() -> None:
        pass

    options = {parameter.opts[0]: parameter.envvar for parameter in command.__click_params__}  # type: ignore[attr-defined]
    rows = re.findall(r"^\| (?:`(--.+?)` )?\| (?:`(FHIR_.+?)` )?\| (?:`(.+?)`.* )?\|$", PAGE, re.MULTILINE)
    assert {flag: variable for flag, variable, _ in rows if flag} == options
    assert {variable for flag, variable, _ in rows if not flag} == {"FHIR_KETA_PASSWORD", "FHIR_KETA_TOKEN"}
    assert sorted(key for _, _, key in rows if key) == sorted(KEYS)
