"""The client against a server that fails: nothing is lost, nothing happens twice, and what is not known is said.

What happened is counted on the sandbox behind the faults, not taken from the client's word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from urllib.parse import urlencode

import pytest
import requests

from fhir_keta.errors import ServerError
from fhir_keta.server.client import Answer, Client, Interrupted, Refused, Unavailable
from fhir_keta.server.retry import Retry
from fhir_keta.server.transport import Lost, Transport
from tests.servers.faults import PASSING, SECONDS_ASKED, Asked, Fault, Faults, FaultServer, scripted, seeded
from tests.servers.wire import Resource, Wire, entry, name, patient, transaction

BUDGET = 120.0
NOT_CARRIED_OUT = (Fault.TOO_MANY, Fault.TOO_MANY_UNTIL, Fault.BUSY)
AFTER = (Fault.BAD_GATEWAY_AFTER, Fault.GATEWAY_TIMEOUT_AFTER, Fault.CUT_AFTER, Fault.CUT_WITHIN, Fault.RESET_AFTER)
LOST = (*AFTER, Fault.BAD_GATEWAY, Fault.GATEWAY_TIMEOUT, Fault.CUT_BEFORE)
TIMED_OUT = (Fault.GATEWAY_TIMEOUT, Fault.GATEWAY_TIMEOUT_AFTER)
SYSTEM = "https://w3id.org/fhir-keta/example/faults"


class Time:
    """A clock that only waiting moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        self._lock = Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.waits.append(seconds)

    def clock(self) -> float:
        return self.now


class Token(requests.auth.AuthBase):
    """A bearer token that can be had anew from the server that takes it."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.token = server.token
        self.renewals = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def renew(self) -> None:
        self.renewals += 1
        self.token = self.server.token


@pytest.fixture
def wire(sandbox: str) -> Iterator[Wire]:
    opened = Wire(sandbox)
    yield opened
    opened.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def faulty(sandbox: str) -> Iterator[Callable[[Faults], FaultServer]]:
    running = []

    def start(faults: Faults) -> FaultServer:
        running.append(FaultServer(sandbox, faults))
        return running[-1]

    yield start
    for server in running:
        server.close()


def retrying(server: FaultServer, time: Time, budget: float = BUDGET) -> Client:
    return Client(server.url, timeout=20, retry=Retry(budget, sleep=time.sleep, clock=time.clock, chance=lambda: 0.0))


def body(resource: Resource) -> bytes:
    return json.dumps(resource).encode()


def identified() -> tuple[Resource, str]:
    """A resource, and the search that finds it."""
    value = name()
    return patient(identifier=[{"system": SYSTEM, "value": value}]), urlencode({"identifier": f"{SYSTEM}|{value}"})


def versions(wire: Wire, resource: Resource) -> int:
    answer = wire.send("GET", f"Patient/{resource['id']}/_history")
    return len(answer.json()["entry"]) if answer.status_code == 200 else 0


@pytest.mark.parametrize("fault", PASSING)
def test_an_update_gets_through_and_is_there_once(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault, fault))
    resource = patient(name())
    with retrying(server, time) as client:
        answer = client.update("Patient", resource["id"], body(resource))
    assert answer.version == "1"
    assert answer.url == f"{server.url}/Patient/{resource['id']}" or fault is Fault.REDIRECT_HERE
    assert answer.repeated is (fault in LOST)
    assert answer.status == (200 if fault in AFTER else 201)
    assert versions(wire, resource) == 1
    untouched = (Fault.TRICKLE, Fault.TOO_MANY_WITHIN)  # a slow answer is one, and this request is no Bundle
    assert len(server.asked) == (1 if fault in untouched else 3)
    assert len(server.carried_out) == (3 if fault in AFTER else 1)


@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
def test_a_create_that_was_not_carried_out_is_sent_again(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault, fault))
    resource, search = identified()
    with retrying(server, time) as client:
        answer = client.create("Patient", body(resource))
    assert (answer.status, answer.repeated) == (201, False)
    assert [each["id"] for each in wire.found(f"Patient?{search}")] == [answer.id]
    assert [asked.status for asked in server.asked] == [None, None, 201]


@pytest.mark.parametrize("fault", LOST)
def test_a_create_that_may_have_been_carried_out_is_not_sent_again(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resource, search = identified()
    with retrying(server, time) as client, pytest.raises(Interrupted, match="Run again: what arrived is found"):
        client.create("Patient", body(resource))
    assert len(server.asked) == 1
    assert time.waits == []
    assert len(wire.found(f"Patient?{search}")) == (1 if fault in AFTER else 0)


@pytest.mark.parametrize("fault", [each for each in PASSING if each not in TIMED_OUT])
def test_a_conditional_create_gets_through_once(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault, fault))
    resource, search = identified()
    with retrying(server, time) as client:
        answer = client.create("Patient", body(resource), unless=search)
    assert [each["id"] for each in wire.found(f"Patient?{search}")] == [answer.id]
    assert (answer.status, answer.repeated) == ((200, True) if fault in AFTER else (201, fault in LOST))


@pytest.mark.parametrize("fault", TIMED_OUT)
def test_a_conditional_create_that_may_still_be_running_is_not_sent_beside_it(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resource, search = identified()
    with retrying(server, time) as client, pytest.raises(Interrupted):
        client.create("Patient", body(resource), unless=search)
    assert len(server.asked) == 1
    assert len(wire.found(f"Patient?{search}")) == (1 if fault in AFTER else 0)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.TOO_MANY_UNTIL])
def test_the_server_says_how_long_to_wait(faulty: Callable[[Faults], FaultServer], time: Time, fault: Fault) -> None:
    """The date is 7 s after the server's own clock, which says the year 2026 began."""
    server = faulty(scripted(fault, fault))
    with retrying(server, time) as client:
        client.capabilities()
    assert time.waits == [SECONDS_ASKED, SECONDS_ASKED]


