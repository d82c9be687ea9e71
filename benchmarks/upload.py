"""How fast records get into a real HAPI, beside a bare script that posts the same ready-made requests.

Run ``python -m benchmarks.upload``; ``--help`` names the options. It starts a HAPI of its own. Wall time; contenders
take turns, each time with records of new ids (the example export, a course of treatment, once for each patient), after
one turn that does not count; the median over the rounds. Before each turn the server is emptied: its database in memory
looks a list of ids up by going through all resources, so that every turn would be slower than the one before.

The bare script reads, compares and journals nothing: what it reaches is the server's limit. fhir-populator
(``pip install -r benchmarks/requirements.txt``) gets records that its order of types can load.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import importlib.util
import io
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from benchmarks.records import EXPORT
from fhir_keta.records.source import Place, Record
from fhir_keta.server import message
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.journal import begin
from fhir_keta.server.plan import Plan, plan
from fhir_keta.server.read_back import read_back
from tests.servers.hapi import Hapi

JsonObject = dict[str, Any]

WORKERS = (1, 2, 4)
HEADERS = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json", "Prefer": "return=minimal"}


def courses(patients: int) -> list[JsonObject]:
    """The example export for each of some patients, under ids that no server has seen; all references are within."""
    lines = [line for file in sorted(EXPORT.glob("*.ndjson")) for line in file.read_bytes().splitlines()]
    return [resource for _ in range(patients) for resource in _renamed([json.loads(line) for line in lines])]


def _renamed(resources: Sequence[JsonObject]) -> list[JsonObject]:
    run = uuid.uuid4().hex[:12]
    names = {f"{each['resourceType']}/{each['id']}": f"b{run}-{number}" for number, each in enumerate(resources)}

    def value(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: value(each) for name, each in found.items()}
        if isinstance(found, list):
            return [value(each) for each in found]
        return f"{found.split('/')[0]}/{names[found]}" if isinstance(found, str) and found in names else found

    return [{**value(each), "id": names[f"{each['resourceType']}/{each['id']}"]} for each in resources]


def plain(count: int) -> list[JsonObject]:
    """A patient and Observations that refer to nothing else: what a loader without an order of its own can bring."""
    kept = ("resourceType", "id", "meta", "status", "category", "code", "subject", "effectiveDateTime", "valueCoding")
    course = _renamed([json.loads(line) for line in (EXPORT / "Patient.ndjson").read_bytes().splitlines()])
    made = [json.loads(line) for line in (EXPORT / "Observation.ndjson").read_bytes().splitlines()]
    for number in range(count - len(course)):
        source = {name: each for name, each in made[number % len(made)].items() if name in kept}
        source["subject"] = {"reference": f"Patient/{course[0]['id']}"}
        course.append({**source, "id": f"{course[0]['id']}-{number}"})
    return course


def records(resources: Sequence[JsonObject]) -> list[Record]:
    return [Record(json.dumps(each).encode(), Place("records.ndjson", n)) for n, each in enumerate(resources, 1)]


def empty(url: str) -> None:
    """Remove all that the server has, for good."""
    everything = {"name": "expungeEverything", "valueBoolean": True}
    body = {"resourceType": "Parameters", "parameter": [everything]}
    requests.post(f"{url}/$expunge", json=body, headers=HEADERS, timeout=600).raise_for_status()


def bare(planned: Plan, url: str, workers: int) -> float:
    """Seconds to post what the plan would send, made ready before, each request after those that it needs."""
    ready: list[tuple[str, str, bytes]] = []
    for group in planned.groups:
        if group.transaction:
            ready.append(("POST", url, message.bundle(group, group.entries, {})))
        else:
            item = group.entries[0].incoming
            ready.append(("PUT", f"{url}/{item.type}/{item.id}", message.single(group.entries[0], {})))
    own = threading.local()
    sent: list[Future[None]] = []

    def send(index: int) -> None:
        for needed in planned.groups[index].needs:
            sent[needed].result()
        if not hasattr(own, "session"):
            own.session = requests.Session()
            own.session.trust_env = False
        method, address, body = ready[index]
        own.session.request(method, address, data=body, headers=HEADERS, timeout=600).raise_for_status()

    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for index in range(len(ready)):
            sent.append(pool.submit(send, index))
    _finished(sent)
    return time.perf_counter() - started


def _finished(sent: Sequence[Future[None]]) -> None:
    for each in sent:
        each.result()


def ours(given: Sequence[Record], url: str, workers: int, batch: int, journal: Path) -> dict[str, float]:
    """Seconds of each part of an upload."""
    with Client(url) as client:
        started = time.perf_counter()
        planned = plan(given, client, batch_size=batch, workers=workers)
        planned_at = time.perf_counter()
        with begin(journal, planned, {}) as written:
            report = apply(planned, client, workers=workers, journal=written)
            sent_at = time.perf_counter()
            report = read_back(planned, report, client, written, workers=workers)
        ended = time.perf_counter()
    if not report.complete or report.counts().keys() != {"created"}:
        raise SystemExit(f"not everything was created: {report.counts()} {report.stopped or ''}")
    return {"plan": planned_at - started, "send": sent_at - planned_at, "read back": ended - sent_at}


def populator(resources: Sequence[JsonObject], url: str, python: str, folder: Path) -> float:
    """Seconds that fhir-populator takes for the records as a package, which it gets from a registry of our own."""
    package = folder / "records" / "1.0.0"
    package.parent.mkdir(parents=True, exist_ok=True)
    manifest = {"name": "records", "version": "1.0.0", "description": "records"}
    with tarfile.open(package, "w:gz") as archive:
        named = {f"{each['resourceType']}-{each['id']}.json": each for each in resources}
        for name, content in {"package.json": manifest, **named}.items():
            data = json.dumps(content).encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as registry:
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        command = [python, "-m", "fhir_populator", "--endpoint", url, "--non-interactive", "--log-level", "ERROR"]
        command += ["--registry-url", f"http://127.0.0.1:{registry.server_port}", "--package", "records@1.0.0"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - started
        registry.shutdown()
    subject = next(each["id"] for each in resources if each["resourceType"] == "Patient")
    count = f"{url}/Observation?subject=Patient/{subject}&_summary=count"
    arrived = 1 + requests.get(count, headers={"Cache-Control": "no-cache"}, timeout=60).json()["total"]
    if arrived != len(resources):
        raise SystemExit(f"fhir-populator brought {arrived} of {len(resources)}:\n{done.stdout[-2000:]}{done.stderr}")
    return taken


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def beside_the_bare_script(url: str, patients: int, batch: int, rounds: int, folder: Path) -> None:
    times: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds + 1):
        for workers in WORKERS if number % 2 else reversed(WORKERS):
            with Client(url) as client:
                planned = plan(records(courses(patients)), client, batch_size=batch, workers=workers)
            given, journal = records(courses(patients)), folder / uuid.uuid4().hex
            turn: dict[str, float] = {}
            for contender in ("bare", "ours") if number % 2 else ("ours", "bare"):
                empty(url)
                if contender == "bare":
                    turn["bare"] = bare(planned, url, workers)
                else:
                    turn |= ours(given, url, workers, batch, journal)
            told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in turn.items())
            print(f"round {number}, workers {workers}: {told}", file=sys.stderr)
            if number:
                for name, seconds in turn.items():
                    times.setdefault((name, workers), []).append(seconds)
    total, posted = len(planned.entries), len(planned.groups)
    print(f"\nCourses of {patients} patients: {total} records in {posted} requests of at most {batch}; records/s")
    print(f"{'':10}{'bare':>8}{'plan':>8}{'send':>8}{'read back':>11}{'all three':>11}   of the bare script")
    for workers in WORKERS:
        each = {name: times[name, workers] for name in ("bare", "plan", "send", "read back")}
        each["all"] = [sum(parts) for parts in zip(each["plan"], each["send"], each["read back"], strict=True)]
        rate = {name: total / statistics.median(seconds) for name, seconds in each.items()}
        named = f"{workers} worker{'s' if workers > 1 else ''}"
        print(
            f"{named:10}{rate['bare']:>8.0f}{rate['plan']:>8.0f}{rate['send']:>8.0f}{rate['read back']:>11.0f}"
            f"{rate['all']:>11.0f}   sending {_ratio(each['bare'], each['send'])}, "
            f"plan to read-back {_ratio(each['bare'], each['all'])}"
        )


def _ratio(bare: Sequence[float], seconds: Sequence[float]) -> str:
    """How fast it was beside the bare script of the same round: the median over the rounds, and from where to where."""
    ratios = sorted(one / other for one, other in zip(bare, seconds, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"


def beside_populator(url: str, python: str, count: int, batch: int, rounds: int, folder: Path) -> None:
    def of_ours() -> float:
        return sum(ours(records(plain(count)), url, WORKERS[-1], batch, folder / uuid.uuid4().hex).values())

    contenders: dict[str, Callable[[], float]] = {
        "fhir-populator 1.3.0": lambda: populator(plain(count), url, python, folder),
        f"fhir-keta, {WORKERS[-1]} workers, plan to read-back": of_ours,
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            empty(url)
            taken = run()
            if number:
                times[name].append(taken)
    print(f"\n{count} records, a patient and Observations: records/s")
    for name, seconds in times.items():
        print(f"{count / statistics.median(seconds):>8.0f}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Records per second into HAPI.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patients", type=int, default=2, help="791 records each")
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--plain", type=int, default=300, help="records of the comparison with fhir-populator")
    parser.add_argument(
        "--populator", default=sys.executable, metavar="PYTHON", help="a Python that has fhir-populator"
    )
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(Hapi()).url
        beside_the_bare_script(url, chosen.patients, chosen.batch_size, chosen.rounds, folder)
        if chosen.populator == sys.executable and importlib.util.find_spec("fhir_populator") is None:
            print("\nfhir-populator is not here: pip install -r benchmarks/requirements.txt")
            return
        beside_populator(url, chosen.populator, chosen.plain, chosen.batch_size, min(chosen.rounds, 2), folder)


if __name__ == "__main__":
    main()
