"""``fhir-keta upload --journal``, ``--resume`` and ``fhir-keta remove`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main
from fhir_keta.server.client import Client
from fhir_keta.server.sandbox import Sandbox
from tests.servers.faults import Fault, FaultServer, writes_only
from tests.unit.uploads import PATIENT, observation

Resource = dict[str, Any]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    for resource in (PATIENT, *(observation(each) for each in "abc")):
        (folder / f"{resource['id']}.json").write_text(json.dumps(resource))
    return folder


def keta(*arguments: str | Path, typed: str | None = None) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments)], input=typed)
    assert "Traceback" not in result.output
    return result


def there(sandbox: Sandbox) -> set[str]:
    with Client(sandbox.url) as client:
        found = [*client.search("Patient", {}), *client.search("Observation", {})]
    return {f"{each['resourceType']}/{each['id']}" for each in found}


ALL = {"Patient/p", "Observation/a", "Observation/b", "Observation/c"}


def test_upload_and_take_back(sandbox: Sandbox, records: Path, tmp_path: Path) -> None:
    server, journal = ("--server", sandbox.url), tmp_path / "journal"
    assert keta("upload", records, *server, "--journal", journal).exit_code == 0
    assert there(sandbox) == ALL
    again = keta("upload", records, *server, "--journal", journal)
    assert (again.exit_code, again.stdout) == (2, "")
    assert f"{journal} is there already. Go on with it by --resume {journal}" in again.stderr
    assert keta("upload", records, *server, "--resume", journal).exit_code == 0

    dry = keta("remove", "--journal", journal, *server, "--dry-run")
    planned = [tuple(line.split()) for line in dry.stdout.splitlines()[1:]]
    assert (dry.exit_code, {*planned}) == (0, {(each, "remove") for each in ALL})
    assert there(sandbox) == ALL
    unasked = keta("remove", "--journal", journal, *server)
    assert unasked.exit_code == 2
    assert "add --yes" in unasked.stderr
    assert there(sandbox) == ALL
    done = keta("remove", "--journal", journal, *server, "--yes")
    assert done.exit_code == 0
    assert {tuple(line.split()) for line in done.stdout.splitlines()[-4:]} == {(each, "removed") for each in ALL}
    assert there(sandbox) == set()
    assert keta("remove", "--journal", journal, *server, "--yes").exit_code == 0
    resumed = keta("upload", records, *server, "--resume", journal)
    assert resumed.exit_code == 2
    assert "was taken back" in resumed.stderr


def test_a_run_that_stops_says_how_to_go_on(sandbox: Sandbox, records: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    cut = writes_only(lambda asked: Fault.CUT_AFTER if asked.path.endswith("/b") else None)
    with FaultServer(sandbox.url, cut) as server:
        options = ("--server", server.url, "--workers", "1", "--retry-budget", "0")
        first = keta("upload", records, *options, "--journal", journal)
        assert first.exit_code == 3
        assert f"To go on, call it again with --resume {journal} instead of --journal." in first.stderr
        assert {"Observation/b", "create", "unknown"} in [{*line.split()} for line in first.stdout.splitlines()]
        server.faults = lambda _asked: None
        second = keta("upload", records, *options, "--resume", journal)
        assert second.exit_code == 0
        assert "done: 4 created." in second.stderr
        assert {tuple(line.split()) for line in second.stdout.splitlines()[1:]} == {
            (each, "create", "created") for each in ALL
        }
        assert len(server.carried_out) == 4
        other = keta("upload", records, *options, "--resume", journal, "--overwrite")
        assert other.exit_code == 2
        assert "--overwrite: expected False, found True" in other.stderr
    assert there(sandbox) == ALL


def test_what_stays_is_said_with_the_reason(sandbox: Sandbox, records: Path, tmp_path: Path) -> None:
    server, journal = ("--server", sandbox.url), tmp_path / "journal"
    keta("upload", records, *server, "--journal", journal)
    with Client(sandbox.url) as client:
        client.update("Observation", "a", json.dumps(observation("a", language="de")).encode())
    done = keta("remove", "--journal", journal, *server, "--yes")
    assert done.exit_code == 1
    assert done.stderr.count("Observation/a stays: it was changed since: version 2 instead of 1.") == 1
    assert there(sandbox) == {"Observation/a"}


def test_a_journal_of_another_server(sandbox: Sandbox, records: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    keta("upload", records, "--server", sandbox.url, "--journal", journal)
    with Sandbox() as other:
        refused = keta("remove", "--journal", journal, "--server", other.url, "--yes")
    assert refused.exit_code == 2
    assert f"expected {sandbox.url}, found {other.url}" in refused.stderr
    assert there(sandbox) == ALL


@pytest.mark.parametrize(
    "options",
    [("--journal", "j", "--resume", "j"), ("--journal", "j", "--dry-run"), ("--resume", "j", "--plan", "p")],
)
def test_options_that_do_not_go_together(options: tuple[str, ...]) -> None:
    assert keta("upload", "--server", "http://127.0.0.1:1/fhir", *options).exit_code == 2


def test_a_journal_that_is_none(sandbox: Sandbox, tmp_path: Path) -> None:
    for journal in (tmp_path / "nothing", Path(__file__)):
        result = keta("remove", "--journal", journal, "--server", sandbox.url)
        assert result.exit_code == 2
        assert str(journal) in result.stderr