def test_waits_grow_and_end_with_the_budget(faulty: Callable[[Faults], FaultServer], time: Time) -> None:
    server = faulty(lambda _asked: Fault.BUSY)
    with retrying(server, time) as client, pytest.raises(Unavailable, match=r"HTTP 503.*Not now.*Try again later"):
        client.update("Patient", "a", b"{}")
    # half of 1, 2, 4, ... up to 30 s, the other half being left to chance; one more would make 121
    assert time.waits == [0.5, 1, 2, 4, 8, *[15] * 6]
    assert time.now <= BUDGET
    assert len(server.asked) == 12


def test_a_wait_beyond_the_budget_is_not_begun(faulty: Callable[[Faults], FaultServer], time: Time) -> None:
    server = faulty(lambda _asked: Fault.TOO_MANY)
    with (
        retrying(server, time, SECONDS_ASKED - 1) as client,
        pytest.raises(Unavailable, match=f"Try again in {SECONDS_ASKED} s"),
    ):
        client.update("Patient", "a", b"{}")
    assert time.waits == []


@pytest.mark.parametrize("then", [Fault.BUSY, Fault.EXPIRED, Fault.REDIRECT_AWAY, Fault.HTML])
def test_what_got_lost_stays_unknown_whatever_comes_after(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, then: Fault
) -> None:
    def faults(asked: Asked) -> Fault:
        return Fault.CUT_AFTER if asked.number == 0 else then

    server = faulty(faults)
    resource = patient(name())
    with retrying(server, time) as client, pytest.raises(Interrupted):
        client.update("Patient", resource["id"], body(resource))
    assert versions(wire, resource) == 1


