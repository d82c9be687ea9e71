"""The REST client against servers that misbehave: one line each, and the server's own words."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from fhir_keta.errors import ServerError, UsageError
from fhir_keta.server.capability import preflight
from fhir_keta.server.client import Client, Interrupted, Refused, Unavailable, outcome_text, version_of

OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [
        {"severity": "warning", "code": "invariant", "diagnostics": "only a warning"},
        {"severity": "error", "code": "invalid", "diagnostics": "status  is\nmissing", "expression": ["Patient.x"]},
        {"severity": "error", "code": "invalid", "details": {"text": "no such code"}},
    ],
}
R4 = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "Test"},
    "rest": [
        {"mode": "server", "resource": [{"type": "Patient", "interaction": [{"code": "read"}]}, {"type": "Flag"}]}
    ],
}


class Answers:
    """What the test server is to answer, and what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/fhir+json"}
        self.body: bytes = b"{}"
        self.cut = False
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""

    def say(self, status: int, resource: Any, **headers: str) -> None:
        self.status, self.body = status, json.dumps(resource).encode()
        self.headers |= {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def answers() -> Iterator[Answers]:
    given = Answers()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            given.asked.append((self.command, self.path, dict(self.headers.items())))
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if given.cut:
                self.close_connection = True
                return
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        given.url = f"http://127.0.0.1:{server.server_address[1]}/fhir"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield given
        server.shutdown()
        thread.join()


@pytest.fixture
def client(answers: Answers) -> Iterator[Client]:
    with Client(answers.url, timeout=5) as opened:
        yield opened


def one_line(error: pytest.ExceptionInfo[BaseException]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_refusal_says_what_the_server_says(answers: Answers, client: Client) -> None:
    answers.say(422, OUTCOME)
    with pytest.raises(Refused) as refused:
        client.update("Patient", "a", b"{}")
    assert str(refused.value) == "Patient.x: status is missing; no such code"
    assert (refused.value.status, refused.value.outcome, refused.value.exit_code) == (422, OUTCOME, 1)


def test_a_refusal_without_words_names_the_request(answers: Answers, client: Client) -> None:
    answers.status, answers.body, answers.headers["Content-Type"] = 500, b"<h1>Oops</h1>", "text/html"
    with pytest.raises(Refused, match=r"PUT /fhir/Patient/a was refused without a reason \(HTTP 500\)"):
        client.update("Patient", "a", b"{}")


@pytest.mark.parametrize(
    ("status", "write"), [(429, Unavailable), (503, Unavailable), (502, Interrupted), (504, Interrupted)]
)
def test_a_server_that_cannot_now_is_not_a_refusal(
    answers: Answers, client: Client, status: int, write: type[ServerError]
) -> None:
    """A gateway that gives up (502, 504) leaves open whether a write was carried out."""
    answers.say(status, {})
    with pytest.raises(write, match=str(status)) as error:
        client.update("Patient", "a", b"{}")
    one_line(error)
    with pytest.raises(Unavailable, match=str(status)):
        client.read("Patient", "a")


def test_a_write_answered_with_something_else_is_of_unknown_outcome(answers: Answers, client: Client) -> None:
    answers.say(200, R4)
    with pytest.raises(Interrupted, match="answered a transaction with something else"):
        client.transaction(b"{}")
    answers.headers["Content-Type"] = "text/html"
    with pytest.raises(Interrupted, match="not FHIR JSON"):
        client.update("Patient", "a", b"{}")


def test_refused_credentials_end_the_run(answers: Answers, client: Client) -> None:
    answers.say(401, OUTCOME)
    with pytest.raises(ServerError, match=r"wants credentials \(HTTP 401\): .*no such code\.") as error:
        client.update("Patient", "a", b"{}")
    assert error.value.exit_code == 3


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>Welcome</html>"),
        ("application/fhir+xml", b"<Patient/>"),
        ("application/json", b'{"hello": 1}'),
        ("application/json", b"[]"),
        ("application/fhir+json", b'{"resourceType":"Pat'),
    ],
)
def test_what_is_not_fhir_is_one_line(answers: Answers, client: Client, kind: str, body: bytes) -> None:
    answers.headers["Content-Type"], answers.body = kind, body
    with pytest.raises(ServerError, match=f"answered with {kind.replace('+', '.')}") as error:
        client.capabilities()
    assert "base URL" in one_line(error)


