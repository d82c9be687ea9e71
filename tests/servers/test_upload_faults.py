"""A whole upload, and taking it back, while the server fails at random: whatever it takes, all is there once.

FHIR_KETA_FAULT_SEEDS says how often on the sandbox; on each other server it is a third of that.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_keta.cli.main import main
from fhir_keta.server.journal import read
from fhir_keta.server.retry import Retry
from tests.servers.faults import PASSING, Fault, FaultServer, seeded
from tests.servers.test_kill_resume import check_taken_back, check_uploaded, prepared
from tests.servers.trouble import Time
from tests.servers.wire import Wire

# Besides what passes: what ends a run, so that it has to be resumed, and answers without a version.
FAULTS = (*PASSING, Fault.HTML, Fault.HTML_AFTER, Fault.WRONG_ETAG)
MOST_RUNS = 100
SEEDS = int(os.environ.get("FHIR_KETA_FAULT_SEEDS", "6"))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take no time."""

    def patient(_options: object) -> Retry:
        time = Time()
        return Retry(1e9, sleep=time.sleep, clock=time.clock)

    monkeypatch.setattr("fhir_keta.cli.upload.patience", patient)
    monkeypatch.setattr("fhir_keta.cli.remove.patience", patient)


def until(done: int, *arguments: str | Path) -> None:
    """Run until it ends as it is to, resuming each time; nothing but the server's failing may come between."""
    journal = Path(arguments[-1])
    for _ in range(MOST_RUNS):
        begun = "--resume" if arguments[0] == "upload" and journal.exists() else "--journal"
        result = CliRunner().invoke(main, [*map(str, arguments[:-1]), begun, str(journal)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        if result.exit_code == done:
            return
        assert result.exit_code == 3, result.output
    raise AssertionError(f"still not done after {MOST_RUNS} runs")


@pytest.mark.parametrize("seed", range(SEEDS // 3))
def test_an_upload_gets_through_and_back_on_any_server(server: Wire, seed: int, tmp_path: Path) -> None:
    there_and_back(server, seed, tmp_path)


@pytest.mark.parametrize("seed", range(SEEDS // 3, SEEDS))
def test_an_upload_gets_through_and_back(behind: Wire, seed: int, tmp_path: Path) -> None:
    there_and_back(behind, seed, tmp_path)


def there_and_back(behind: Wire, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    sources = tmp_path / "sources"
    sources.mkdir()
    made = prepared(sources, behind)
    journal = tmp_path / "journal"
    with FaultServer(behind.url, seeded(seed, 0.5, FAULTS)) as server:
        pace = ["--workers", str(chance.choice((1, 4))), "--batch-size", str(chance.choice((1, 4)))]
        until(0, "upload", sources, "--server", server.url, *pace, journal)
        check_uploaded(made, behind)
        created = [sent for sent in read(journal).sent.values() if sent.status == "created"]
        assert len(created) == len(made.resources) - 1
        until(1, "remove", "--server", server.url, "--yes", journal)  # 1: what it updated stays as it is now
        check_taken_back(made, behind)
    assert len([asked for asked in server.asked if asked.fault is not None]) > 10
