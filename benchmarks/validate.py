"""What a verdict costs, as a multiple of parsing the same bytes.

Run: ``python benchmarks/validate.py [ROUNDS]``. CPU time of this process, the contenders interleaved record by record
within each round, the median over the rounds; ratios to orjson.loads of the same records in the same run. The records
are the example export's Observations and QuestionnaireResponses: all distinct.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from fhir.resources.R4B import get_fhir_model_class

from fhir_keta import Validator

EXPORT = Path(__file__).resolve().parent.parent / "examples" / "export"
KINDS = ("Observation", "QuestionnaireResponse")

Contender = Callable[[bytes], Any]


def records(kind: str) -> list[bytes]:
    return (EXPORT / f"{kind}.ndjson").read_bytes().splitlines()


def contenders(kind: str) -> dict[str, Contender]:
    validator = Validator()
    model = get_fhir_model_class(kind)
    return {
        "orjson.loads": orjson.loads,
        "json.loads": json.loads,
        "fhir_keta Validator.check(bytes)": validator.check,
        "fhir.resources R4B": model.model_validate_json,
    }


def seconds(run: Contender, data: list[bytes]) -> float:
    started = time.process_time()
    for each in data:
        run(each)
    return time.process_time() - started


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for kind in KINDS:
        data = records(kind)
        running = contenders(kind)
        for run in running.values():  # compile and fill caches before measuring
            for each in data:
                run(each)
        times: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(rounds):
            for name, run in running.items():
                times[name].append(seconds(run, data))
        floor = statistics.median(times["orjson.loads"])
        size = sum(map(len, data)) / len(data)
        print(f"\n{kind}: {len(data)} records, {size:.0f} bytes on average, {rounds} rounds")
        for name, measured in times.items():
            middle = statistics.median(measured)
            print(f"  {name:34} {middle / len(data) * 1e6:8.1f} µs a record   {middle / floor:6.1f} x")


if __name__ == "__main__":
    main()
