"""The whole command ``fhir-keta validate``: its start, and its memory and pace on large input."""

from __future__ import annotations

import gzip
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.05  # seconds between two looks at the memory
_TURNS = 5


@dataclass(frozen=True)
class Spent:
    """What a command and the processes it started took; ``megabytes`` at most, memory that they share counted once."""

    cpu: float
    seconds: float
    megabytes: float


def spent(*command: str) -> Spent:
    """Run a Python command to its end; reads /proc, so only on Linux."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, started, most = os.times(), time.monotonic(), 0.0
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, *command], env=environment, **streams) as process:
        while process.poll() is None:
            most = max(most, sum(_kilobytes(each) for each in _with_children(process.pid)) / 1024)
            time.sleep(_LOOK)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(used, time.monotonic() - started, most)


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


def large_input(folder: Path, data: list[bytes], megabytes: int) -> None:
    """NDJSON of so many megabytes, plain and compressed, in one process and in two."""
    data = random.Random(1).sample(data, len(data))
    plain, packed = folder / "records.ndjson", folder / "records.ndjson.gz"
    with plain.open("wb") as stream, gzip.open(packed, "wb", compresslevel=1) as compressed:
        while stream.tell() < megabytes * 10**6:
            lines = b"".join(each + b"\n" for each in data)
            stream.write(lines)
            compressed.write(lines)
    print(f"\nThe whole command on {megabytes} MB, medians of {_TURNS} turns of one job and two")
    for file in (plain, packed):
        turns = [(_validated(file, jobs=1), _validated(file, jobs=2)) for _ in range(_TURNS)]
        for number in (0, 1):
            each = [turn[number] for turn in turns]
            memory = f"at most {max(one.megabytes for one in each):.0f} MB in all its processes"
            cpu, wall = statistics.median(one.cpu for one in each), statistics.median(one.seconds for one in each)
            print(f"  {file.suffix:8} --jobs {number + 1}: {memory}, {cpu:.1f} s CPU, {wall:.1f} s")
        ratios = sorted(alone.seconds / both.seconds for alone, both in turns)
        spread = f"({ratios[0]:.2f}-{ratios[-1]:.2f})"
        print(f"  {file.suffix:8} two jobs are {statistics.median(ratios):.2f} times as fast {spread}")
        file.unlink()


def _validated(file: Path, jobs: int) -> Spent:
    return spent("-m", "fhir_keta", "validate", "--jobs", str(jobs), str(file))
