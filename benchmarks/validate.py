"""What a verdict costs, as a multiple of parsing the same bytes.

Run ``python -m benchmarks.validate``; ``--help`` names the options. CPU time, the contenders interleaved in rounds, the
median over the rounds, ratios to orjson.loads of the same records in the same run. The records are distinct variants of
the example export (``records.py``). HL7's validator is kept and reused (tests/oracle); its process's CPU time counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
from fhir.resources.R4B import get_fhir_model_class

from benchmarks.command import large_input, start_up
from benchmarks.records import EXPORT, distinct, refused
from fhir_keta import Validator
from fhir_keta.validation.engine import _python_engine
from fhir_keta.validation.index import indexed

KINDS = ("Observation", "QuestionnaireResponse")
SLOW = 20
"""Records for the contenders that take milliseconds each."""

REFUSED = 60
"""Records that get each kind of fault."""

Contender = Callable[[bytes], Any]


def seconds(run: Contender, data: Iterable[bytes]) -> float:
    started = time.process_time()
    for each in data:
        run(each)
    return time.process_time() - started


def accepted(kind: str, count: int, validator: Validator) -> list[bytes]:
    data = [record for record in distinct(kind, count) if not validator.check(record)]
    print(f"\n{kind}: {len(data)} distinct records, {sum(map(len, data)) / len(data):.0f} bytes on average")
    if len(data) < count * 0.9:
        raise SystemExit(f"only {len(data)} of {count} variants are valid: mend benchmarks/records.py")
    return data


def in_this_process(kind: str, data: list[bytes], rounds: int) -> float:
    """Print the table of one kind; the floor in seconds a record.

    Most of ``data`` the validator has seen when the measuring begins; each round has records that it has not.
    """
    validator = Validator()
    checker = validator._known(kind)
    engine = _python_engine(checker.compiled.schema)
    each_round = len(data) // (3 * rounds)
    seen, unseen = data[: -each_round * rounds], data[-each_round * rounds :]
    seconds(validator.check, seen)
    contenders: dict[str, tuple[Contender, int]] = {
        "orjson.loads": (orjson.loads, each_round),
        "Validator.check(bytes)": (validator.check, each_round),
        "Validator.check(bytes), met again": (validator.check, each_round),
        "fhir.resources R4B": (get_fhir_model_class(kind).model_validate_json, SLOW),
        "jsonschema (Python), our schema": (
            lambda each: engine.is_valid(indexed(orjson.loads(each), checker.compiled.index)),
            SLOW,
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    misses = 0
    for number in range(rounds):
        given = unseen[number * each_round :][:each_round]
        misses += sum(not validator._accepted.accepts(each) for each in given)
        for name, (run, count) in contenders.items():
            times[name].append(seconds(run, given[:count]) / count)
    floor = statistics.median(times["orjson.loads"])
    print(f"  {len(seen)} seen before, then {rounds} rounds of {each_round} that were not")
    for name, each in times.items():
        row(name, statistics.median(each), floor)
    print(f"  {misses / len(unseen):.2%} of those not seen before need the full check")
    refusals(data, validator, rounds, floor, statistics.median(times["Validator.check(bytes)"]))
    return floor


def refusals(data: list[bytes], validator: Validator, rounds: int, floor: float, unseen: float) -> None:
    """What a record with a fault costs, compared with the same record without it.

    That one is met again: most of it is known to be good. The last columns compare with a full check of it, and with
    orjson.loads. ``unseen`` are the seconds that an accepted record takes that was not seen before, on average.
    """
    print(f"  {'refused':36} {'findings':>9} {'median':>9} {'worst':>9} {'of a full check':>16} {'of orjson':>10}")
    ratios: list[float] = []
    of_floor: list[float] = []
    for fault, pairs in refused(data[:: max(1, len(data) // REFUSED)]):
        of_fault, of_full, costs = [], [], []
        for good, bad in pairs:
            if validator.check(bad) and not validator.check(good):
                cost = quickest(lambda bad=bad: validator.check(bad), rounds)
                costs.append(cost / floor)
                of_fault.append(cost / quickest(lambda good=good: validator.check(good), rounds))
                of_full.append(cost / quickest(lambda good=good: validator._findings(orjson.loads(good)), rounds))
        if of_fault:
            findings = statistics.median(len(validator.check(bad)) for _, bad in pairs)
            middle, most, full = statistics.median(of_fault), max(of_fault), statistics.median(of_full)
            parses = f"{statistics.median(costs):8.0f} x"
            print(f"    {fault:34} {findings:9.0f} {middle:7.1f} x {most:7.1f} x {full:14.1f} x {parses}")
            ratios += of_fault
            of_floor += costs
    print(f"  a refused record costs {statistics.median(ratios):.1f} accepted ones, at most {max(ratios):.1f},")
    print(f"  {statistics.median(of_floor) * floor / unseen:.1f} of those not seen before, on average,")
    print(f"  and {statistics.median(of_floor):.0f} times orjson.loads, at most {max(of_floor):.0f}")


def quickest(run: Callable[[], object], rounds: int) -> float:
    """The least CPU seconds of several runs: of one record, the median would be that of what else happens.

    Now and then the clock stands still for the few microseconds that one takes: that is no measure.
    """
    return min(spent for _ in range(rounds + 1) if (spent := seconds(lambda _: run(), [b""])))


def row(name: str, each: float, floor: float) -> None:
    print(f"  {name:36} {each * 1e6:10.1f} µs a record {each / floor:9.1f} x")


def process_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def of_oracle() -> int | None:
    """The id of the process that runs HL7's validator."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"keta.Oracle" in (folder / "cmdline").read_bytes().split(b"\0"):
                return int(folder.name)
        except OSError:
            continue
    return None


def oracle_table(data: dict[str, list[bytes]], floors: dict[str, float], warm_up: int, count: int) -> None:
    from tests import java
    from tests.oracle.oracle import Oracle

    try:
        oracle = Oracle()
    except java.JavaError as error:
        print(f"\nHL7's validator is left out: {error}")
        return
    with oracle:
        for kind in KINDS:
            given = [data[kind][number % len(data[kind])] for number in range(warm_up + count)]
            for each in given[:warm_up]:
                oracle.errors(each)
            process = of_oracle()
            assert process is not None
            before = process_seconds(process)
            for each in given[warm_up:]:
                oracle.errors(each)
            spent = (process_seconds(process) - before) / count
            print(f"\nHL7's validator, {kind}, {count} records after {warm_up}")
            row("HL7 validator 6.10.4, reused", spent, floors[kind])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=30_000, help="of each kind")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--oracle", type=int, default=2000, metavar="N", help="records for HL7's validator; 0: none")
    parser.add_argument("--warm-up", type=int, default=3000, metavar="N", help="records it sees before")
    parser.add_argument("--large", action="store_true", help="also the whole command on 1 GB")
    options = parser.parse_args()
    data: dict[str, list[bytes]] = {}
    floors: dict[str, float] = {}
    for kind in KINDS:
        data[kind] = accepted(kind, options.records, Validator())
        floors[kind] = in_this_process(kind, data[kind], options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        start_up(Path(folder), (EXPORT / "Observation.ndjson").read_bytes().splitlines()[0])
        for megabytes in (10, 1000) if options.large else (10,):
            large_input(Path(folder), data["Observation"] + data["QuestionnaireResponse"], megabytes)
    if options.oracle:
        oracle_table(data, floors, options.warm_up, options.oracle)


if __name__ == "__main__":
    main()
