"""What the client sends again, and what not: nothing is lost, nothing happens twice, and what is not known is said.

What happened is counted on the sandbox behind the faults, not taken from the client's word.
"""

from __future__ import annotations

import pytest

from fhir_keta.server.client import Interrupted, Refused, Unavailable
from tests.servers.conftest import Faulty
from tests.servers.faults import PASSING, SECONDS_ASKED, Asked, Fault, scripted
from tests.servers.trouble import BUDGET, Time, body, identified, puts, retrying, versions
from tests.servers.wire import Wire, entry, name, patient, transaction

NOT_CARRIED_OUT = (Fault.TOO_MANY, Fault.TOO_MANY_UNTIL, Fault.BUSY)
AFTER = (Fault.BAD_GATEWAY_AFTER, Fault.GATEWAY_TIMEOUT_AFTER, Fault.CUT_AFTER, Fault.CUT_WITHIN, Fault.RESET_AFTER)
LOST = (*AFTER, Fault.BAD_GATEWAY, Fault.GATEWAY_TIMEOUT, Fault.CUT_BEFORE)
TIMED_OUT = (Fault.GATEWAY_TIMEOUT, Fault.GATEWAY_TIMEOUT_AFTER)


@pytest.mark.parametrize("fault", PASSING)
def test_an_update_gets_through_and_is_there_once(faulty: Faulty, behind: Wire, time: Time, fault: Fault) -> None:
    server = faulty(scripted(fault, fault))
    resource = patient(name())
    with retrying(server, time) as client:
        answer = client.update("Patient", resource["id"], body(resource))
    assert answer.version == "1"
    assert answer.url == f"{server.url}/Patient/{resource['id']}" or fault is Fault.REDIRECT_HERE
    assert answer.repeated is (fault in LOST)
    assert answer.status == (200 if fault in AFTER else 201)
    assert versions(behind, resource) == 1
    untouched = (Fault.TRICKLE, Fault.TOO_MANY_WITHIN)  # a slow answer is one, and this request is no Bundle
    assert len(server.asked) == (1 if fault in untouched else 3)
    assert len(server.carried_out) == (3 if fault in AFTER else 1)


@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
def test_a_create_that_was_not_carried_out_is_sent_again(
    faulty: Faulty, behind: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault, fault))
    resource, search = identified()
    with retrying(server, time) as client:
        answer = client.create("Patient", body(resource))
    assert (answer.status, answer.repeated) == (201, False)
    assert [each["id"] for each in behind.found(f"Patient?{search}")] == [answer.id]
    assert [asked.status for asked in server.asked] == [None, None, 201]


@pytest.mark.parametrize("fault", LOST)
def test_a_create_that_may_have_been_carried_out_is_not_sent_again(
    faulty: Faulty, behind: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resource, search = identified()
    with retrying(server, time) as client, pytest.raises(Interrupted, match="Run again: what arrived is found"):
        client.create("Patient", body(resource))
    assert len(server.asked) == 1
    assert time.waits == []
    assert len(behind.found(f"Patient?{search}")) == (1 if fault in AFTER else 0)


@pytest.mark.parametrize("fault", [each for each in PASSING if each not in TIMED_OUT])
def test_a_conditional_create_gets_through_once(faulty: Faulty, behind: Wire, time: Time, fault: Fault) -> None:
    server = faulty(scripted(fault, fault))
    resource, search = identified()
    with retrying(server, time) as client:
        answer = client.create("Patient", body(resource), unless=search)
    assert [each["id"] for each in behind.found(f"Patient?{search}")] == [answer.id]
    assert (answer.status, answer.repeated) == ((200, True) if fault in AFTER else (201, fault in LOST))


@pytest.mark.parametrize("fault", TIMED_OUT)
def test_a_conditional_create_that_may_still_be_running_is_not_sent_beside_it(
    faulty: Faulty, behind: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resource, search = identified()
    with retrying(server, time) as client, pytest.raises(Interrupted):
        client.create("Patient", body(resource), unless=search)
    assert len(server.asked) == 1
    assert len(behind.found(f"Patient?{search}")) == (1 if fault in AFTER else 0)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.TOO_MANY_UNTIL])
def test_the_server_says_how_long_to_wait(faulty: Faulty, time: Time, fault: Fault) -> None:
    """The date is 7 s after the server's own clock, which says the year 2026 began."""
    server = faulty(scripted(fault, fault))
    with retrying(server, time) as client:
        client.capabilities()
    assert time.waits == [SECONDS_ASKED, SECONDS_ASKED]


def test_waits_grow_and_end_with_the_budget(faulty: Faulty, time: Time) -> None:
    server = faulty(lambda _asked: Fault.BUSY)
    with retrying(server, time) as client, pytest.raises(Unavailable, match=r"HTTP 503.*Not now.*Try again later"):
        client.update("Patient", "a", b"{}")
    # half of 1, 2, 4, ... up to 30 s, the other half being left to chance; one more would make 121
    assert time.waits == [0.5, 1, 2, 4, 8, *[15] * 6]
    assert time.now <= BUDGET
    assert len(server.asked) == 12


def test_a_wait_beyond_the_budget_is_not_begun(faulty: Faulty, time: Time) -> None:
    server = faulty(lambda _asked: Fault.TOO_MANY)
    with (
        retrying(server, time, SECONDS_ASKED - 1) as client,
        pytest.raises(Unavailable, match=f"Try again in {SECONDS_ASKED} s"),
    ):
        client.update("Patient", "a", b"{}")
    assert time.waits == []


