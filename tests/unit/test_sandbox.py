"""The sandbox where it is its own: HTTP, safety, ``$validate``, search. What it shares with HAPI: tests/servers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from fhir_keta.errors import ServerError
from fhir_keta.server.sandbox import Sandbox

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def ask(
    sandbox: Sandbox, method: str, path: str, body: Resource | bytes | None = None, **headers: str
) -> tuple[int, Resource, dict[str, str]]:
    """Status, body and headers of the answer."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    sent = {"Content-Type": "application/fhir+json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    try:
        with urlopen(Request(sandbox.url + path, data, sent, method=method), timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"{}"), dict(answer.headers)
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}"), dict(error.headers)


def raw(sandbox: Sandbox, request: bytes) -> bytes:
    """What the server sends to these bytes until it closes."""
    host, port = sandbox.url.removeprefix("http://").removesuffix("/fhir").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def text(outcome: Resource) -> str:
    assert outcome["resourceType"] == "OperationOutcome"
    return str(outcome["issue"][0]["diagnostics"])


def test_it_says_that_it_is_a_sandbox(sandbox: Sandbox) -> None:
    status, statement, headers = ask(sandbox, "GET", "/metadata")
    assert (status, statement["fhirVersion"], statement["software"]["name"]) == (200, "4.0.1", "fhir-keta sandbox")
    assert "not for patient data" in statement["implementation"]["description"]
    assert headers["Server"].startswith("fhir-keta-sandbox/")
    assert headers["Content-Type"] == "application/fhir+json; charset=utf-8"


def test_it_listens_on_loopback_only(sandbox: Sandbox) -> None:
    assert sandbox.url.startswith("http://127.0.0.1:")
    assert sandbox._server.server_address[0] == "127.0.0.1"


def test_it_answers_to_its_own_name_only(sandbox: Sandbox) -> None:
    status, outcome, _ = ask(sandbox, "GET", "/metadata", Host="attacker.example")
    assert (status, text(outcome)) == (403, "The sandbox answers to localhost only")
    assert ask(sandbox, "GET", "/metadata", Host="localhost:1")[0] == 200


def test_a_port_that_is_taken_is_one_line(sandbox: Sandbox) -> None:
    port = int(sandbox.url.split(":")[2].split("/")[0])
    with pytest.raises(ServerError, match=rf"cannot listen on port {port} .*Choose another"):
        Sandbox(port)


def test_nothing_is_left_after_close() -> None:
    with Sandbox() as first:
        ask(first, "PUT", "/Patient/a", {"resourceType": "Patient", "id": "a"})
        port = int(first.url.split(":")[2].split("/")[0])
    with Sandbox(port) as second:
        assert ask(second, "GET", "/Patient/a")[0] == 404


def test_outside_the_base_url(sandbox: Sandbox) -> None:
    answer = raw(sandbox, b"GET /other HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404")
    assert sandbox.url.encode() in answer


@pytest.mark.parametrize(
    "header",
    [b"Content-Length: 99999999999", b"Content-Length: -1", b"Content-Length: x", b"Transfer-Encoding: chunked"],
)
def test_a_body_without_a_sane_length(sandbox: Sandbox, header: bytes) -> None:
    answer = raw(sandbox, b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"resourceType":"Patient","x":NaN}',
        b'{"resourceType":"Nope"}',
    ],
)
def test_what_is_not_a_resource_is_400(sandbox: Sandbox, body: bytes) -> None:
    status, outcome, _ = ask(sandbox, "POST", "/Patient", body)
    assert status == 400
    assert text(outcome)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/Patient/a", 400),
        ("DELETE", "/Patient", 400),
        ("GET", "/Patient/a/b/c", 400),
        ("GET", "/", 400),
        ("POST", "/Patient/$everything", 400),
        ("GET", "/Patient?name=x", 400),
        ("GET", "/Patient?identifier:missing=true", 400),
        ("GET", "/Nope", 404),
    ],
)
def test_what_it_does_not_support_is_said(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    found, outcome, _ = ask(sandbox, method, path, {} if method == "PATCH" else None)
    assert found == status
    assert text(outcome)


def test_return_minimal_saves_the_body(sandbox: Sandbox) -> None:
    status, body, headers = ask(
        sandbox, "PUT", "/Patient/minimal", {"resourceType": "Patient", "id": "minimal"}, Prefer="return=minimal"
    )
    assert (status, body, headers["ETag"], headers["Content-Length"]) == (201, {}, 'W/"1"', "0")


def test_many_writers_lose_nothing() -> None:
    def write(number: int) -> int:
        return ask(sandbox, "POST", "/Basic", {"resourceType": "Basic", "code": {"text": str(number)}})[0]

    with Sandbox() as sandbox, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(200))) == {201}
        _, found, _ = ask(sandbox, "GET", "/Basic?_count=500")
        assert {entry["resource"]["code"]["text"] for entry in found["entry"]} == {str(number) for number in range(200)}
        assert len({entry["resource"]["id"] for entry in found["entry"]}) == 200


