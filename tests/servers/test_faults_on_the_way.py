"""The client on a bad way to its server: redirects, pages, expired tokens, slow answers, a server gone for a while."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from fhir_keta.errors import ServerError, UsageError
from fhir_keta.server.client import Answer, Client, Interrupted
from fhir_keta.server.retry import Retry
from fhir_keta.server.transport import Lost, Transport
from tests.servers.certificates import authority
from tests.servers.conftest import Faulty
from tests.servers.faults import Asked, Fault, FaultServer, scripted
from tests.servers.trouble import BUDGET, Time, Token, body, identified, retrying, versions
from tests.servers.wire import Resource, Wire, name, patient


def test_an_answer_that_only_trickles_comes_to_an_end(faulty: Faulty) -> None:
    """With a timeout of 1 s, here on a clock that goes 3 s with each look at it, 10 s are too long for one answer."""
    server = faulty(lambda _asked: Fault.TRICKLE)
    looks = iter(range(0, 3000, 3))
    transport = Transport(server.url, timeout=1, clock=lambda: next(looks))
    with pytest.raises(Lost, match="did not finish its answer within 10 s") as lost:
        transport.send("GET", f"{server.url}/metadata", {})
    assert lost.value.running
    transport.close()


def test_a_redirect_within_the_server_keeps_method_body_and_headers(faulty: Faulty, behind: Wire, time: Time) -> None:
    resource = patient(name())
    behind.put(resource)
    server = faulty(scripted(Fault.REDIRECT_HERE))
    with retrying(server, time) as client:
        client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version="1")
    first, second = server.asked
    assert (second.method, second.body, second.headers["If-Match"]) == ("PUT", first.body, 'W/"1"')
    assert behind.get(f"Patient/{resource['id']}")["gender"] == "other"


def test_redirects_in_a_circle_end(faulty: Faulty, time: Time) -> None:
    server = faulty(lambda _asked: Fault.REDIRECT_HERE)
    with retrying(server, time) as client, pytest.raises(ServerError, match="redirects to"):
        client.capabilities()
    assert len(server.asked) == 6


def test_credentials_do_not_follow_a_redirect_to_another_server(sandbox: str, time: Time) -> None:
    with (
        FaultServer(sandbox) as elsewhere,
        FaultServer(sandbox, lambda _asked: Fault.REDIRECT_AWAY, token="t-1", elsewhere=elsewhere.url) as server,
        Client(server.url, auth=Token(server), headers={"X-Api-Key": "k"}) as client,
    ):
        for request in (client.capabilities, lambda: client.update("Patient", "a", b"{}")):
            with pytest.raises(ServerError, match=f"redirects to {elsewhere.url}.* which is not followed"):
                request()
        assert elsewhere.asked == []
        assert [each.headers["Authorization"] for each in server.asked] == ["Bearer t-1"] * 2


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.HTML_AFTER])
def test_a_page_instead_of_an_answer_ends_the_run(faulty: Faulty, behind: Wire, time: Time, fault: Fault) -> None:
    server = faulty(lambda _asked: fault)
    resource = patient(name())
    with retrying(server, time) as client:
        with pytest.raises(Interrupted, match="text/html, not FHIR JSON"):
            client.update("Patient", resource["id"], body(resource))
        with pytest.raises(ServerError, match="text/html, not FHIR JSON"):
            client.capabilities()
    assert len(server.asked) == 2
    assert versions(behind, resource) == (1 if fault is Fault.HTML_AFTER else 0)


def test_a_version_that_is_none_is_not_taken_for_one(faulty: Faulty, behind: Wire, time: Time) -> None:
    server = faulty(lambda _asked: Fault.WRONG_ETAG)
    resource = patient(name())
    with retrying(server, time) as client:
        answer = client.update("Patient", resource["id"], body(resource))
    assert (answer.status, answer.version, answer.id) == (201, None, resource["id"])
    assert versions(behind, resource) == 1


def test_an_expired_token_is_renewed_once_for_all_threads(sandbox: str, behind: Wire, time: Time) -> None:
    resources = [patient(name()) for _ in range(12)]
    with FaultServer(sandbox, scripted(None, None, None, Fault.EXPIRED), token="t-1") as server:
        token = Token(server)
        retry = Retry(BUDGET, sleep=time.sleep, clock=time.clock)
        with Client(server.url, retry=retry, auth=token) as client, ThreadPoolExecutor(4) as pool:

            def update(resource: Resource) -> Answer:
                return client.update("Patient", resource["id"], body(resource))

            assert [answer.status for answer in pool.map(update, resources)] == [201] * 12
        assert len(server.carried_out) == 12
    assert token.renewals == 1
    assert time.waits == []
    assert [versions(behind, each) for each in resources] == [1] * 12


def test_credentials_that_renewing_does_not_help_end_the_run(sandbox: str, time: Time) -> None:
    with FaultServer(sandbox, lambda _asked: Fault.EXPIRED, token="t-1") as server:
        token = Token(server)
        with (
            Client(server.url, auth=token) as client,
            pytest.raises(ServerError, match=r"does not accept the credentials \(HTTP 401\): The token has expired"),
        ):
            client.update("Patient", "a", b"{}")
        assert token.renewals == 1
        assert len(server.asked) == 2


def test_threads_refused_together_renew_once(sandbox: str, behind: Wire) -> None:
    """Both requests are on their way with the old token before either is refused."""
    together = Barrier(2)

    def faults(asked: Asked) -> None:
        if asked.number < 2:
            together.wait(60)

    resources = [patient(name()) for _ in range(2)]
    with FaultServer(sandbox, faults, token="old") as server:
        token = Token(server)
        server.token = "new"
        with Client(server.url, auth=token) as client, ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda each: client.update("Patient", each["id"], body(each)), resources))
    assert token.renewals == 1
    assert len(server.asked) == 4
    assert [versions(behind, each) for each in resources] == [1, 1]


def test_a_read_that_got_lost_leaves_nothing_unknown(faulty: Faulty, time: Time) -> None:
    server = faulty(scripted(Fault.CUT_BEFORE, Fault.REDIRECT_AWAY))
    with retrying(server, time) as client, pytest.raises(ServerError, match="redirects to") as error:
        client.read("Patient", "a")
    assert not isinstance(error.value, Interrupted)
    assert len(server.asked) == 2


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_WITHIN, Fault.RESET_AFTER])
def test_a_connection_cut_under_tls_is_a_lost_one_not_a_bad_certificate(
    sandbox: str, behind: Wire, time: Time, tmp_path: Path, fault: Fault
) -> None:
    signer = authority(tmp_path)
    resource, search = identified()
    retry = Retry(BUDGET, sleep=time.sleep, clock=time.clock)
    with (
        FaultServer(sandbox, scripted(fault, fault), tls=signer.server()) as server,
        Client(server.url, retry=retry, verify=str(signer.file)) as client,
    ):
        with pytest.raises(Interrupted, match="broke the connection off"):
            client.create("Patient", body(resource))
        client.create("Patient", body(resource), unless=search)
    assert len(behind.found(f"Patient?{search}")) == 1


def test_a_handshake_that_is_cut_is_no_bad_certificate_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:

        def hang_up() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)

        pool.submit(hang_up)
        with (
            Client(f"https://127.0.0.1:{listening.getsockname()[1]}/fhir") as client,
            pytest.raises(ServerError, match="broke the connection off"),
        ):
            client.capabilities()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"verify": "missing.pem"}, "CA bundle or the client certificate cannot be read"),
        ({"certificate": ("missing.pem", "missing.pem")}, "CA bundle or the client certificate cannot be read"),
        ({"headers": {"X-Api-Key": "a\nb"}}, "One of the headers cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_no_fault_of_the_server(given: dict[str, Any], said: str) -> None:
    with Client("https://127.0.0.1:9/fhir", **given) as client, pytest.raises(UsageError, match=said):
        client.capabilities()


def test_what_was_searched_for_is_not_in_the_url_of_an_answer(faulty: Faulty) -> None:
    server = faulty(scripted())
    transport = Transport(server.url, timeout=20)
    response = transport.send("GET", f"{server.url}/Patient", {}, parameters={"identifier": "system|value"})
    assert (response.status, response.url) == (200, f"{server.url}/Patient")
    assert server.asked[0].path == "/Patient?identifier=system%7Cvalue"
    transport.close()


def test_a_server_that_comes_back_is_found_again(sandbox: str, behind: Wire) -> None:
    running = [FaultServer(sandbox)]
    time = Time()

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if len(time.waits) == 2:
            running.append(FaultServer(sandbox, port=running[0].port))

    resource = patient(name())
    retry = Retry(BUDGET, sleep=sleep, clock=time.clock)
    with Client(running[0].url, retry=retry) as client:
        client.capabilities()
        client.close()  # a connection that is kept would still be served
        running[0].close()
        answer = client.update("Patient", resource["id"], body(resource))
    running[1].close()
    assert (answer.status, answer.repeated) == (201, False)
    assert len(time.waits) == 2


def test_a_server_that_never_answered_is_not_waited_for(sandbox: str, time: Time) -> None:
    with FaultServer(sandbox) as server:
        pass
    with retrying(server, time) as client, pytest.raises(ServerError, match="cannot be reached"):
        client.capabilities()
    assert time.waits == []
