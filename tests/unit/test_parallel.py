"""Work in several processes: the answers in order, flat memory, and an end whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from fhir_keta.errors import DefinitionError, KetaError
from fhir_keta.records.source import Place, Record
from fhir_keta.reporting import checking
from fhir_keta.reporting.checking import results
from fhir_keta.validation import parallel
from fhir_keta.validation.issue import Issue
from fhir_keta.validation.parallel import in_order


def squared(number: int) -> tuple[int, int]:
    time.sleep(0.002 if number % 3 == 0 else 0)  # answers come out of order
    return number * number, os.getpid()


def failing(number: int) -> int:
    if number == 5:
        raise DefinitionError("five; take six")
    if number == 7:
        raise ZeroDivisionError("secret 42")
    return number


def dying(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def endless(number: int) -> int:
    while True:
        time.sleep(1)


def doubled(data: bytes) -> bytes:
    return data * 2


def who_checks(data: bytes) -> list[Issue]:
    return [Issue("information", "value", "x", "", str(os.getpid()), Place("", 1, 1))]


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    yield
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_in_order_by_so_many_processes(jobs: int) -> None:
    found = list(in_order(squared, range(200), jobs))
    assert [square for square, _ in found] == [number * number for number in range(200)]
    processes = {process for _, process in found}
    assert (len(processes), os.getpid() in processes) == (jobs, False)


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "Process", None)
    assert list(in_order(squared, [], 2)) == []


def test_no_more_is_read_than_is_soon_worked_on() -> None:
    read = 0

    def counted() -> Iterator[int]:
        nonlocal read
        for number in range(1, 10_001):
            read = number
            yield number

    most = 0
    for done, (square, _) in enumerate(in_order(squared, counted(), 2), start=1):
        assert square == done * done
        most = max(most, read - done)
    assert most <= 17  # eight a process, and the one being read


def test_answers_and_questions_larger_than_a_pipe_holds() -> None:
    sizes = (3_000_000, 0, 5_000_000, 200_000, 100, 16_000, 17_000)
    given = [bytes([number]) * size for number in range(4) for size in sizes]
    assert list(in_order(doubled, given, 2)) == [each * 2 for each in given]


def test_questions_larger_than_a_pipe_holds_where_no_memory_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_desks", lambda: ())
    given = [bytes([number]) * 3_000_000 for number in range(6)]
    assert list(in_order(doubled, given, 2)) == [each * 2 for each in given]


@pytest.mark.parametrize(
    ("work", "number", "message"),
    [
        (failing, 5, "five; take six"),
        (dying, 5, "ended by signal 9"),
    ],
)
def test_what_is_raised_stands_where_its_answer_would(work: Callable[[int], int], number: int, message: str) -> None:
    answers = in_order(work, range(100), 2)
    assert [next(answers) for _ in range(number)] == list(range(number))
    with pytest.raises(KetaError, match=message) as raised:
        next(answers)
    assert raised.value.exit_code == (2 if work is failing else 3)


def test_a_fault_of_ours_is_named_without_its_text() -> None:
    with pytest.raises(KetaError, match=r"ZeroDivisionError in test_parallel\.py:\d+") as raised:
        list(in_order(failing, [7], 2))
    assert "secret" not in str(raised.value)
    assert raised.value.exit_code == 3


def test_closing_ends_processes_that_are_busy() -> None:
    def then_stop() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(in_order(endless, then_stop(), 2))  # comes back only if it ends them


@pytest.mark.parametrize(("records", "size"), [(20, 10**9), (10**9, 20 * 8)])
def test_few_records_are_worth_no_process(records: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "ALONE_RECORDS", records)
    monkeypatch.setattr(checking, "ALONE_BYTES", size)
    given = [Record(b'{"a": 1}', Place("a", number)) for number in range(2_000)]
    checked = list(results(given, who_checks, 2))
    assert [each.place.line for each in checked] == list(range(2_000))
    processes = [int(each.findings[0].message) for each in checked]
    assert set(processes[:20]) == {os.getpid()}
    assert os.getpid() not in processes[20:]
    assert len(set(processes[20:])) == 2
