import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhir_keta.cli.main import main

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def output() -> str:
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 0, result.output
    return result.output


def test_uploads_everything_once_and_nothing_twice(output: str) -> None:
    definitions = len(list((README.parent / "profiles").glob("*/*.json")))
    records = sum(len(file.read_text().splitlines()) for file in (README.parent / "examples/export").glob("*.ndjson"))
    planned = re.findall(r"^(\S.*\S) +(\d+) planned: (.*)$", output, re.MULTILINE)
    assert planned == [
        ("definitions", str(definitions), f"{definitions} created"),
        ("definitions again", str(definitions), f"{definitions} unchanged"),
        ("course", str(records), f"{records} created"),
        ("course again", str(records), f"{records} unchanged"),
    ]


def test_says_what_a_clinician_must_notice(output: str) -> None:
    warnings = [line for line in output.splitlines() if line.startswith("!")]
    assert any("item 9 above zero" in line and "Flag (active)" in line and "Task (urgent)" in line for line in warnings)
    assert any("adverse event: nausea" in line for line in warnings)
    assert any("discharge refused" in line and "granted" in line for line in warnings)


def test_marks_a_response_only_from_a_drop_by_half(output: str) -> None:
    totals = output.partition("PHQ-9 total of 27")[2].partition("GAD-7")[0]
    rows = [
        (int(total), bool(said))
        for total, said in re.findall(r"^ +\S+ +(\d+) █+ *(at most half)?", totals, re.MULTILINE)
    ]
    first = rows[0][0]
    assert len(rows) == 7
    assert all(said is (total <= first / 2) for total, said in rows)


def test_shows_that_a_wrong_total_is_found(output: str) -> None:
    assert "[response-total]" in output


def test_the_transcript_in_the_readme_is_what_the_demo_prints(output: str) -> None:
    transcript = README.read_text().partition("<!-- demo-transcript -->")[2].split("```")[1]
    shown = [re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line) for line in transcript.splitlines()[1:]]
    printed = [re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line) for line in output.splitlines()]
    ruled = {line for line in shown if set(line) <= {"-"}}
    missing = [line for line in shown if line.strip() not in ("", "...") and line not in ruled and line not in printed]
    assert missing == []


def test_opens_no_connection_to_anywhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect
    reached: list[object] = []

    def noted(self: socket.socket, address: tuple[str, int]) -> None:
        reached.append(address[0])
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    assert CliRunner().invoke(main, ["demo"]).exit_code == 0
    assert set(reached) == {"127.0.0.1"}
