"""Work on many records in several processes, the answers in the order of the questions, in bounded memory."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from fhir_keta.errors import KetaError, own_fault

Question = TypeVar("Question")
Answer = TypeVar("Answer")

_AHEAD = 8
"""Questions read for each process before the oldest is answered. A bound on memory, and room for an uneven pace."""

_BYTES_AHEAD = 32 * 2**20
_SMALL = 2**14
_IN_HAND = 2
"""Questions that a process has: so it goes on while its answer is looked at. Small enough together for a pipe."""

_ON_THE_DESK = b"on the desk "
"""In place of a question too large for a pipe, with the number of the desk and its length; no pickle begins so."""

_END_SECONDS = 5.0


def in_order(work: Callable[[Question], Answer], questions: Iterable[Question], jobs: int) -> Iterator[Answer]:
    """Answer questions in up to ``jobs`` processes; yields the answers in the order of the questions.

    ``work`` and the questions are pickled, so they must allow it. A question should take milliseconds, or passing it
    on costs more than answering it. Processes are started as they are needed and ended when the iterator is closed.

    Raises what ``work`` raises where its answer would stand: a KetaError as it is, anything else as a KetaError that
    names the place in the code; and a KetaError when a process ends without an answer (killed, out of memory).
    """
    crew = _Crew(work, jobs)
    try:
        for question in questions:
            crew.ask(pickle.dumps(question, pickle.HIGHEST_PROTOCOL))
            yield from crew.answered()
            while crew.full:
                crew.listen()
                yield from crew.answered()
        while crew.open:
            crew.listen()
            yield from crew.answered()
    finally:
        crew.end()


@dataclass(slots=True)
class _Entry:
    """A question on its way; ``answer`` is filled when it comes."""

    question: bytes
    answered: bool = False
    answer: Any = None


@dataclass(slots=True)
class _Worker:
    """A process. Its desks are files in memory that it shares, for large questions: a pipe takes 64 kB at a time.

    Where there are none, it gets one question at a time, so that neither side ever waits for the other to read.
    """

    process: BaseProcess
    connection: Connection
    desks: tuple[int, ...]
    in_hand: deque[_Entry] = field(default_factory=deque)
    handed: int = 0

    @property
    def has_room(self) -> bool:
        return len(self.in_hand) < (_IN_HAND if self.desks else 1)

    def hand(self, entry: _Entry) -> None:
        question, entry.question = entry.question, b""
        self.in_hand.append(entry)
        self.handed += 1
        if not self.desks or len(question) <= _SMALL:
            self.connection.send_bytes(question)
            return
        number = self.handed % _IN_HAND  # that of the question which was answered last
        laid = 0
        while laid < len(question):
            laid += os.pwrite(self.desks[number], memoryview(question)[laid:], laid)
        self.connection.send_bytes(_ON_THE_DESK + b"%d %d" % (number, len(question)))

    def close(self) -> None:
        self.connection.close()
        for desk in self.desks:
            os.close(desk)
        self.desks = ()


@dataclass
class _Crew(Generic[Question, Answer]):
    """The processes, and the questions that wait for one."""

    work: Callable[[Question], Answer]
    jobs: int
    open: deque[_Entry] = field(default_factory=deque)
    waiting: deque[_Entry] = field(default_factory=deque)
    workers: list[_Worker] = field(default_factory=list)
    bytes_waiting: int = 0

    @property
    def full(self) -> bool:
        """Whether no further question should be read before an answer has come."""
        return len(self.open) >= self.jobs * _AHEAD or (self.bytes_waiting > _BYTES_AHEAD and bool(self.waiting))

    def ask(self, question: bytes) -> None:
        entry = _Entry(question)
        self.open.append(entry)
        self.waiting.append(entry)
        self.bytes_waiting += len(question)
        if len(self.workers) < self.jobs and all(worker.in_hand for worker in self.workers):
            self.workers.append(_start(self.work))
        self._listen(0)
        self._hand_out()

    def listen(self) -> None:
        """Wait for at least one answer, and give its process the next question."""
        self._listen(None)
        self._hand_out()

    def answered(self) -> Iterator[Any]:
        """Everything answered that has nothing unanswered before it."""
        while self.open and self.open[0].answered:
            entry = self.open.popleft()
            if isinstance(entry.answer, _Raised):
                raise entry.answer.error
            yield entry.answer

    def _listen(self, seconds: float | None) -> None:
        busy = {worker.connection: worker for worker in self.workers if worker.in_hand}
        for connection in wait(list(busy), seconds) if busy else ():
            worker = busy[connection]  # type: ignore[index]
            try:
                answer = worker.connection.recv()
            except (EOFError, OSError):
                answer = _Raised(_lost(worker))
                self.workers.remove(worker)
                worker.close()
            for entry in (worker.in_hand.popleft(),) if worker in self.workers else worker.in_hand:
                entry.answer, entry.answered = answer, True

    def _hand_out(self) -> None:
        for most in range(_IN_HAND):  # nobody gets a second one while another has none
            for worker in self.workers:
                if self.waiting and len(worker.in_hand) <= most and worker.has_room:
                    entry = self.waiting.popleft()
                    self.bytes_waiting -= len(entry.question)
                    with suppress(OSError):  # it has ended: listening finds that, too
                        worker.hand(entry)
        if self.waiting and not self.workers:
            self.workers.append(_start(self.work))
            self._hand_out()

    def end(self) -> None:
        """End all processes, whatever they do."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(_END_SECONDS)
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
            worker.process.close()
            worker.close()
        self.workers.clear()


@dataclass(frozen=True, slots=True)
class _Raised:
    """In place of an answer: what the work raised."""

    error: KetaError


def _lost(worker: _Worker) -> KetaError:
    worker.process.join(_END_SECONDS)
    code = worker.process.exitcode
    how = f"ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
    return KetaError(
        f"a process that checked records was {how} before it had answered; look for a lack of memory, or run again "
        "with one job to find the record"
    )


def _start(work: Callable[[Any], Any]) -> _Worker:
    here, there = multiprocessing.Pipe()
    desks = _desks()
    process = multiprocessing.Process(target=_answer_all, args=(work, there, desks), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here, desks)


def _desks() -> tuple[int, ...]:
    """Files in memory that a process inherits, one for each question in hand; none where there is no such thing."""
    if sys.platform != "linux" or multiprocessing.get_start_method() != "fork":
        return ()
    return tuple(os.memfd_create("questions") for _ in range(_IN_HAND))


def _answer_all(work: Callable[[Any], Any], connection: Connection, desks: Sequence[int]) -> None:
    """What a process does: answer until there are no more questions, or nobody is there to ask them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the asking process decides what it means
    asking = multiprocessing.parent_process()
    assert asking is not None
    try:
        while connection in wait([connection, asking.sentinel]):
            question = connection.recv_bytes()
            if desks and question.startswith(_ON_THE_DESK):
                number, length = map(int, question.removeprefix(_ON_THE_DESK).split())
                question = os.pread(desks[number], length, 0)
            connection.send(_answer(work, question))
    except (EOFError, OSError):
        return


def _answer(work: Callable[[Any], Any], question: bytes) -> object:
    try:
        return work(pickle.loads(question))
    except KetaError as error:
        return _Raised(error)
    except Exception as error:  # the traceback stays here: say now where it was
        return _Raised(KetaError(own_fault(error)))