def test_pages_hold_everything_once(sandbox: Sandbox) -> None:
    for number in range(45):
        ask(sandbox, "PUT", f"/Flag/f{number}", {"resourceType": "Flag", "id": f"f{number}", "status": "active"})
    seen, path = [], "/Flag?status=active"
    while path:
        _, page, _ = ask(sandbox, "GET", path)
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links.get("next", "").removeprefix(sandbox.url)
    assert (page["total"], len(seen), len(set(seen))) == (45, 45, 45)


def test_an_entry_twice_in_a_transaction_is_refused(sandbox: Sandbox) -> None:
    """FHIR R4, Transaction: resource identities must not overlap. HAPI takes the two when their fullUrls differ."""
    entry = {
        "resource": {"resourceType": "Patient", "id": "twice"},
        "request": {"method": "PUT", "url": "Patient/twice"},
    }
    status, outcome, _ = ask(
        sandbox, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
    )
    assert (status, text(outcome)) == (400, "Transaction bundle contains multiple resources with ID: Patient/twice")


def test_references_in_extensions_are_checked_too(sandbox: Sandbox) -> None:
    """HAPI checks only those that a search parameter covers."""
    extension = {"url": "http://example.org/x", "valueReference": {"reference": "Patient/nobody"}}
    status, outcome, _ = ask(sandbox, "PUT", "/Basic/e", {"resourceType": "Basic", "id": "e", "extension": [extension]})
    assert (status, "Patient/nobody" in text(outcome)) == (400, True)


