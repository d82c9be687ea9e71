"""Secrets show nowhere: the command with every kind of login and every kind of failure, and all it leaves behind.

What it prints, what it logs at the finest level, every traceback with its causes, and every file it writes are searched
for the secrets, also in the forms they travel in. The servers do their worst: they repeat all that they were sent.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from fhir_keta.cli.main import main
from tests.servers.certificates import Authority, authority
from tests.servers.guarded import CONFIGURATION, TOKEN, Asked, Guarded, Said, basic, header
from tests.servers.token_endpoint import TokenEndpoint

PASSWORD = "correct horse: bättery"
BEARER = "xoxb.correct-horse_token"
API_KEY = "api key of the gateway"
EC_KEY = ec.generate_private_key(ec.SECP384R1())
RECORDS = [{"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "b"}]


@dataclass
class Login:
    """How one kind of login is given, what may not be shown of it, and who lets it in."""

    arguments: list[str]
    secrets: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    allowed: Callable[[Any], bool] = lambda headers: True
    tokens: TokenEndpoint | None = None
    clients: Authority | None = None
    name: str = ""

    def all_secrets(self, server: Guarded) -> set[str]:
        """The given ones, and those that came up on the way: access tokens and signed assertions."""
        tokens = self.tokens
        found = {*self.secrets}
        if tokens is not None:
            found |= {*tokens.issued, *(form.get("client_assertion", BEARER) for form in tokens.asked)}
        sent = (asked.headers.get("authorization", "").partition(" ")[2] for asked in server.asked)
        return {secret for secret in (*found, *sent) if secret}


def written(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return str(path)


def basic_login(folder: Path) -> Login:
    pair = b64encode(f"loader:{PASSWORD}".encode()).decode()
    file = written(folder / "password", PASSWORD)
    return Login(["--user", "loader", "--password-file", file], [PASSWORD, pair], allowed=basic("loader", PASSWORD))


def basic_of_environment(folder: Path) -> Login:
    login = basic_login(folder)
    login.arguments, login.variables = ["--user", "loader"], {"FHIR_KETA_PASSWORD": PASSWORD}
    return login


def bearer_login(folder: Path) -> Login:
    file = written(folder / "token", BEARER)
    return Login(["--token-file", file], [BEARER], allowed=header("Authorization", f"Bearer {BEARER}"))


def bearer_of_environment(folder: Path) -> Login:
    login = bearer_login(folder)
    login.arguments, login.variables = [], {"FHIR_KETA_TOKEN": BEARER}
    return login


def smart_login(folder: Path) -> Login:
    pem = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = written(folder / "key.pem", pem)
    tokens = TokenEndpoint("loader", {"ec-1": EC_KEY.public_key()})
    arguments = ["--client-id", "loader", "--client-key", file, "--client-key-id", "ec-1"]
    return Login(arguments, pem.splitlines()[1:-1], tokens=tokens)


def smart_with_jwk(folder: Path) -> Login:
    login = smart_login(folder)
    jwk = {**ECKey(EC_KEY, EC_KEY).as_dict(private=True), "kid": "ec-1"}
    login.arguments = ["--client-id", "loader", "--client-key", written(folder / "key.json", json.dumps(jwk))]
    login.secrets = [str(jwk["d"])]
    return login


def header_login(folder: Path) -> Login:
    file = written(folder / "headers", f"X-Api-Key: {API_KEY}\n")
    return Login(["--header-file", file], [API_KEY], allowed=header("X-Api-Key", API_KEY))


def certificate_login(folder: Path) -> Login:
    clients = authority(folder, "clients")
    files = clients.issue("loader")
    arguments = ["--certificate", str(files.certificate), "--certificate-key", str(files.key)]
    return Login(arguments, files.key.read_text().splitlines()[1:-1], clients=clients)


LOGINS = [
    basic_login,
    basic_of_environment,
    bearer_login,
    bearer_of_environment,
    smart_login,
    smart_with_jwk,
    header_login,
    certificate_login,
]


def repeated(asked: Asked) -> str:
    """All that a request says, as some servers and proxies put it into their errors."""
    return f"{asked.method} {asked.path} {dict(asked.headers)} {asked.body.decode(errors='replace')}"


def outcome_of(status: int, **headers: str) -> Callable[[Asked], Said]:
    def answer(asked: Asked) -> Said:
        problem = {"severity": "error", "code": "login", "diagnostics": repeated(asked)}
        same = {
            "severity": "error",
            "code": "login",
            "details": {"text": repeated(asked)},
            "expression": [repeated(asked)],
        }
        body = {"resourceType": "OperationOutcome", "issue": [problem, same], "error_description": repeated(asked)}
        return Said(status, json.dumps({**body, "error": repeated(asked)}).encode(), headers=headers)

    return answer


def credentials(asked: Asked) -> str:
    said = asked.headers.get("authorization", "").partition(" ")[2] or asked.headers.get("x-api-key", "")
    return said or parse_qs(asked.body.decode(errors="replace")).get("client_assertion", [""])[0]


def bundle_of(asked: Asked) -> bytes:
    """What a transaction of two is answered with, if both are refused one by one."""
    issue = {"severity": "error", "code": "login", "diagnostics": repeated(asked)}
    response = {"status": "401 Who?", "outcome": {"resourceType": "OperationOutcome", "issue": [issue]}}
    entries = [{"response": response}, {"response": response}]
    return json.dumps({"resourceType": "Bundle", "type": "transaction-response", "entry": entries}).encode()


def away(asked: Asked) -> Said:
    where = credentials(asked)
    return Said(307, headers={"Location": f"http://me:{where}@elsewhere.example/{where}?{where}#{where}"})


FAILURES: dict[str, Callable[[Asked], Said]] = {
    "401": outcome_of(401),
    "403": outcome_of(403),
    "404": outcome_of(404),
    "409": outcome_of(409),
    "422": outcome_of(422),
    "429": outcome_of(429, **{"Retry-After": "60"}),
    "500": outcome_of(500),
    "503": outcome_of(503),
    "504": outcome_of(504),
    "a 200 that is none": outcome_of(200),
    "a page": lambda asked: Said(500, repeated(asked).encode(), "text/html"),
    "a page with 200": lambda asked: Said(200, repeated(asked).encode(), f"text/{credentials(asked)}"),
    "a transaction that is none": lambda asked: Said(200, bundle_of(asked)),
    "a redirect": away,
}


@pytest.fixture(params=LOGINS, ids=lambda login: login.__name__)
def login(request: pytest.FixtureRequest, tmp_path: Path) -> Login:
    folder = tmp_path / "given"
    folder.mkdir()
    made: Login = request.param(folder)
    made.name = request.param.__name__
    return made


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    folder = tmp_path / "signer"
    folder.mkdir()
    return authority(folder)


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Path]:
    """An empty working directory, in which everything that is written is found; all loggers at their finest."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    with caplog.at_level(logging.DEBUG):
        yield folder


