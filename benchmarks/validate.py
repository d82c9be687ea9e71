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
    each_round = len(data) // (4 * rounds)
    of_rounds = each_round * rounds
    seen, unseen, fresh = data[: -2 * of_rounds], data[-2 * of_rounds : -of_rounds], data[-of_rounds:]
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
    refusals(fresh, validator, rounds, floor)
    return floor


def refusals(data: list[bytes], validator: Validator, rounds: int, floor: float) -> None:
    """What a record with a fault costs, compared with the same record without it: neither was seen before.

    Each kind of fault has records of its own, each of which is checked once, first as it was. The last columns compare
    with ``floor``, with a full check of the same records as they were, and with these met again.
    """
    columns = ("findings", "accepted", "lowest", "highest", "orjson", "full check", "met again")
    print(f"  {'refused: times':26}" + "".join(f"{name:>11}" for name in columns))
    medians = []
    kinds = list(refused(data))
    for number, (fault, pairs) in enumerate(kinds):
        parts = [pairs[number + turn * len(kinds) :: len(kinds) * rounds] for turn in range(rounds)]
        costs = [_of_part(part, validator) for part in parts]
        bad, _, full, again = (statistics.median(each) for each in zip(*costs, strict=True))
        ratios = sorted(cost[0] / cost[1] for cost in costs)
        medians.append(statistics.median(ratios))
        findings = statistics.median(len(validator.check(each)) for part in parts for _, each in part)
        shown = (medians[-1], ratios[0], ratios[-1], bad / floor, bad / full, bad / again)
        print(f"    {fault:24}{findings:11.0f}" + "".join(f"{ratio:11.1f}" for ratio in shown))
    middle, range_ = statistics.median(medians), f"{min(medians):.1f} to {max(medians):.1f}"
    print(f"  a refused record costs {middle:.1f} accepted ones, by kind {range_}")


def _of_part(pairs: list[tuple[bytes, bytes]], validator: Validator) -> tuple[float, float, float, float]:
    """Seconds a record: with the fault, without it, a full check without it, without it met again."""
    goods, bads = ([pair[side] for pair in pairs] for side in (0, 1))
    good = seconds(validator.check, goods)
    bad = seconds(validator.check, bads)
    full = seconds(lambda each: validator._findings(orjson.loads(each)), goods)
    again = seconds(validator.check, goods)
    return bad / len(pairs), good / len(pairs), full / len(pairs), again / len(pairs)


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
