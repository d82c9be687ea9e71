"""Carries a plan out, no more and no less, and says what became of each resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from threading import Event, Lock
from time import sleep

from fhir_keta.errors import KetaError
from fhir_keta.server.client import Client
from fhir_keta.server.journal import Journal
from fhir_keta.server.plan import Group, Plan
from fhir_keta.server.result import Report, Result, Status
from fhir_keta.server.send import Run, Sending, send, unsent

_GLANCE = 0.02  # seconds between two looks at what is on its way

Progress = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class _Groups:
    """The groups of a plan on their way, by index. ``begun`` and ``sent`` are kept by the threads that send them."""

    plan: Plan
    run: Run
    progress: Progress | None
    begun: set[int] = field(default_factory=set)
    sent: dict[int, Sending] = field(default_factory=dict)
    ended: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def send(self, index: int) -> int:
        with self.lock:
            if self.ended.is_set():
                return index
            self.begun.add(index)
        self.sent[index] = send(self.plan.groups[index], self.run)
        if self.sent[index].error is not None:
            self.run.client.retry.stop()  # what waits for its turn would come too late
        return index

    def end(self) -> None:
        """Nothing more is begun; returns when all that was has come to its end.

        Not left to the pool: Ctrl-C while it starts a thread makes it forget that thread.
        """
        with self.lock:
            self.ended.set()
        while len(self.begun) > len(self.sent):
            sleep(_GLANCE)

    def tell(self, results: Sequence[Result]) -> None:
        if self.progress is not None:
            for result in results:
                self.progress(result)


def apply(
    plan: Plan,
    client: Client,
    progress: Progress | None = None,
    *,
    workers: int = 1,
    journal: Journal | None = None,
) -> Report:
    """Send what the plan says is to be written, and call ``progress``, in this thread, with each result.

    Each group goes as soon as all that it refers to is there, records after all definitions, and at most ``workers``
    are on their way at a time. A refused resource does not stop the others, except those that refer to it: they are
    skipped. An error of the server or the way to it, or Ctrl-C, stops: what is on its way is waited for (a second
    Ctrl-C does not wait), what follows is not tried. Raises nothing of these; see ``Report``.
    """
    groups = _Groups(plan, Run(client, journal, dict(plan.moved), {}), progress)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="upload")
    told: set[int] = set()
    interrupted: KeyboardInterrupt | None = None
    try:
        for phase in _phases(plan):
            if not _carry_out(phase, groups, pool, workers, told):
                break
        pool.shutdown()
    except KeyboardInterrupt as error:
        interrupted = error
        client.retry.stop()
        with suppress(KeyboardInterrupt):
            groups.end()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    results = [_results(groups, index) for index in range(len(plan.groups))]
    for index in range(len(plan.groups)):
        if index not in told:
            groups.tell(results[index])
    errors = [sending.error for _, sending in sorted(groups.sent.items()) if sending.error is not None]
    return Report(tuple(result for each in results for result in each), interrupted or _worst(errors))


def _worst(errors: Sequence[BaseException]) -> KetaError | KeyboardInterrupt | None:
    """The first error; a fault of this program before all others, and raised."""
    for error in errors:
        if not isinstance(error, KetaError | KeyboardInterrupt):
            raise error
    return next((error for error in errors if isinstance(error, KetaError | KeyboardInterrupt)), None)


def _results(groups: _Groups, index: int) -> list[Result]:
    if index in groups.sent:
        return groups.sent[index].in_order()
    status: Status = "unknown" if index in groups.begun else "not tried"
    return [unsent(entry, status, entry.reason, groups.run.journal) for entry in groups.plan.groups[index].entries]


def _phases(plan: Plan) -> Iterator[list[int]]:
    """The groups of definitions only, then all others: not every use of a definition is a reference to it."""
    definitions = [_defines(group) for group in plan.groups]
    yield [index for index, defines in enumerate(definitions) if defines]
    yield [index for index, defines in enumerate(definitions) if not defines]


def _defines(group: Group) -> bool:
    return all(entry.incoming.is_definition for entry in group.entries)


def _carry_out(phase: Sequence[int], groups: _Groups, pool: ThreadPoolExecutor, workers: int, told: set[int]) -> bool:
    """Send the groups of one phase; False when an error ended it early."""
    needed = {index: {each for each in groups.plan.groups[index].needs if each not in groups.sent} for index in phase}
    wanted: dict[int, list[int]] = {}
    for index, needs in needed.items():
        for each in needs:
            wanted.setdefault(each, []).append(index)
    ready = [index for index, needs in needed.items() if not needs]
    heapify(ready)
    running: set[Future[int]] = set()
    sound = True
    while running or (ready and sound):
        while ready and sound and len(running) < workers:
            running.add(pool.submit(groups.send, heappop(ready)))
        finished, running = wait(running, return_when=FIRST_COMPLETED)
        for index in sorted(future.result() for future in finished):
            sound = sound and groups.sent[index].error is None
            for each in wanted.get(index, ()):
                needed[each].discard(index)
                if not needed[each]:
                    heappush(ready, each)
            told.add(index)
            groups.tell(groups.sent[index].in_order())
    return sound
