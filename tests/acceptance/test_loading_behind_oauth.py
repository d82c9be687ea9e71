"""docs/loading-behind-oauth.md: every command block, run as it stands there, against a server that wants that login."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from joserfc.jwk import ECKey

from fhir_keta.cli.server_options import server_options
from fhir_keta.server.settings_file import KEYS
from tests import pages
from tests.conftest import require
from tests.servers.certificates import authority
from tests.servers.guarded import Guarded, basic, header
from tests.servers.token_endpoint import TokenEndpoint

PAGE = (pages.ROOT / "docs" / "loading-behind-oauth.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
BLOCKS = {title: re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for title, text in SECTIONS.items()}
SMART = "SMART Backend Services"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return pages.like_a_clone(tmp_path)


def run(block: str, folder: Path, server: Guarded) -> str:
    """What the block says on standard error."""
    done = pages.run(block, folder, pages.environment(SERVER=server.url))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def test_smart(folder: Path) -> None:
    """The key set that the page makes is what is registered at the token endpoint; nothing else is let in."""
    require(None if shutil.which("openssl") else "openssl not found: apt-get install openssl")
    (settings,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    key, by_name, by_flags = BLOCKS[SMART]
    tokens = TokenEndpoint("loader", {})
    with Guarded(tokens=tokens) as server:
        url = '"https://fhir.example.org/fhir"'
        assert url in settings
        (folder / "fhir-keta.toml").write_text(settings.replace(url, json.dumps(server.url)))
        run(key, folder, server)
        assert stat.S_IMODE((folder / "loader.pem").stat().st_mode) == 0o600
        (public,) = json.loads((folder / "loader.jwks.json").read_text())["keys"]
        assert "d" not in public
        registered = ECKey.import_key(public).public_key
        assert isinstance(registered, EllipticCurvePublicKey)
        tokens.keys[public["kid"]] = registered
        assert "791 created." in run(by_name, folder, server)
        assert "65 unchanged." in run(by_flags, folder, server)
    assert tokens.issued
    assert tokens.refused == []


@pytest.fixture
def others(folder: Path) -> Iterator[Callable[[str], Guarded]]:
    """The server of a section: it wants that login, and nothing else will do. The files of the page are there."""
    (folder / "token.txt").write_text("a-token\n")
    (folder / "password.txt").write_text("a password\n")
    (folder / "headers.txt").write_text("X-Api-Key: a key\n")
    signer = authority(folder, "ca")
    signer.issue("loader")
    wanted: dict[str, Callable[[], Guarded]] = {
        "A bearer token": lambda: Guarded(header("Authorization", "Bearer a-token")),
        "A user and a password": lambda: Guarded(basic("loader", "a password")),
        "A client certificate": lambda: Guarded(tls=signer.server(clients=signer)),
        "Headers for a gateway": lambda: Guarded(header("X-Api-Key", "a key")),
    }
    with ExitStack() as running:
        yield lambda title: running.enter_context(wanted[title]())


@pytest.mark.parametrize("title", [title for title, blocks in BLOCKS.items() if blocks and title != SMART])
def test_other_logins(title: str, folder: Path, others: Callable[[str], Guarded]) -> None:
    server = others(title)
    (block,) = BLOCKS[title]
    assert "65 created." in run(block, folder, server)


def test_no_block_is_left_out() -> None:
    assert sum(map(len, BLOCKS.values())) + 1 == PAGE.count("```") / 2  # and the settings file


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