def test_no_redirect_is_followed(answers: Answers, client: Client) -> None:
    answers.say(307, {}, Location="http://elsewhere.example/fhir/metadata?secret=1")
    with pytest.raises(ServerError, match=r"redirects to http://elsewhere\.example/fhir/metadata ") as error:
        client.capabilities()
    assert "secret" not in one_line(error)
    assert len(answers.asked) == 1


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}/fhir") as client,
        pytest.raises(ServerError, match="cannot be reached") as error,
    ):
        client.capabilities()
    one_line(error)


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Client("http://nowhere.invalid/fhir") as client, pytest.raises(ServerError, match="not known") as error:
        client.capabilities()
    one_line(error)


def test_tls_where_there_is_none(answers: Answers) -> None:
    with (
        Client(answers.url.replace("http:", "https:")) as client,
        pytest.raises(ServerError, match=r"does not speak TLS. Give its address with http instead") as error,
    ):
        client.capabilities()
    one_line(error)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl not found: apt-get install openssl")
def test_a_certificate_that_nobody_signed(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/fhir"

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

        thread = Thread(target=serve)
        thread.start()
        with Client(url, timeout=5) as client, pytest.raises(ServerError) as error:
            client.capabilities()
        thread.join()
    assert "certificate of 127.0.0.1 is not accepted (self-signed certificate). Have it corrected" in one_line(error)


def test_no_metadata_at_all(answers: Answers, client: Client) -> None:
    answers.status, answers.body, answers.headers["Content-Type"] = 404, b"<h1>Not here</h1>", "text/html"
    with pytest.raises(ServerError, match=r"/metadata does not exist \(HTTP 404\)") as error:
        client.capabilities()
    assert "Give the FHIR base URL" in one_line(error)
    answers.say(403, OUTCOME, Content_Type="application/fhir+json")
    with pytest.raises(ServerError, match=r"It says: .*no such code"):
        client.capabilities()


def test_a_cut_write_is_of_unknown_outcome_a_cut_read_is_not(answers: Answers, client: Client) -> None:
    answers.cut = True
    with pytest.raises(Interrupted, match="broke the connection off"):
        client.update("Patient", "a", b"{}")
    with pytest.raises(ServerError) as error:
        client.read("Patient", "a")
    assert not isinstance(error.value, Interrupted)
    one_line(error)


def test_a_server_that_never_answers_ends_with_the_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/fhir"
        with Client(url, timeout=0.2) as client, pytest.raises(Interrupted, match=r"within 0\.2 s"):
            client.update("Patient", "a", b"{}")


def test_headers_of_a_write(answers: Answers, client: Client) -> None:
    answers.say(201, R4, ETag='W/"3"', Location=f"{answers.url}/Patient/a/_history/3")
    answer = client.update("Patient", "a", b"{}", version="2")
    method, path, headers = answers.asked[0]
    assert (method, path) == ("PUT", "/fhir/Patient/a")
    assert headers["Content-Type"] == headers["Accept"] == "application/fhir+json"
    assert (headers["If-Match"], headers["Cache-Control"]) == ('W/"2"', "no-cache")
    assert "Authorization" not in headers
    assert (answer.status, answer.version, answer.id) == (201, "3", "a")


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_what_is_gone_is_deleted(answers: Answers, client: Client, status: int) -> None:
    answers.say(status, OUTCOME)
    answers.body = b"" if status == 204 else answers.body
    assert client.delete("Patient", "a", version="3").status == status
    method, path, headers = answers.asked[0]
    assert (method, path, headers["If-Match"]) == ("DELETE", "/fhir/Patient/a", 'W/"3"')


def test_a_delete_may_be_refused(answers: Answers, client: Client) -> None:
    answers.say(409, OUTCOME)
    with pytest.raises(Refused, match="no such code"):
        client.delete("Patient", "a")
    assert "If-Match" not in answers.asked[0][2]


def test_own_headers_do_not_replace_those_of_fhir(answers: Answers) -> None:
    answers.say(200, R4)
    with Client(answers.url, headers={"X-Api-Key": "key", "Accept": "text/html"}) as client:
        client.capabilities()
    headers = answers.asked[0][2]
    assert (headers["X-Api-Key"], headers["Accept"]) == ("key", "application/fhir+json")


def test_netrc_is_not_picked_up(
    answers: Answers, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr("fhir_keta.server.transport._LOOPBACK", re.compile("no host"))
    answers.say(200, R4)
    client.read("Patient", "a")
    assert "Authorization" not in answers.asked[0][2]


def test_a_proxy_is_not_asked_for_loopback(answers: Answers, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    answers.say(200, R4)
    assert client.read("Patient", "a") == R4


def test_an_unreachable_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Client("http://server.example/fhir") as client, pytest.raises(ServerError, match="proxy") as error:
        client.capabilities()
    one_line(error)


@pytest.mark.parametrize(
    "url",
    ["localhost:8080/fhir", "ftp://host/fhir", "http://", "", "http://host:99999/", "http://h/f?x=1", "http://h/#f"],
)
def test_what_is_not_a_base_url(url: str) -> None:
    with pytest.raises(UsageError):
        Client(url)


def test_credentials_in_the_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as error:
        Client("https://someone:secret@host/fhir")
    assert "secret" not in str(error.value)


def test_pages_are_followed_on_the_same_server_only(answers: Answers, client: Client) -> None:
    def page(*links: str) -> dict[str, Any]:
        entry = [{"resource": {"resourceType": "Patient"}}, {"resource": {}, "search": {"mode": "outcome"}}]
        return {
            "resourceType": "Bundle",
            "entry": entry,
            "link": [{"relation": "self", "url": "x"}, *({"relation": "next", "url": url} for url in links)],
        }

    answers.say(200, page(f"{answers.url}?_getpages=1"))
    found = client.search("Patient", {"_id": "a,b"})
    assert [next(found), next(found)] == [{"resourceType": "Patient"}] * 2
    assert [path for _, path, _ in answers.asked] == ["/fhir/Patient?_id=a%2Cb", "/fhir?_getpages=1"]
    assert list(found) == []  # the same link again would never end
    for elsewhere in ("http://other.example/fhir?_getpages=2", answers.url + "x/Patient", "//other.example/fhir"):
        answers.say(200, page(elsewhere))
        with pytest.raises(ServerError, match="continues its search results at"):
            list(client.search("Patient", {}))


def test_validate_gives_the_outcome_of_any_status(answers: Answers, client: Client) -> None:
    for status in (200, 422):
        answers.say(status, OUTCOME)
        assert client.validate("Patient", b"{}", profile="http://p")["issue"] == OUTCOME["issue"]
    answers.say(404, OUTCOME)
    with pytest.raises(Refused):
        client.validate("Patient", b"{}")


def test_preflight_reads_what_the_server_stores(answers: Answers, client: Client) -> None:
    answers.say(200, R4)
    capability = preflight(client)
    assert capability.software == "Test"
    assert [capability.stores(kind) for kind in ("Patient", "Flag", "Observation")] == [False, True, False]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({**R4, "fhirVersion": "5.0.0"}, r"speaks FHIR 5\.0\.0; the definitions are R4"),
        ({**R4, "fhirVersion": "3.0.2"}, r"speaks FHIR 3\.0\.2"),
        ({"resourceType": "CapabilityStatement"}, "speaks FHIR of an unnamed version"),
        ({**R4, "rest": []}, "offers no resource types"),
        ({"resourceType": "Patient"}, "is not a CapabilityStatement"),
    ],
)
def test_preflight_refuses_what_is_not_r4(answers: Answers, client: Client, statement: Any, said: str) -> None:
    answers.say(200, statement)
    with pytest.raises(ServerError, match=said) as error:
        preflight(client)
    one_line(error)


def test_long_outcomes_are_cut() -> None:
    issue = {"severity": "error", "diagnostics": "x" * 5000}
    assert len(outcome_text({"resourceType": "OperationOutcome", "issue": [issue]})) < 1100


@pytest.mark.parametrize(
    ("etag", "version"), [('W/"3"', "3"), ('"a-b"', "a-b"), ("3", "3"), (None, None), ('W/"3', None)]
)
def test_versions_in_etags(etag: str | None, version: str | None) -> None:
    assert version_of(etag) == version