@pytest.mark.parametrize("then", [Fault.BUSY, Fault.EXPIRED, Fault.REDIRECT_AWAY, Fault.HTML])
def test_what_got_lost_stays_unknown_whatever_comes_after(
    faulty: Faulty, behind: Wire, time: Time, then: Fault
) -> None:
    def faults(asked: Asked) -> Fault:
        return Fault.CUT_AFTER if asked.number == 0 else then

    server = faulty(faults)
    resource = patient(name())
    with retrying(server, time) as client, pytest.raises(Interrupted):
        client.update("Patient", resource["id"], body(resource))
    assert versions(behind, resource) == 1


def test_a_versioned_update_whose_answer_got_lost_is_recognised(faulty: Faulty, behind: Wire, time: Time) -> None:
    resource = patient(name())
    behind.put(resource)
    server = faulty(scripted(Fault.CUT_AFTER))
    with retrying(server, time) as client:
        changed = body({**resource, "gender": "other"})
        answer = client.update("Patient", resource["id"], changed, version="1")
    assert (answer.status, answer.version, answer.id, answer.repeated) == (200, "2", resource["id"], True)
    assert versions(behind, resource) == 2


def test_a_versioned_update_that_another_overtook_is_not_taken_for_ours(
    faulty: Faulty, behind: Wire, time: Time
) -> None:
    resource = patient(name())
    behind.put(resource)

    def faults(asked: Asked) -> Fault | None:
        if asked.number == 0:
            return Fault.CUT_AFTER
        if asked.number == 1:
            behind.put({**resource, "gender": "male"})
        return None

    server = faulty(faults)
    with retrying(server, time) as client, pytest.raises(Interrupted, match="by this upload or by something else"):
        client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version="1")
    assert behind.get(f"Patient/{resource['id']}")["gender"] == "male"


def test_a_stale_version_is_refused_at_once(faulty: Faulty, behind: Wire, time: Time) -> None:
    resource = patient(name())
    behind.put(resource)
    behind.put({**resource, "gender": "male"})
    server = faulty(scripted())
    with retrying(server, time) as client, pytest.raises(Refused) as refused:
        client.update("Patient", resource["id"], body({**resource, "gender": "other"}), version="1")
    assert (refused.value.status, refused.value.repeated) == (409, False)
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", [*LOST, *NOT_CARRIED_OUT])
def test_a_delete_happens_once(faulty: Faulty, behind: Wire, time: Time, fault: Fault) -> None:
    resource = patient(name())
    behind.put(resource)
    server = faulty(scripted(fault))
    with retrying(server, time) as client:
        client.delete("Patient", resource["id"], version="1")
        assert client.read("Patient", resource["id"]) is None
        assert client.delete("Patient", name()).status in (200, 204, 404)
    assert versions(behind, resource) == 2


@pytest.mark.parametrize("fault", [*LOST, *NOT_CARRIED_OUT])
def test_a_transaction_of_updates_gets_through(faulty: Faulty, behind: Wire, time: Time, fault: Fault) -> None:
    server = faulty(scripted(fault))
    resources = [patient(name()) for _ in range(3)]
    with retrying(server, time) as client:
        answer = client.transaction(puts(*resources), idempotent=True)
    assert len(answer.entries) == 3
    assert answer.repeated is (fault in LOST)
    assert [versions(behind, each) for each in resources] == [1, 1, 1]


@pytest.mark.parametrize("fault", LOST)
def test_a_transaction_that_is_not_idempotent_is_sent_once(
    faulty: Faulty, behind: Wire, time: Time, fault: Fault
) -> None:
    server = faulty(scripted(fault))
    resource, search = identified()
    with retrying(server, time) as client, pytest.raises(Interrupted):
        client.transaction(body(transaction(entry("POST", "Patient", resource))))
    assert len(server.asked) == 1
    assert len(behind.found(f"Patient?{search}")) == (1 if fault in AFTER else 0)


def test_a_conditional_transaction_is_not_sent_beside_itself(faulty: Faulty, behind: Wire, time: Time) -> None:
    resource, search = identified()
    sent = body(transaction(entry("POST", "Patient", resource, ifNoneExist=search)))
    server = faulty(scripted(Fault.CUT_AFTER, None, Fault.GATEWAY_TIMEOUT_AFTER))
    with retrying(server, time) as client:
        assert client.transaction(sent, idempotent=True, conditional=True).repeated
        with pytest.raises(Interrupted):
            client.transaction(sent, idempotent=True, conditional=True)
    assert len(server.asked) == 3
    assert len(behind.found(f"Patient?{search}")) == 1


def test_a_transaction_refused_after_it_may_have_happened_is_of_unknown_outcome(
    faulty: Faulty, behind: Wire, time: Time
) -> None:
    resource = patient(name())
    behind.put(resource)
    sent = body(
        transaction(entry("PUT", f"Patient/{resource['id']}", {**resource, "gender": "other"}, ifMatch='W/"1"'))
    )
    server = faulty(scripted(Fault.CUT_AFTER))
    with retrying(server, time) as client, pytest.raises(Interrupted, match="sent twice"):
        client.transaction(sent, idempotent=True)
    assert versions(behind, resource) == 2


def test_entries_put_off_inside_a_good_answer_can_be_sent_again(faulty: Faulty, behind: Wire, time: Time) -> None:
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
    assert [versions(behind, each) for each in every] == [1] * 5