def run(server: str, login: Login, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["upload", "--server", server, *login.arguments, *arguments], env=login.variables)


def everything(result: Result, work: Path, caplog: pytest.LogCaptureFixture) -> str:
    """All that a run left behind, as one text."""
    parts = [result.output, caplog.text]
    if result.exception is not None:
        parts += traceback.format_exception(result.exception)
        parts.append(repr(result.exception))
    parts += [path.read_text(errors="replace") for path in work.rglob("*") if path.is_file()]
    return "\n".join(parts)


def hidden(secrets: set[str], text: str) -> None:
    assert secrets
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
            assert form not in text, text[max(0, text.index(form) - 300) : text.index(form)]


def guarded(
    login: Login, signer: Authority, answer: Callable[[Asked], Said | None] = lambda asked: None, *, tls: bool = False
) -> Guarded:
    context = signer.server(clients=login.clients) if tls or login.clients is not None else None
    return Guarded(login.allowed, tokens=login.tokens, tls=context, answer=answer)


def test_a_run_that_is_fine(
    login: Login, signer: Authority, work: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Plan, apply with a journal, and again. This shows that the login works, and that files were there to search."""
    records = written(tmp_path / "records.ndjson", "".join(json.dumps(each) + "\n" for each in RECORDS))
    with guarded(login, signer) as server:
        login.arguments += ["--ca", str(signer.file)]
        planned = run(server.url, login, "--plan", "plan.json", records)
        applied = run(server.url, login, "--apply", "plan.json", "--journal", "journal")
        again = run(server.url, login, records)
        removed = CliRunner().invoke(
            main,
            ["remove", "--server", server.url, *login.arguments, "--journal", "journal", "--yes"],
            env=login.variables,
        )
        for result in (planned, applied, again, removed):
            assert result.exit_code == 0, result.output
            hidden(login.all_secrets(server), everything(result, work, caplog))
        assert {path.name for path in work.rglob("*") if path.is_file()} >= {"plan.json", "journal"}


@pytest.mark.parametrize("when", ["at once", "on writing"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_server_that_repeats_what_it_refuses(
    login: Login,
    failure: str,
    when: str,
    signer: Authority,
    work: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    records = written(tmp_path / "records.ndjson", "".join(json.dumps(each) + "\n" for each in RECORDS))

    def answer(asked: Asked) -> Said | None:
        outside = asked.path in (CONFIGURATION, TOKEN)
        return None if outside or (when == "on writing" and asked.method == "GET") else FAILURES[failure](asked)

    with guarded(login, signer, answer) as server:
        arguments = ["--ca", str(signer.file), "--retry-budget", "0", "--journal", "journal", records]
        arguments += ["--batch-size", "2"] if "transaction" in failure else []
        # each failure in every format, with one login or another
        turn = list(FAILURES).index(failure) + [made.__name__ for made in LOGINS].index(login.name)
        result = run(server.url, login, "--format", ("text", "json", "junit")[turn % 3], *arguments)
        assert result.exit_code in (1, 3), result.output
        assert len(server.asked) > 0
        hidden(login.all_secrets(server), everything(result, work, caplog))


@pytest.mark.parametrize("path", [CONFIGURATION, TOKEN])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_token_endpoint_that_repeats_what_it_refuses(
    failure: str, path: str, signer: Authority, work: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    login = smart_login(tmp_path)
    with guarded(login, signer, lambda asked: FAILURES[failure](asked) if asked.path == path else None) as server:
        result = run(server.url, login, "--retry-budget", "0")
        assert result.exit_code == 3, result.output
        sent = {asked.body.decode().partition("client_assertion=")[2] for asked in server.asked if asked.body}
        assert bool(sent) is (path == TOKEN)
        hidden(login.all_secrets(server) | sent, everything(result, work, caplog))


@pytest.mark.parametrize(
    "trouble", ["nobody listens", "no TLS there", "unknown certificate", "a proxy", "a fault of ours"]
)
def test_what_goes_wrong_on_the_way(
    login: Login,
    trouble: str,
    signer: Authority,
    work: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    more: list[str] = []
    with guarded(login, signer, tls=trouble == "unknown certificate") as server:
        address = server.url
        if trouble == "nobody listens":
            address = "http://127.0.0.1:9/fhir"
        elif trouble == "no TLS there":
            address = address.replace("http:", "https:")
        elif trouble == "a proxy":
            monkeypatch.setattr("fhir_keta.server.transport._LOOPBACK", re.compile("no host"))
            for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(name, "http://someone:proxy-secret@127.0.0.1:9")
            for name in ("no_proxy", "NO_PROXY"):
                monkeypatch.delenv(name, raising=False)
            login.secrets.append("proxy-secret")
        elif trouble == "a fault of ours":
            monkeypatch.setattr("fhir_keta.server.plan.preflight", faulty)
            more = ["--ca", str(signer.file)]
        result = run(address, login, *more)
        assert result.exit_code == 3, result.output
        secrets = login.all_secrets(server) | {"proxy-secret"}
        text = everything(result, work, caplog) if trouble != "a fault of ours" else result.output + caplog.text
        hidden(secrets, text)


def faulty(client: Any) -> None:
    """A fault whose text has the credentials in it: the command does not print the text of faults."""
    raise RuntimeError(f"{client._transport.secrets()}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--token", BEARER],
        ["--password", BEARER],
        [f"--token={BEARER}"],
        ["--token-file", BEARER],
        ["--password-file", BEARER, "--user", "loader"],
        ["--client-id", "loader", "--client-key", BEARER],
        ["--certificate", BEARER],
        ["--header-file", BEARER],
        ["--ca", BEARER],
        ["--server", f"https://loader:{BEARER}@fhir.example/r4"],
        ["--server", f"https://loader:{BEARER}@fhir.example:x/r4"],
        ["--server", f"loader:{BEARER}@fhir.example/r4"],
        ["--server", f"https://fhir.example/r4?access_token={BEARER}"],
        ["--token-endpoint", f"https://a:{BEARER}@b.example/", "--client-id", "c", "--client-key", __file__],
    ],
)
def test_a_secret_where_it_does_not_belong_is_not_repeated(
    arguments: list[str], work: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = [] if "--server" in arguments else ["--server", "https://fhir.example/r4"]
    result = CliRunner().invoke(main, ["upload", *server, *arguments])
    assert result.exit_code == 2
    hidden({BEARER}, everything(result, work, caplog))


def test_a_secret_that_is_typed_is_not_echoed(
    monkeypatch: pytest.MonkeyPatch, work: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    records = written(tmp_path / "records.ndjson", json.dumps(RECORDS[0]))
    monkeypatch.setattr("fhir_keta.cli.server_options._somebody_is_there", lambda: True)
    for arguments, typed, allowed in (
        (["--ask-token"], BEARER, header("Authorization", f"Bearer {BEARER}")),
        (["--user", "loader"], PASSWORD, basic("loader", PASSWORD)),
    ):
        with Guarded(allowed) as server:
            command = ["upload", "--server", server.url, *arguments, records]
            result = CliRunner().invoke(main, command, input=f"{typed}\n")
            assert result.exit_code == 0, result.output
            hidden({typed}, everything(result, work, caplog))
    result = CliRunner().invoke(main, ["upload", "--server", "https://fhir.example/r4", "--ask-token"], input="a b\n")
    assert result.exit_code == 2
    assert "no token has" in result.stderr
