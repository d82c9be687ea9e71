"""``fhir-keta validate --jobs``: the same output, an end whatever happens, and the bar."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhir_keta.cli.progress import reading

COMMAND = [sys.executable, "-m", "fhir_keta", "validate"]
EXPORT = Path(__file__).resolve().parents[2] / "examples" / "export"
PATIENT = b'{"resourceType":"Patient","id":"p%d"}'


@pytest.fixture
def mixed(tmp_path: Path) -> list[str]:
    """Several files, good and bad records, blank lines, broken JSON, a file that is not there as gzip."""
    lines = []
    for number in range(2500):
        lines.append(PATIENT % number)
        if number % 7 == 0:
            lines.append(
                b'{"resourceType":"Patient","id":"w%d",\r "gender":"%d"}'.replace(b"\r", b" ") % (number, number)
            )
        if number % 31 == 0:
            lines.append(b"")
        if number % 101 == 0:
            lines.append(b'{"resourceType":')
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(lines))
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(b"\n".join(lines[::-1])))
    (tmp_path / "c.json.gz").write_bytes(b"no gzip")
    (tmp_path / "d.json").write_bytes(json.dumps(json.loads(lines[1]), indent=2).encode())
    many = b"\n".join(PATIENT % number for number in range(40_000))  # more than is read at once
    (tmp_path / "e.ndjson").write_bytes(many + b"\n" + lines[1])
    return [str(tmp_path)]


@pytest.mark.parametrize("format", ["text", "json", "outcome"])
def test_the_same_output_with_any_number_of_jobs(mixed: list[str], format: str) -> None:
    one, two, every = (
        subprocess.run([*COMMAND, *mixed, "--format", format, "--jobs", jobs], capture_output=True)
        for jobs in ("1", "2", "0")
    )
    assert one.stdout.count(b"\n") > 600
    assert one.returncode == two.returncode == every.returncode == 1
    assert one.stdout == two.stdout == every.stdout
    assert one.stderr == two.stderr == every.stderr


def test_standard_input_in_two_jobs() -> None:
    given = b"\n".join(PATIENT % number for number in range(5000)) + b"\n{"
    done = subprocess.run([*COMMAND, "-", "--jobs", "2"], input=given, capture_output=True)
    assert done.stdout.startswith(b"<stdin>:5001:2: fatal [json-syntax]")
    assert (done.returncode, done.stderr) == (1, b"Checked 5001 records: 1 error, 0 warnings.\n")


def children(process: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True).stdout
    return [int(each) for each in found.split()]


def started_on_a_pipe() -> subprocess.Popen[bytes]:
    """Two jobs that have begun and wait for more input."""
    process = subprocess.Popen(
        [*COMMAND, "-", "--jobs", "2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(b"\n".join(PATIENT % number for number in range(150_000)))
    process.stdin.flush()
    limit = time.monotonic() + 60
    while len(children(process.pid)) < 2:
        assert time.monotonic() < limit
        time.sleep(0.05)
    return process


def gone(processes: list[int]) -> bool:
    limit = time.monotonic() + 20
    while any(Path(f"/proc/{each}/exe").exists() for each in processes):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc about processes")
class TestEnds:
    def test_interrupted(self) -> None:
        process = started_on_a_pipe()
        workers = children(process.pid)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        out, said = process.communicate(timeout=60)
        assert (process.returncode, out, said.strip()) == (130, b"", b"")
        assert gone(workers)

    def test_a_process_is_killed(self) -> None:
        process = started_on_a_pipe()
        workers = children(process.pid)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        out, said = process.communicate(b"\n" + b"\n".join(PATIENT % number for number in range(9000)), timeout=60)
        assert (process.returncode, out) == (3, b"")
        assert said.startswith(b"Error: a process that checked records was ended by signal 9")
        assert said.count(b"\n") == 1

    def test_the_command_itself_is_killed(self) -> None:
        process = started_on_a_pipe()
        workers = children(process.pid)
        process.kill()
        process.communicate(timeout=60)
        assert gone(workers)

    def test_nobody_reads_the_output(self, mixed: list[str]) -> None:
        with subprocess.Popen(
            [*COMMAND, *mixed * 3, "--jobs", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert (process.stderr.read(), process.wait(60)) == (b"", 141)


def on_a_terminal(arguments: list[str]) -> str:
    pty = pytest.importorskip("pty")
    terminal, ours = pty.openpty()
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=ours) as process:
        os.close(ours)
        said = b""
        while True:
            try:
                said += os.read(terminal, 65536)
            except OSError:  # how a terminal ends
                break
        process.wait(60)
    os.close(terminal)
    return said.decode()


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    data = b"\n".join(PATIENT % number + b" " * 900 for number in range(6000))
    (tmp_path / "patients.ndjson").write_bytes(data)
    (tmp_path / "patients.ndjson.gz").write_bytes(gzip.compress(data, compresslevel=0))
    for name in ("patients.ndjson", "patients.ndjson.gz"):
        said = on_a_terminal([str(tmp_path / name)])
        for part in ("Checking  [", "100%", " MB/s", "Checked 6000 records: 0 errors, 0 warnings."):
            assert part in said
    plain = subprocess.run([*COMMAND, str(tmp_path / "patients.ndjson")], capture_output=True, text=True)
    assert plain.stderr == "Checked 6000 records: 0 errors, 0 warnings.\n"
    assert "Checking" not in plain.stdout
    small = on_a_terminal([str(EXPORT / "Patient.ndjson")])
    assert small == "Checked 1 record: 0 errors, 0 warnings.\r\n"


def test_the_bar_says_how_fast_and_how_long_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    (tmp_path / "zeros.json").write_bytes(bytes(8_000_000))
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with reading([str(tmp_path)]) as advance:
        assert advance is not None
        advance(2_000_000)
        time.sleep(1.1)  # there is no guess in the first second
        advance(2_000_000)
    assert re.search(r" 50%  00:00:0[12]  3\.[0-9] MB/s", terminal.getvalue())
    with reading(["-"]) as advance:
        assert advance is None