def test_a_versioned_update_whose_answer_got_lost_is_recognised(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    resource = patient(name())
    wire.put(resource)
    server = faulty(scripted(Fault.CUT_AFTER))
    with retrying(server, time) as client:
        changed = body({**resource, "gender": "other"})
        answer = client.update("Patient", resource["id"], changed, version="1")
    assert (answer.status, answer.version, answer.id, answer.repeated) == (200, "2", resource["id"], True)
    assert versions(wire, resource) == 2


def test_a_versioned_update_that_another_overtook_is_not_taken_for_ours(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    resource = patient(name())
    wire.put(resource)

    def faults(asked: Asked) -> Fault | None:
        if asked.number == 0:
            return Fault.CUT_AFTER
        if asked.number == 1:
            wire.put({**resource, "gender": "male"})
        return None

    server = faulty(faults)
    with retrying(server, time) as client, pytest.raises(Interrupted, match="by this upload or by something else"):
        client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version="1")
    assert wire.get(f"Patient/{resource['id']}")["gender"] == "male"


def test_a_stale_version_is_refused_at_once(faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time) -> None:
    resource = patient(name())
    wire.put(resource)
    wire.put({**resource, "gender": "male"})
    server = faulty(scripted())
    with retrying(server, time) as client, pytest.raises(Refused) as refused:
        client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version="1")
    assert (refused.value.status, refused.value.repeated) == (409, False)
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", [*LOST, *NOT_CARRIED_OUT])
def test_a_delete_happens_once(faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault) -> None:
    resource = patient(name())
    wire.put(resource)
    server = faulty(scripted(fault))
    with retrying(server, time) as client:
        client.delete("Patient", resource["id"], version="1")
        assert client.read("Patient", resource["id"]) is None
        assert client.delete("Patient", name()).status in (200, 204, 404)
    assert versions(wire, resource) == 2


def puts(*resources: Resource) -> bytes:
    return body(transaction(*(entry("PUT", f"Patient/{each['id']}", each) for each in resources)))


