"""The whole command ``fhir-keta validate``: its start, and its memory and pace on large input."""

from __future__ import annotations

import gzip
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.05  # seconds between two looks at the memory
_TURNS = 5


@dataclass(frozen=True)
class Spent:
    """The seconds that a command and the processes it started took, of CPU time and of the clock."""

    cpu: float
    seconds: float


def spent(*command: str) -> Spent:
    """Run a Python command to its end."""
    before, started = os.times(), time.monotonic()
    with _started(command) as process:
        process.wait()
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(used, time.monotonic() - started)


def megabytes(*command: str) -> float:
    """The most memory that a Python command and the processes it starts have at once, what they share counted once.

    Reads /proc, so only on Linux. To look takes time that two processes on two cores do not have to spare: a run of
    its own.
    """
    most = 0.0
    with _started(command) as process:
        while process.poll() is None:
            most = max(most, sum(_kilobytes(each) for each in _with_children(process.pid)) / 1024)
            time.sleep(_LOOK)
    return most


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, *command], env=environment, **streams)


def _with_children(process: int) -> Iterable[int]:
    try:
        return [process, *map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]
    except OSError:
        return []


def _kilobytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def start_up(folder: Path, record: bytes) -> None:
    file = folder / "record.json"
    file.write_bytes(record)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    validate = ("-m", "fhir_keta", "validate", str(file))
    pairs = [(spent(*validate).cpu, spent("-c", "import click").cpu) for _ in range(10)][1:]
    ours, click = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"\nStart to end, one small file: {ours:.2f} s CPU, {ours / click:.1f} x python -c 'import click'")


def large_input(folder: Path, data: list[bytes], size: int) -> None:
    """NDJSON of so many megabytes, plain and compressed, in one process and in two."""
    data = random.Random(1).sample(data, len(data))
    plain, packed = folder / "records.ndjson", folder / "records.ndjson.gz"
    with plain.open("wb") as stream, gzip.open(packed, "wb", compresslevel=1) as compressed:
        while stream.tell() < size * 10**6:
            lines = b"".join(each + b"\n" for each in data)
            stream.write(lines)
            compressed.write(lines)
    print(f"\nThe whole command on {size} MB, medians of {_TURNS} turns of one job and two")
    for file in (plain, packed):
        commands = [("-m", "fhir_keta", "validate", "--jobs", jobs, str(file)) for jobs in ("1", "2")]
        memory = [megabytes(*command) for command in commands]
        turns = [[spent(*command) for command in commands] for _ in range(_TURNS)]
        for number, most in enumerate(memory):
            cpu = statistics.median(turn[number].cpu for turn in turns)
            wall = statistics.median(turn[number].seconds for turn in turns)
            print(
                f"  {file.suffix:8} --jobs {number + 1}: {most:.0f} MB in all processes, {cpu:.1f} s CPU, {wall:.1f} s"
            )
        ratios = sorted(alone.seconds / both.seconds for alone, both in turns)
        spread = f"({ratios[0]:.2f}-{ratios[-1]:.2f})"
        print(f"  {file.suffix:8} two jobs are {statistics.median(ratios):.2f} times as fast {spread}")
        file.unlink()
