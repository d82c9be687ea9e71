"""Whatever comes in: one finding that names the place, or one line that says what to do, and never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhir_keta.cli.main import main

PATIENT = b'{"resourceType":"Patient","id":"p1"}'
PRETTY = b'{\n  "resourceType": "Patient",\n  "id": "p1"\n}\n'
GZIPPED = gzip.compress(b"\n".join(b'{"resourceType":"Patient","id":"p%d"}' % number for number in range(1000)))


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["validate", *arguments], input=given)


def nested(name: bytes, levels: int) -> bytes:
    return b'{"resourceType":"Patient","%s":' % name + b'{"%s":' % name * (levels - 1) + b"1" + b"}" * levels


FILES = [
    ("text.json", b"Dear colleague,\n", "json-syntax", 1, 1),
    ("truncated.json", PRETTY[:35], "json-syntax", 3, 5),
    ("one-comma-too-many.json", b'{\n"resourceType":"Patient",\n}', "json-syntax", 2, 25),
    ("latin-1.json", b'{"resourceType":"Patient",\n"name":[{"family":"M\xfcller"}]}', "json-encoding", 2, 21),
    ("utf-16.json", PATIENT.decode().encode("utf-16"), "json-encoding", 1, 1),
    ("utf-16.ndjson", (PATIENT.decode() + "\n").encode("utf-16") * 3, "json-encoding", 1, 1),
    ("empty.json", b"", "json-empty", 1, 1),
    ("empty.ndjson", b"", "json-empty", 1, 1),
    ("blank.json", b" \n\n", "json-empty", 1, 1),
    ("array.json", b"[" + PATIENT + b"]", "json-not-object", 1, 1),
    ("null.json", b"null", "json-not-object", 1, 1),
    ("string.json", b'"Patient"', "json-not-object", 1, 1),
    ("no-type.json", b'{"id":"p1"}', "resource-type-missing", 1, 1),
    ("nothing.json", b"{}", "resource-type-missing", 1, 1),
    ("type-unknown.json", b'{"resourceType":"Patience","id":"p1"}', "resource-type-unknown", 1, 1),
    ("type-a-number.json", b'{"resourceType":5}', "resource-type-unknown", 1, 1),
    ("xml.json", b'<?xml version="1.0"?>\n<Patient xmlns="http://hl7.org/fhir"/>\n', "input-xml", 1, 1),
    ("patient.xml", b'<Patient xmlns="http://hl7.org/fhir">\n<id value="p1"/>\n</Patient>', "input-xml", 1, 1),
    ("xml.ndjson", b'<Patient>\n<id value="p1"/>\n</Patient>\n', "input-xml", 1, 1),
    ("deep.json", nested(b"contact", 100), "json-depth", 1, 37 + 63 * 11),
    ("deeper.json", nested(b"contact", 300), "json-depth", 1, 37 + 63 * 11),
    ("very-deep.json", nested(b"contact", 5000), "json-depth", 1, 37 + 63 * 11),
    ("deep-array.json", b'{"resourceType":"Patient","name":' + b"[" * 200_000, "json-depth", 1, 34 + 63),
    ("nan.json", b'{"resourceType":"Observation",\n"valueInteger":NaN}', "json-number", 2, 16),
    ("infinity.json", b'{"resourceType":"Observation",\n"valueInteger":-Infinity}', "json-number", 2, None),
    ("huge.json", b'{"resourceType":"Observation",\n"valueQuantity":{"value":1e400}}', "json-number", 2, 26),
    ("surrogate.json", b'{"resourceType":"Patient","id":"\\ud800"}', "json-syntax", 1, 33),
    ("two.json", PATIENT + PATIENT, "json-syntax", 1, len(PATIENT) + 1),
    ("cut.json.gz", gzip.compress(PRETTY)[:-12], "input-gzip", None, None),
    ("not-gzip.json.gz", PRETTY, "input-gzip", None, None),
    ("trailing.json.gz", gzip.compress(PRETTY) + b"x", "input-gzip", None, None),
    ("second-line.ndjson", PATIENT + b"\n{\n" + PATIENT, "json-syntax", 2, 2),
]


@pytest.mark.parametrize(
    ("name", "data", "rule", "line", "column"),
    FILES,
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_file(tmp_path: Path, name: str, data: bytes, rule: str, line: int | None, column: int | None) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    result = run("--format", "json", str(path))
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["path"], finding["rule"], finding["line"]) == (str(path), rule, line)
    assert column is None or finding["column"] == column
    assert (finding["severity"], result.exit_code) == ("fatal", 1)
    assert "Traceback" not in result.stderr
    text = run(str(path)).stdout
    assert text.startswith(f"{path}:{line or ''}")
    assert text.count("\n") == 1


def test_the_records_around_a_bad_one_are_checked() -> None:
    result = run("--format", "outcome", "-", given=PATIENT + b"\n{]\n\n" + PATIENT + b"\r\n")
    severities = [json.loads(line)["issue"][0]["severity"] for line in result.stdout.splitlines()]
    assert severities == ["information", "fatal", "information"]
    assert (result.exit_code, result.stderr) == (1, "Checked 3 records: 1 error, 0 warnings.\n")


def test_ndjson_gzip_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes(GZIPPED[: len(GZIPPED) // 2])
    result = run(str(path))
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{path}:")
    assert result.stdout.count("\n") == result.stdout.count("[input-gzip]") == 1


@pytest.mark.parametrize(
    "good", [PRETTY, b"\xef\xbb\xbf" + PRETTY, PRETTY.replace(b"\n", b"\r\n"), gzip.compress(PRETTY)]
)
def test_odd_but_right(good: bytes, tmp_path: Path) -> None:
    (tmp_path / "patient.json").write_bytes(good)
    for result in (run(str(tmp_path)), run("-", given=good)):
        assert (result.stdout, result.stderr, result.exit_code) == ("", "Checked 1 record: 0 errors, 0 warnings.\n", 0)


@pytest.mark.parametrize(
    ("name", "remedy"), [("nowhere.json", "no such file or folder"), ("folder", "no .json"), ("a/b/c", "no such file")]
)
def test_places_without_records(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("none here")
    result = run(str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {tmp_path / name}: {remedy}")
    assert result.stderr.count("\n") == 1


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """A socket in the file system, which nobody can open as a file, not even root."""
    path = tmp_path / "socket.json"
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(path))
        result = run(str(path), "-", given=PATIENT)
    assert result.stdout.startswith(f"{path}: fatal [input-unreadable] Cannot be read: ")
    assert (result.exit_code, result.stderr) == (1, "Checked 2 records: 1 error, 0 warnings.\n")


def test_an_unknown_profile_on_the_command_line() -> None:
    result = run("--profile", "https://example.org/nothing", "-", given=PATIENT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert "https://example.org/nothing" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("format", ["text", "json", "junit"])
def test_no_room_for_the_output(format: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"no")
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "fhir_keta", "validate", "--format", format, str(tmp_path)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
    said = done.stderr.splitlines()[-1]
    assert done.returncode == 3
    assert said.startswith(b"Error: the output could not be written (No space left on device). Make room")
    assert b"fault in fhir-keta" not in done.stderr


@pytest.mark.parametrize("format", ["text", "github", "junit", "sarif"])
def test_a_terminal_without_the_letters_of_a_file_name(format: str, tmp_path: Path) -> None:
    (tmp_path / "Größe.json").write_bytes(b"no")
    command = [sys.executable, "-m", "fhir_keta", "validate", "--format", format, str(tmp_path)]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, env=ascii_only)
    assert (done.returncode, done.stderr) == (1, b"Checked 1 record: 1 error, 0 warnings.\n")
    assert done.stdout.isascii()
    written = {"text": b"Gr\\xf6\\xdfe.json:1:1:", "github": b"Gr\\xf6\\xdfe.json,", "sarif": b"Gr%C3%B6%C3%9Fe.json"}
    assert written.get(format, b"Gr&#246;&#223;e.json") in done.stdout