@pytest.mark.parametrize("fault", [*LOST, *NOT_CARRIED_OUT])
def test_a_transaction_of_updates_gets_through(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resources = [patient(name()) for _ in range(3)]
    with retrying(server, time) as client:
        answer = client.transaction(puts(*resources), idempotent=True)
    assert len(answer.entries) == 3
    assert answer.repeated is (fault in LOST)
    assert [versions(wire, each) for each in resources] == [1, 1, 1]


@pytest.mark.parametrize("fault", LOST)
def test_a_transaction_that_is_not_idempotent_is_sent_once(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resource, search = identified()
    with retrying(server, time) as client, pytest.raises(Interrupted):
        client.transaction(body(transaction(entry("POST", "Patient", resource))))
    assert len(server.asked) == 1
    assert len(wire.found(f"Patient?{search}")) == (1 if fault in AFTER else 0)


def test_a_conditional_transaction_is_not_sent_beside_itself(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    resource, search = identified()
    sent = body(transaction(entry("POST", "Patient", resource, ifNoneExist=search)))
    server = faulty(scripted(Fault.CUT_AFTER, None, Fault.GATEWAY_TIMEOUT_AFTER))
    with retrying(server, time) as client:
        assert client.transaction(sent, idempotent=True, conditional=True).repeated
        with pytest.raises(Interrupted):
            client.transaction(sent, idempotent=True, conditional=True)
    assert len(server.asked) == 3
    assert len(wire.found(f"Patient?{search}")) == 1


def test_a_transaction_refused_after_it_may_have_happened_is_of_unknown_outcome(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    resource = patient(name())
    wire.put(resource)
    sent = body(
        transaction(entry("PUT", f"Patient/{resource['id']}", {**resource, "gender": "other"}, ifMatch='W/"1"'))
    )
    server = faulty(scripted(Fault.CUT_AFTER))
    with retrying(server, time) as client, pytest.raises(Interrupted, match="sent twice"):
        client.transaction(sent, idempotent=True)
    assert versions(wire, resource) == 2


def test_entries_put_off_inside_a_good_answer_can_be_sent_again(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    server = faulty(scripted(Fault.TOO_MANY_WITHIN, Fault.TOO_MANY_WITHIN))
    left = [patient(name()) for _ in range(5)]
    every = list(left)
    sizes = []
    with retrying(server, time) as client:
        tries = client.retry.tries()
        while True:
            answer = client.transaction(puts(*left), idempotent=True)
            sizes.append(len(left))
            states = [each["response"]["status"][:3] for each in answer.entries]
            left = [resource for resource, state in zip(left, states, strict=True) if state == "429"]
            if not left:
                break
            assert answer.retry_after == SECONDS_ASKED
            assert tries.again(answer.retry_after)
    assert sizes == [5, 3, 2]
    assert time.waits == [SECONDS_ASKED, SECONDS_ASKED]
    assert [versions(wire, each) for each in every] == [1] * 5


def test_an_answer_that_only_trickles_comes_to_an_end(faulty: Callable[[Faults], FaultServer]) -> None:
    """With a timeout of 1 s, here on a clock that goes 3 s with each look at it, 10 s are too long for one answer."""
    server = faulty(lambda _asked: Fault.TRICKLE)
    looks = iter(range(0, 3000, 3))
    transport = Transport(server.url, timeout=1, clock=lambda: next(looks))
    with pytest.raises(Lost, match="did not finish its answer within 10 s") as lost:
        transport.send("GET", f"{server.url}/metadata", {})
    assert lost.value.running
    transport.close()


def test_a_redirect_within_the_server_keeps_method_body_and_headers(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    resource = patient(name())
    wire.put(resource)
    server = faulty(scripted(Fault.REDIRECT_HERE))
    with retrying(server, time) as client:
        client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version="1")
    first, second = server.asked
    assert (second.method, second.body, second.headers["If-Match"]) == ("PUT", first.body, 'W/"1"')
    assert wire.get(f"Patient/{resource['id']}")["gender"] == "other"


def test_redirects_in_a_circle_end(faulty: Callable[[Faults], FaultServer], time: Time) -> None:
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
def test_a_page_instead_of_an_answer_ends_the_run(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(lambda _asked: fault)
    resource = patient(name())
    with retrying(server, time) as client:
        with pytest.raises(Interrupted, match="text/html, not FHIR JSON"):
            client.update("Patient", resource["id"], body(resource))
        with pytest.raises(ServerError, match="text/html, not FHIR JSON"):
            client.capabilities()
    assert len(server.asked) == 2
    assert versions(wire, resource) == (1 if fault is Fault.HTML_AFTER else 0)


def test_a_version_that_is_none_is_not_taken_for_one(
    faulty: Callable[[Faults], FaultServer], wire: Wire, time: Time
) -> None:
    server = faulty(lambda _asked: Fault.WRONG_ETAG)
    resource = patient(name())
    with retrying(server, time) as client:
        answer = client.update("Patient", resource["id"], body(resource))
    assert (answer.status, answer.version, answer.id) == (201, None, resource["id"])
    assert versions(wire, resource) == 1


def test_an_expired_token_is_renewed_once_for_all_threads(sandbox: str, wire: Wire, time: Time) -> None:
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
    assert [versions(wire, each) for each in resources] == [1] * 12


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


def test_a_server_that_comes_back_is_found_again(sandbox: str, wire: Wire) -> None:
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


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_nothing_is_lost_and_nothing_twice(
    faulty: Callable[[Faults], FaultServer], wire: Wire, seed: int
) -> None:
    """Updates and conditional creates in four threads, a third of the requests failing in some way.

    A create of unknown outcome is what its caller runs again: here at once.
    """
    time = Time()
    server = faulty(seeded(seed, 0.35))
    updated = [patient(name()) for _ in range(20)]
    created = [identified() for _ in range(20)]
    with retrying(server, time, 1e9) as client, ThreadPoolExecutor(4) as pool:

        def update(resource: Resource) -> int:
            return client.update("Patient", resource["id"], body(resource)).status

        def create(resource: Resource, search: str) -> int:
            while True:
                try:
                    return client.create("Patient", body(resource), unless=search).status
                except Interrupted:
                    continue

        tasks = [pool.submit(update, resource) for resource in updated]
        tasks += [pool.submit(create, *each) for each in created]
        assert {task.result() for task in tasks} <= {200, 201}
    assert [versions(wire, resource) for resource in updated] == [1] * 20
    assert [len(wire.found(f"Patient?{search}")) for _, search in created] == [1] * 20
    assert sum(asked.fault is not None for asked in server.asked) >= 10
