"""Carrying a plan out: what goes at the same time, what stops it, and what is sent again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Event, Lock, get_ident, main_thread
from typing import Any

import pytest
import requests

from fhir_keta.errors import ServerError
from fhir_keta.records.source import Record
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Answer, Client, Interrupted, Unavailable
from fhir_keta.server.journal import begin, read
from fhir_keta.server.plan import plan
from fhir_keta.server.read_back import read_back
from fhir_keta.server.result import Result
from fhir_keta.server.retry import Retry
from fhir_keta.server.sandbox import Sandbox
from tests.servers.faults import Fault, FaultServer, scripted, writes_only
from tests.servers.trouble import Time
from tests.unit.uploads import PATIENT, about, bundle, code_system, observation, put, record, statuses

Resource = dict[str, Any]
NO_LONGER = 10.0  # seconds until a test that waits for something that does not come fails


@pytest.fixture
def url() -> Iterator[str]:
    with Sandbox() as sandbox:
        yield sandbox.url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, timeout=10) as opened:
        yield opened


def observations(*names: str) -> list[Resource | Record]:
    return [record(observation(each)) for each in names]


class Sends:
    """Stands in for Client.update: counts what is on its way at a time, and may do something to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.at_a_time: list[int] = []
        self.threads: set[int] = set()
        self.meanwhile: Callable[[str], object] = lambda _identity: None
        """What a test has happen while the request for this id is on its way."""
        self._running = 0
        self._lock = Lock()
        self._update = Client.update
        monkeypatch.setattr(Client, "update", lambda *arguments, **options: self.sent(*arguments, **options))

    def sent(self, client: Client, kind: str, identity: str, body: bytes, *, version: str | None = None) -> Answer:
        with self._lock:
            self.begun.append(identity)
            self._running += 1
            self.at_a_time.append(self._running)
            self.threads.add(get_ident())
        try:
            self.meanwhile(identity)
            return self._update(client, kind, identity, body, version=version)
        finally:
            with self._lock:
                self._running -= 1


# At the same time


def test_as_many_as_there_are_workers_and_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sends, together = Sends(monkeypatch), Barrier(3, timeout=NO_LONGER)
    sends.meanwhile = lambda _identity: together.wait()
    report = apply(plan(observations(*"abcdefghi"), client), client, workers=3)
    assert set(statuses(report).values()) == {"created"}
    assert max(sends.at_a_time) == 3
    assert len(sends.threads) == 3


