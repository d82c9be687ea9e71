"""What is sent again, and when.

A request that was certainly not carried out (HTTP 429 and 503, no connection to a server that answered before) is sent
again whatever it is. One whose answer got lost (502, 504, a connection broken off, a timeout) is sent again only if
doing it twice is the same as doing it once, for HTTP says no more than that (RFC 9110, 9.2.2). A conditional create
is that only when the first one has ended: two at a time may both find nothing; so not after a timeout or 504.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from threading import Event, Lock

from fhir_keta.errors import KetaError, ServerError
from fhir_keta.server.transport import Lost, NotReached, Response

NOT_CARRIED_OUT = (429, 503)
GOT_LOST = (502, 504)
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


class Stopped(ServerError):
    """The run ended while this request waited for its turn: it was not sent."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The response of the last try. ``repeated``: an earlier one may have been carried out."""

    response: Response
    repeated: bool


class Retry:
    """How long a server may be in trouble: shared by all threads that send to it.

    Each request is tried again until ``budget_seconds`` after its first failure would be over; 0 tries nothing again.
    Waits are as long as the server says (Retry-After, in either form, holds all threads back), otherwise doubled each
    time with a random part. ``on_wait`` is told the seconds of a wait, in the thread that waits; of waits that end
    together it is told one.
    """

    def __init__(
        self,
        budget_seconds: float = 120.0,
        *,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        on_wait: Callable[[float], None] | None = None,
    ) -> None:
        self.budget_seconds = budget_seconds
        self._stopped = Event()
        self._sleep = sleep or self._stopped.wait
        self._clock = clock
        self._today = today
        self._chance = chance
        self._on_wait = on_wait
        self._held_until = self._told_until = clock()
        self._holding = Lock()

    def stop(self) -> None:
        """End all waiting now; from here on nothing is tried again."""
        self._stopped.set()

    def tries(self) -> Tries:
        """The tries of one request, or of one batch some of whose entries are to be sent again."""
        return Tries(self)

    def seconds_asked(self, headers: Mapping[str, str]) -> float | None:
        """The seconds until the time that Retry-After says (RFC 9110, 10.2.3); None without one that can be read.

        A date is taken against the server's own clock (Date), if it says one.
        """
        value = headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
            return float(value)
        until, now = _seconds(value), _seconds(headers.get("Date", ""))
        if until is None:
            return None
        return max(0.0, until - (now if now is not None else self._today()))

    def run(self, send: Callable[[], Response], *, idempotent: bool, conditional: bool = False) -> Tried:
        """Send until there is a response to keep, or the budget is spent: then what came last, whatever its status.

        ``idempotent``: carried out twice it is the same as once; ``conditional``: that only one after the other.
        Raises what ``send`` raises: Lost whenever any try may have been carried out, and Stopped.
        """
        tries = self.tries()
        repeated = False
        while True:
            try:
                self._wait_for_turn()
                response = send()
            except Lost as error:
                if not (idempotent and not (conditional and error.running) and tries.again()):
                    raise
                repeated = True
            except NotReached as error:
                if not (error.answered_before and tries.again()):
                    raise _lost(error, repeated) from error
            except KetaError as error:
                raise _lost(error, repeated) from error
            else:
                lost = response.status in GOT_LOST
                repeatable = idempotent and not (conditional and response.status == 504)
                if not (response.status in NOT_CARRIED_OUT or (lost and repeatable)):
                    return Tried(response, repeated)
                if not tries.again(self.seconds_asked(response.headers)):
                    return Tried(response, repeated)
                repeated = repeated or lost

    def _wait_for_turn(self) -> None:
        """Wait as long as the server asked any thread to; the random part keeps them from all coming back at once."""
        while (wait := self._held_until - self._clock()) > 0:
            self._wait(wait + self._chance() * _FIRST_WAIT)
            if self._stopped.is_set():
                raise Stopped("The run ended before this was sent. Run again: what arrived is found.")

    def _wait(self, seconds: float) -> None:
        until = self._clock() + seconds
        with self._holding:
            longer = until > self._told_until + _FIRST_WAIT
            self._told_until = max(until, self._told_until)
        if longer and self._on_wait is not None:
            self._on_wait(seconds)
        self._sleep(seconds)


@dataclass(slots=True)
class Tries:
    """How often one request has failed, and since when."""

    _retry: Retry
    _failures: int = 0
    _since: float = 0.0

    def again(self, seconds_asked: float | None = None) -> bool:
        """Wait, then True: try again. False, at once: the wait would go beyond the budget, or the run was stopped."""
        retry = self._retry
        now = retry._clock()
        if not self._failures:
            self._since = now
        self._failures += 1
        own = min(_FIRST_WAIT * 2 ** min(self._failures, 10), _LONGEST_WAIT)
        wait = (
            retry._chance() * _FIRST_WAIT + seconds_asked
            if seconds_asked is not None
            else own * (1 + retry._chance()) / 2
        )
        if now + wait - self._since > retry.budget_seconds:
            return False
        if seconds_asked is not None:
            with retry._holding:
                retry._held_until = max(retry._held_until, now + seconds_asked)
        retry._wait(wait)
        return not retry._stopped.is_set()


def _lost(error: KetaError, repeated: bool) -> KetaError:
    """The error itself, unless an earlier try may have been carried out: then that is what counts."""
    return Lost(str(error), running=False) if repeated else error


def _seconds(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
