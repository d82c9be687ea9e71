"""Work on many records in several processes, the answers in the order of the questions, in bounded memory."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
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

_END_SECONDS = 5.0


def in_order(work: Callable[[Question], Answer], questions: Iterable[Question], jobs: int) -> Iterator[Answer]:
    """Answer questions in up to ``jobs`` processes; yields the answers in the order of the questions.

    ``work`` and the questions are pickled, so they must allow it; what is large in them best as a ``PickleBuffer``,
    which is not copied for that. A question should take milliseconds, or passing it on costs more than answering it.
    Processes are started as they are needed and ended when the iterator is closed.

    Raises what ``work`` raises where its answer would stand: a KetaError as it is, anything else as a KetaError that
    names the place in the code; and a KetaError when a process ends without an answer (killed, out of memory).
    """
    crew = _Crew(work, jobs)
    try:
        for question in questions:
            crew.ask(_pickled(question))
            yield from crew.answered()
            while crew.full:
                crew.listen()
                yield from crew.answered()
        while crew.open:
            crew.listen()
            yield from crew.answered()
    finally:
        crew.end()


Pickled = Sequence["bytes | memoryview"]
"""A pickle, and the buffers that it leaves out."""


def _pickled(question: object) -> Pickled:
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(question, pickle.HIGHEST_PROTOCOL, buffer_callback=buffers.append)
    return [pickled, *(buffer.raw() for buffer in buffers)]


def _size(question: Pickled) -> int:
    return sum(map(len, question))


@dataclass(slots=True)
class _Entry:
    """A question on its way; ``answer`` is filled when it comes."""

    question: Pickled
    answered: bool = False
    answer: Any = None


class _Desk:
    """Memory that two processes share, for large questions: a pipe takes 64 kB at a time."""

    def __init__(self) -> None:
        self._file = os.memfd_create("question")
        self._memory = memoryview(b"")

    def lay(self, parts: Pickled) -> None:
        position, end = 0, _size(parts)
        if len(self._memory) < end:
            os.ftruncate(self._file, end + end // 4)  # the next may be a little larger
        self._open(end)
        for part in parts:
            self._memory[position : position + len(part)] = part
            position += len(part)

    def take(self, lengths: Sequence[int]) -> list[bytes]:
        self._open(sum(lengths))
        ends = [*accumulate(lengths)]
        return [bytes(self._memory[end - length : end]) for end, length in zip(ends, lengths, strict=True)]

    def _open(self, size: int) -> None:
        if len(self._memory) < size:
            self._memory = memoryview(mmap.mmap(self._file, 0))

    def close(self) -> None:
        os.close(self._file)
        self._memory = memoryview(b"")


@dataclass(slots=True)
class _Worker:
    """A process. Its desks take the large ones of its questions.

    Where there are none, it gets one question at a time, so that neither side ever waits for the other to read.
    """

    process: BaseProcess
    connection: Connection
    desks: Sequence[_Desk]
    in_hand: deque[_Entry] = field(default_factory=deque)
    handed: int = 0

    @property
    def has_room(self) -> bool:
        return len(self.in_hand) < (_IN_HAND if self.desks else 1)

    def hand(self, entry: _Entry) -> None:
        question, entry.question = entry.question, ()
        self.in_hand.append(entry)
        self.handed += 1
        lengths = list(map(len, question))
        if not self.desks or sum(lengths) <= _SMALL:
            self.connection.send((None, lengths))
            for part in question:
                self.connection.send_bytes(part)
            return
        number = self.handed % _IN_HAND  # that of the question which was answered last
        self.desks[number].lay(question)
        self.connection.send((number, lengths))

    def close(self) -> None:
        self.connection.close()
        for desk in self.desks:
            desk.close()
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

    def ask(self, question: Pickled) -> None:
        entry = _Entry(question)
        self.open.append(entry)
        self.waiting.append(entry)
        self.bytes_waiting += _size(question)
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
                    self.bytes_waiting -= _size(entry.question)
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


def _desks() -> Sequence[_Desk]:
    """What a new process shares, a desk for each question in hand; none where it does not inherit them."""
    if sys.platform != "linux" or multiprocessing.get_start_method() != "fork":
        return ()
    return [_Desk() for _ in range(_IN_HAND)]


def _answer_all(work: Callable[[Any], Any], connection: Connection, desks: Sequence[_Desk]) -> None:
    """What a process does: answer until there are no more questions, or nobody is there to ask them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the asking process decides what it means
    asking = multiprocessing.parent_process()
    assert asking is not None
    try:
        while connection in wait([connection, asking.sentinel]):
            number, lengths = connection.recv()
            question = [connection.recv_bytes() for _ in lengths] if number is None else desks[number].take(lengths)
            connection.send(_answer(work, question))
    except (EOFError, OSError):
        return


def _answer(work: Callable[[Any], Any], question: Sequence[bytes]) -> object:
    pickled, *buffers = question
    try:
        return work(pickle.loads(pickled, buffers=buffers))
    except KetaError as error:
        return _Raised(error)
    except Exception as error:  # the traceback stays here: say now where it was
        return _Raised(KetaError(own_fault(error)))
