"""When a request is sent again: Retry-After in every form (RFC 9110, 10.2.3 and 5.6.7), the budget, a pause for all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from fhir_keta.errors import KetaError, ServerError, UsageError
from fhir_keta.server.retry import Retry, Stopped
from fhir_keta.server.transport import Lost, NotReached, Response

# RFC 9110, 5.6.7, writes this moment in three ways; in seconds since 1970 it is 784111777.
MOMENT = 784111777
RFC_1123 = "Sun, 06 Nov 1994 08:49:37 GMT"


def response(status: int, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response("PUT", "http://server.example/fhir/Patient/a", status, named, b"", 1.0)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time zone that is not GMT, which all dates of HTTP are in, also where they don't say so."""
    monkeypatch.setenv("TZ", "America/Lima")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 3 ", 3),
        ("0", 0),
        ("1.5", 1.5),
        (RFC_1123, 20),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 20),
        ("Sun Nov  6 08:49:37 1994", 20),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
        ("Sun, 06 Nov 1994 09:49:37 +0100", 20),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("٣", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_retry_after_in_every_form(value: str, seconds: float | None) -> None:
    """The clock here stands 20 s before the moment."""
    assert Retry(today=lambda: MOMENT - 20.0).seconds_asked({"Retry-After": value}) == seconds


def test_a_date_is_taken_against_the_clock_of_the_server() -> None:
    headers = {"Date": "Sun, 06 Nov 1994 08:49:30 GMT", "Retry-After": RFC_1123}
    assert Retry(today=lambda: MOMENT + 5000.0).seconds_asked(headers) == 7
    assert Retry(today=lambda: MOMENT - 2.0).seconds_asked({**headers, "Date": "nonsense"}) == 2


def test_without_a_budget_nothing_is_tried_again() -> None:
    waits: list[float] = []
    retry = Retry(0.0, sleep=waits.append)
    assert retry.run(lambda: response(429), idempotent=True).response.status == 429
    assert waits == []


def test_what_one_thread_is_told_holds_the_others_back() -> None:
    """The clock stands still in the first wait: another thread waits as long, and a little more."""
    waits: list[float] = []
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds if len(waits) > 1 else 0

    retry = Retry(sleep=sleep, clock=lambda: now, chance=lambda: 0.5)
    assert retry.tries().again(30.0)
    assert retry.run(lambda: response(200), idempotent=False).response.status == 200
    assert waits == [30.25, 30.25]
    assert retry.run(lambda: response(200), idempotent=False).response.status == 200
    assert len(waits) == 2


def test_waits_that_end_together_are_told_once() -> None:
    said: list[float] = []
    now = 0.0
    retry = Retry(sleep=lambda _seconds: None, clock=lambda: now, chance=lambda: 1.0, on_wait=said.append)
    one, other = retry.tries(), retry.tries()
    assert one.again(10.0)
    assert other.again(10.0)
    assert said == [10.5]
    now = 20.0
    assert one.again()
    assert said == [10.5, 2.0]


def test_stopping_ends_every_wait() -> None:
    waiting = Event()
    retry = Retry(1e6, on_wait=lambda _seconds: waiting.set())
    went_on: list[bool] = []
    thread = Thread(target=lambda: went_on.append(retry.tries().again(1e5)))
    thread.start()
    waiting.wait()
    retry.stop()
    thread.join()
    assert went_on == [False]
    assert not retry.tries().again(0.0)
    with pytest.raises(Stopped, match="ended before this was sent"):
        retry.run(lambda: response(200), idempotent=True)


def test_no_connection_is_tried_again_where_one_was_before() -> None:
    gone = [NotReached("gone.", answered_before=True)]

    def send() -> Response:
        if gone:
            raise gone.pop()
        return response(201)

    tried = Retry(sleep=lambda _seconds: None).run(send, idempotent=False)
    assert (tried.response.status, tried.repeated) == (201, False)


@pytest.mark.parametrize(
    "error", [NotReached("gone.", answered_before=False), ServerError("TLS."), UsageError("File.")]
)
def test_what_got_lost_outweighs_why_it_could_not_be_sent_again(error: KetaError) -> None:
    answers = iter([Lost("cut.", running=False), error])

    def send() -> Response:
        raise next(answers)

    with pytest.raises(Lost, match=str(error)) as lost:
        Retry(sleep=lambda _seconds: None).run(send, idempotent=True)
    assert lost.value.__cause__ is error


def test_a_conditional_request_is_not_sent_beside_one_that_may_be_running() -> None:
    timed_out = [Lost("time is up.", running=True)]
    retry = Retry(sleep=lambda _seconds: None)
    with pytest.raises(Lost):
        retry.run(lambda: _raise(timed_out.pop()), idempotent=True, conditional=True)


def test_what_is_not_idempotent_is_not_sent_again_once_lost() -> None:
    cut = [Lost("cut.", running=False)]
    with pytest.raises(Lost):
        Retry(sleep=lambda _seconds: None).run(lambda: _raise(cut.pop()), idempotent=False)


def _raise(error: Exception) -> Response:
    raise error