def test_an_uploaded_search_parameter_works(sandbox: Sandbox) -> None:
    point = "https://example.org/StructureDefinition/point"
    parameter = {
        "resourceType": "SearchParameter",
        "id": "point",
        "url": "https://example.org/SearchParameter/point",
        "status": "active",
        "code": "point",
        "base": ["Observation", "QuestionnaireResponse"],
        "type": "token",
        "expression": f"Observation.extension('{point}').value | QuestionnaireResponse.extension('{point}').value",
    }
    assert ask(sandbox, "GET", "/Observation?point=during")[0] == 400
    assert ask(sandbox, "PUT", "/SearchParameter/point", parameter)[0] == 201
    for code in ("during", "baseline"):
        extension = [{"url": point, "valueCoding": {"system": "https://example.org/points", "code": code}}]
        resource = {"resourceType": "Observation", "id": f"at-{code}", "extension": extension}
        assert ask(sandbox, "PUT", f"/Observation/at-{code}", resource)[0] == 201

    def found(query: str) -> list[str]:
        return [entry["resource"]["id"] for entry in ask(sandbox, "GET", f"/Observation?{query}")[1]["entry"]]

    assert found("point=during") == ["at-during"]
    assert found("point=https://example.org/points%7Cbaseline") == ["at-baseline"]
    assert sorted(found("point=during,baseline")) == ["at-baseline", "at-during"]
    assert found("point=other%7Cduring") == []
    assert ask(sandbox, "GET", "/Patient?point=during")[0] == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=http://example.org%7Ca", ["one"]),
        ("code=a", ["one", "two"]),
        ("code=%7Ca", ["two"]),
        ("code=http://example.org%7C", ["one"]),
        ("code=a&status=final", ["one"]),
        ("status=final,amended", ["one", "two"]),
        ("subject=Patient/sp", ["one"]),
        ("subject:Patient=sp", ["one"]),
        ("patient=sp", ["one"]),
        ("patient=Patient/sp", ["one"]),
        ("subject=Group/sg", ["two"]),
        ("patient=sg", []),
        ("identifier=http://example.org/i%7C1", ["one"]),
        ("value-concept=yes", ["two"]),
        ("_profile=http://example.org/p", ["two"]),
        ("_tag=http://example.org/t%7Crun", ["one"]),
        ("_id=one,two", ["one", "two"]),
        ("derived-from=Observation/one", ["two"]),
    ],
)
def test_searches(query: str, expected: list[str]) -> None:
    one = {
        "meta": {"tag": [{"system": "http://example.org/t", "code": "run"}]},
        "identifier": [{"system": "http://example.org/i", "value": "1"}],
        "status": "final",
        "code": {"coding": [{"system": "http://example.org", "code": "a"}, {"code": "b"}]},
        "subject": {"reference": "Patient/sp"},
    }
    two = {
        "meta": {"profile": ["http://example.org/p"]},
        "status": "amended",
        "code": {"coding": [{"code": "a"}]},
        "subject": {"reference": "Group/sg"},
        "valueCodeableConcept": {"coding": [{"code": "yes"}]},
        "derivedFrom": [{"reference": "Observation/one"}],
    }
    with Sandbox() as sandbox:
        ask(sandbox, "PUT", "/Patient/sp", {"resourceType": "Patient", "id": "sp"})
        ask(sandbox, "PUT", "/Group/sg", {"resourceType": "Group", "id": "sg"})
        for identity, content in (("one", one), ("two", two)):
            resource = {"resourceType": "Observation", "id": identity, **content}
            assert ask(sandbox, "PUT", f"/Observation/{identity}", resource)[0] == 201
        _, found, _ = ask(sandbox, "GET", f"/Observation?{query}")
        assert [entry["resource"]["id"] for entry in found["entry"]] == expected


def test_validate_calls_what_is_given_with_the_definitions_on_the_server() -> None:
    calls = []

    def validate(resource: Resource, profiles: Sequence[str], definitions: Sequence[Resource]) -> list[Resource]:
        calls.append((resource["id"], list(profiles), [each["url"] for each in definitions]))
        return [{"severity": "error", "code": "value", "diagnostics": "wrong"}] if profiles else []

    patient = {"resourceType": "Patient", "id": "a"}
    wrapped = {
        "resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": patient}, {"name": "profile", "valueUri": "http://p"}],
    }
    with Sandbox(validate=validate) as sandbox:
        definition = {"resourceType": "Questionnaire", "id": "q", "url": "http://q", "status": "active"}
        ask(sandbox, "PUT", "/Questionnaire/q", definition)
        status, outcome, _ = ask(sandbox, "POST", "/Patient/$validate", patient)
        assert (status, outcome["issue"][0]["severity"]) == (200, "information")
        assert text(ask(sandbox, "POST", "/Patient/$validate?profile=http://p", patient)[1]) == "wrong"
        assert text(ask(sandbox, "POST", "/Patient/$validate", wrapped)[1]) == "wrong"
        assert ask(sandbox, "GET", "/Patient/a")[0] == 404
    assert calls == [("a", [], ["http://q"]), ("a", ["http://p"], ["http://q"]), ("a", ["http://p"], ["http://q"])]


def test_validate_with_this_packages_validator(sandbox: Sandbox) -> None:
    good = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    _, outcome, _ = ask(sandbox, "POST", "/Observation/$validate", good)
    assert [issue["severity"] for issue in outcome["issue"] if issue["severity"] in ("error", "fatal")] == []
    _, outcome, _ = ask(sandbox, "POST", "/Observation/$validate", {**good, "status": "nonsense"})
    assert [issue["expression"] for issue in outcome["issue"] if issue["severity"] == "error"] == [
        ["Observation.status"]
    ]
    _, outcome, _ = ask(sandbox, "POST", "/Observation/$validate?profile=http://example.org/unknown", good)
    assert "error" in [issue["severity"] for issue in outcome["issue"]]