def test_a_thread_has_one_session_for_all_that_it_sends(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    planned, made = plan(observations(*"abcdefghijkl"), client), []

    class Counted(requests.Session):
        def __init__(self) -> None:
            made.append(get_ident())
            super().__init__()

    monkeypatch.setattr(requests, "Session", Counted)
    sends, together = Sends(monkeypatch), Barrier(3, timeout=NO_LONGER)
    sends.meanwhile = lambda _identity: together.wait()
    assert apply(planned, client, workers=3).complete
    assert sorted(made) == sorted(sends.threads)
    assert len(made) == 3


def test_what_is_referred_to_is_there_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of five beside twenty that need the first: each is begun when what it needs has been answered."""
    sends = Sends(monkeypatch)
    chain = [record(observation(f"c{n}", hasMember=[about("Observation", f"c{n - 1}")] if n else [])) for n in range(5)]
    others = [record(observation(f"o{n}", hasMember=[about("Observation", "c0")])) for n in range(20)]
    report = apply(plan([*others, *chain], client), client, workers=4)
    assert set(statuses(report).values()) == {"created"}
    assert sends.begun[0] == "c0"
    assert [each for each in sends.begun if each[0] == "c"] == ["c0", "c1", "c2", "c3", "c4"]


def test_records_wait_for_all_definitions(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is used without a reference to its CodeSystem, so the order cannot come from references alone."""
    sends = Sends(monkeypatch)
    systems = [code_system(id=f"s{n}", url=f"http://example.org/{n}") for n in range(6)]
    apply(plan([*observations("a", "b"), *systems], client), client, workers=4)
    assert set(sends.begun[:6]) == {f"s{n}" for n in range(6)}


def test_the_report_comes_in_the_order_of_the_plan_and_progress_in_this_thread(client: Client) -> None:
    planned = plan(observations(*"abcdefgh"), client)
    seen: list[tuple[Result, int]] = []
    report = apply(planned, client, lambda result: seen.append((result, get_ident())), workers=4)
    assert [result.entry for result in report.results] == planned.entries
    assert {result.entry.target for result, _ in seen} == set("abcdefgh")
    assert {thread for _, thread in seen} == {main_thread().ident}


def test_a_result_tells_of_its_request(client: Client) -> None:
    (result,) = apply(plan([record(PATIENT)], client), client).results
    assert (result.method, result.url, result.http_status) == ("PUT", f"{client.base}/Patient/p", 201)
    assert (result.id, result.version) == ("p", "1")
    assert result.milliseconds is not None
    (refused,) = apply(plan([record({"resourceType": "Patient", "id": "12"})], client), client).results
    assert (refused.method, refused.url, refused.http_status) == ("PUT", f"{client.base}/Patient/12", 400)
    assert refused.milliseconds is not None
    both = apply(plan([record(bundle(*map(put, (observation("a"), observation("b")))))], client), client).results
    assert {(result.method, result.url) for result in both} == {("POST", client.base)}


# What stops it


@pytest.mark.parametrize(("error", "state"), [(Interrupted("lost"), "unknown"), (Unavailable("busy"), "not tried")])
def test_an_error_of_the_server_lets_finish_what_is_on_its_way(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: ServerError, state: str
) -> None:
    sends, together, told = Sends(monkeypatch), Barrier(2, timeout=NO_LONGER), Event()

    def meanwhile(identity: str) -> None:
        together.wait()
        if identity == "a":
            raise error
        assert told.wait(NO_LONGER)  # the other one ends when the error is known

    sends.meanwhile = meanwhile
    report = apply(plan(observations(*"abcd"), client), client, lambda _result: told.set(), workers=2)
    assert report.stopped is error
    assert [result.status for result in report.results] == [state, "created", "not tried", "not tried"]
    assert sorted(sends.begun) == ["a", "b"]


def test_ctrl_c_lets_finish_what_is_on_its_way(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sends, together = Sends(monkeypatch), Barrier(2, timeout=NO_LONGER)

    def meanwhile(identity: str) -> None:
        together.wait()
        if identity == "a":
            signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    sends.meanwhile = meanwhile
    planned = plan(observations(*"abcd"), client)
    with begin(tmp_path / "journal", planned, {}) as journal:
        report = apply(planned, client, workers=2, journal=journal)
    assert isinstance(report.stopped, KeyboardInterrupt)
    assert [result.status for result in report.results] == ["created", "created", "not tried", "not tried"]
    assert {name: sent.status for name, sent in read(tmp_path / "journal").sent.items()} == {
        "Observation/a": "created",
        "Observation/b": "created",
    }


def test_a_second_ctrl_c_does_not_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sends, done = Sends(monkeypatch), Barrier(2, timeout=NO_LONGER)
    interrupts = iter(range(2))

    def meanwhile(_identity: str) -> None:
        for _ in interrupts:
            signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
            with pytest.raises(Exception):  # noqa: B017
                Barrier(2).wait(0.3)
        done.wait()

    sends.meanwhile = meanwhile
    report = apply(plan(observations(*"abc"), client), client, workers=1)
    done.wait()
    assert isinstance(report.stopped, KeyboardInterrupt)
    assert [result.status for result in report.results] == ["unknown", "not tried", "not tried"]


def test_ctrl_c_ends_the_waiting_for_a_busy_server(url: str) -> None:
    """The budget would allow an hour; the wait is a real one."""

    def interrupt(_seconds: float) -> None:
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    with (
        FaultServer(url, writes_only(lambda _asked: Fault.TOO_MANY)) as server,
        Client(server.url, retry=Retry(3600, on_wait=interrupt)) as client,
    ):
        report = apply(plan(observations(*"abc"), client), client, workers=1)
    assert isinstance(report.stopped, KeyboardInterrupt)
    assert [result.status for result in report.results] == ["not tried"] * 3


def test_a_fault_of_ours_is_not_taken_for_one_of_the_server(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "update", lambda *_arguments, **_options: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        apply(plan(observations("a"), client), client)


# What is sent again


def busy(url: str, *faults: Fault | None) -> FaultServer:
    return FaultServer(url, writes_only(scripted(*faults)))


def retrying(server: FaultServer, time: Time, budget: float = 120.0) -> Client:
    return Client(server.url, retry=Retry(budget, sleep=time.sleep, clock=time.clock, chance=lambda: 0.0))


def test_entries_that_were_put_off_are_sent_again(url: str, tmp_path: Path) -> None:
    time, placeholder = Time(), "urn:uuid:5a4c2d3e-0000-4000-8000-000000000001"
    create = {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=http://example.org/i|1"}
    person = {"resourceType": "Patient", "identifier": [{"system": "http://example.org/i", "value": "1"}]}
    entries = [
        {"fullUrl": placeholder, "resource": person, "request": create},
        put(observation("a", subject={"reference": placeholder})),
        put(observation("b", subject={"reference": placeholder})),
        put(observation("c")),
    ]
    with busy(url, Fault.TOO_MANY_WITHIN, Fault.TOO_MANY_WITHIN) as server, retrying(server, time) as client:
        planned = plan([record(bundle(*entries))], client)
        with begin(tmp_path / "journal", planned, {}) as journal:
            report = apply(planned, client, journal=journal)
        assert [result.status for result in report.results] == ["created"] * 4
        assert read_back(planned, report, client).complete
        assert [each.path for each in server.writes] == ["", "", ""]
    assert time.waits == [7.0, 7.0]  # what the server asked for
    assert [sent.status for sent in read(tmp_path / "journal").sent.values()] == ["created"] * 4
    with Client(url) as behind:
        (stored,) = behind.search("Patient", {"identifier": "http://example.org/i|1"})
        assert all(
            found is not None and found["subject"] == {"reference": f"Patient/{stored['id']}"}
            for found in (behind.read("Observation", each) for each in "ab")
        )


def test_entries_that_are_put_off_to_the_end_are_not_tried(url: str, tmp_path: Path) -> None:
    with (
        FaultServer(url, writes_only(lambda _asked: Fault.TOO_MANY_WITHIN)) as server,
        retrying(server, Time(), budget=8.0) as client,
    ):
        planned = plan([record(bundle(put(observation("a")), put(observation("b"))))], client)
        with begin(tmp_path / "journal", planned, {}) as journal:
            report = apply(planned, client, journal=journal)
    assert isinstance(report.stopped, Unavailable)
    assert [result.status for result in report.results] == ["not tried", "created"]
    assert {name: sent.status for name, sent in read(tmp_path / "journal").sent.items()} == {
        "Observation/a": "not tried",
        "Observation/b": "created",
    }


def test_a_refused_batch_goes_one_by_one(client: Client, tmp_path: Path) -> None:
    """One of them is refused for itself; of the rest only what refers to it is held back."""
    sources = [
        record({"resourceType": "Patient", "id": "12"}),
        record(PATIENT),
        record({"resourceType": "Patient", "id": "q"}),
        record(observation("of-12", subject=about("Patient", "12"))),
        record(observation("of-p", subject=about("Patient", "p"))),
        record(observation("of-q", subject=about("Patient", "q"))),
        record(observation("of-of-12", hasMember=[about("Observation", "of-12")])),
    ]
    planned = plan(sources, client, batch_size=10)
    assert any(group.splittable and len(group.entries) == 3 for group in planned.groups)
    with begin(tmp_path / "journal", planned, {}) as journal:
        report = apply(planned, client, journal=journal)
    expected = {
        "Patient/12": "refused",
        "Patient/p": "created",
        "Patient/q": "created",
        "Observation/of-12": "skipped",
        "Observation/of-p": "created",
        "Observation/of-q": "created",
        "Observation/of-of-12": "skipped",
    }
    assert statuses(report) == expected
    by_label = {result.entry.incoming.label: result for result in report.results}
    assert "clients may only assign IDs" in by_label["Patient/12"].message
    assert by_label["Observation/of-of-12"].message == "needs Observation/of-12, which is not on the server"
    known = {name: sent.status for name, sent in read(tmp_path / "journal").sent.items()}
    assert known == {name: status for name, status in expected.items() if status != "skipped"}


def test_a_transaction_of_the_sources_is_never_taken_apart(client: Client) -> None:
    whole = record(bundle(put(PATIENT), put({"resourceType": "Patient", "id": "12"})))
    report = apply(plan([whole, *observations("a")], client, batch_size=10), client)
    assert statuses(report) == {"Patient/p": "refused", "Patient/12": "refused", "Observation/a": "created"}
    assert client.read("Patient", "p") is None
