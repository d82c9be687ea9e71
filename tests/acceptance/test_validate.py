"""The command as a user calls it: what goes to which stream, and the exit codes."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhir_keta._version import __version__
from fhir_keta.cli import main as main_module
from fhir_keta.cli.main import main
from fhir_keta.errors import ServerError, UsageError
from fhir_keta.validation.validator import Validator
from tests.oracle.oracle import Oracle

COMMAND = str(Path(sys.executable).with_name("fhir-keta"))

FINE = {"resourceType": "Patient", "id": "fine"}
NO_STATUS = {"resourceType": "Observation", "id": "no-status", "code": {"text": "weight"}}
UNKNOWN_PROFILE = {"resourceType": "Patient", "id": "w", "meta": {"profile": ["https://example.org/profile"]}}


def run(*arguments: str, given: bytes = b"", environment: dict[str, str] | None = None) -> Result:
    return CliRunner(env=environment).invoke(main, ["validate", *arguments], input=given)


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_nothing_to_find() -> None:
    result = run("-", given=lines(FINE, FINE))
    assert (result.stdout, result.stderr) == ("", "Checked 2 records: 0 errors, 0 warnings.\n")
    assert result.exit_code == 0


def test_a_finding_names_place_resource_element_rule_and_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "records.ndjson"
    path.write_bytes(lines(FINE, NO_STATUS))
    result = run(str(path))
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"{path}:2:1: error Observation/no-status Observation [cardinality-min] ")
    assert "'status'" in line
    assert result.stderr == "Checked 2 records: 1 error, 0 warnings.\n"
    assert result.exit_code == 1


def test_findings_in_a_pretty_printed_bundle_name_the_entry(tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "p1", "gender": "Mrs Miller"}
    entries = [
        {"fullUrl": "https://example.org/Patient/fine", "resource": FINE},
        {"fullUrl": "https://example.org/Patient/p1", "resource": patient},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle, indent=2))
    # by hand: the text's line and column of the value of "gender"
    text = path.read_text().splitlines()
    line = next(number for number, content in enumerate(text, 1) if "gender" in content)
    column = text[line - 1].index('"Mrs') + 1
    result = run(str(path))
    place = f"{path}:{line}:{column}: error Patient/p1 Bundle.entry[1].resource.gender [binding-required] "
    assert result.stdout.startswith(place)
    assert result.stdout.count("\n") == 1
    assert "Miller" not in result.output


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [([], 0), (["--fail-on", "error"], 0), (["--fail-on", "warning"], 1), (["--strict"], 1)],
)
def test_warnings_fail_only_where_asked(options: list[str], exit_code: int) -> None:
    result = run(*options, "-", given=lines(UNKNOWN_PROFILE))
    assert "Patient.meta.profile[0] [profile-unknown]" in result.stdout
    assert result.exit_code == exit_code


def test_profile_on_the_command_line() -> None:
    """R4's Vital Signs profile asks for a category, which base Observation does not."""
    vital = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"display": "x"}}
    profile = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
    assert run("-", given=lines(vital)).exit_code == 0
    result = run("--profile", profile, "-", given=lines(vital))
    assert result.exit_code == 1
    assert "category" in result.stdout


def test_folder_and_gzip_in_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.ndjson.gz").write_bytes(gzip.compress(lines(FINE, NO_STATUS)))
    (tmp_path / "a.json").write_bytes(lines(NO_STATUS))
    (tmp_path / "notes.txt").write_text("passed over")
    result = run("--format", "json", str(tmp_path))
    document = json.loads(result.stdout)
    assert (document["records"], document["counts"]["error"]) == (3, 2)
    places = [(Path(finding["path"]).name, finding["line"]) for finding in document["findings"]]
    assert places == [("a.json", 1), ("b.ndjson.gz", 2)]


def test_outcome_for_every_record() -> None:
    result = run("--format", "outcome", "-", given=lines(FINE, NO_STATUS, FINE, UNKNOWN_PROFILE))
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert {outcome["resourceType"] for outcome in outcomes} == {"OperationOutcome"}
    severities = [outcome["issue"][0]["severity"] for outcome in outcomes]
    assert severities == ["information", "error", "information", "warning"]


@pytest.fixture
def outcomes(tmp_path: Path) -> list[bytes]:
    """Of a record that cannot be read, a fine one, one with an error, one with a warning."""
    (tmp_path / "broken.json").write_bytes(b"{")
    (tmp_path / "records.ndjson").write_bytes(lines(FINE, NO_STATUS, UNKNOWN_PROFILE))
    written = run("--format", "outcome", str(tmp_path)).stdout.encode().splitlines()
    assert len(written) == 4
    return written


def test_outcomes_are_valid_by_our_own_verdict(outcomes: list[bytes]) -> None:
    validator = Validator()
    assert [validator.check(outcome) for outcome in outcomes] == [[], [], [], []]


def test_outcomes_are_valid_by_the_verdict_of_hl7s_validator(outcomes: list[bytes], oracle: Oracle) -> None:
    assert [oracle.errors(outcome) for outcome in outcomes] == [[], [], [], []]


def test_options_from_the_environment() -> None:
    environment = {"FHIR_KETA_VALIDATE_FORMAT": "json", "FHIR_KETA_VALIDATE_FAIL_ON": "warning"}
    result = run("-", given=lines(UNKNOWN_PROFILE), environment=environment)
    assert json.loads(result.stdout)["counts"]["warning"] == 1
    assert result.exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["--format", "yaml", "-"], ["--fail-on", "never", "-"], ["--nothing", "-"]])
def test_wrong_usage(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


@pytest.mark.parametrize(("error", "exit_code"), [(UsageError("a\nb"), 2), (ServerError("a b"), 3)])
def test_our_errors_are_one_line_with_their_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: Exception, exit_code: int
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr("fhir_keta.cli.validate.read_together", fail)
    result = run("-")
    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", "Error: a b\n")


def test_a_fault_of_ours_does_not_pass_for_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Validator, "check", lambda *_arguments: 1 // 0)
    result = run("-", given=lines(FINE))
    assert result.exit_code == 3
    assert "ZeroDivisionError" in result.stderr


def test_a_command_whose_module_is_missing_does_not_break_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(main_module.COMMANDS, "absent", "Not there.")
    help_text = CliRunner().invoke(main, ["--help"]).stdout
    assert "validate" in help_text
    assert "absent" not in help_text
    result = CliRunner().invoke(main, ["absent"])
    assert (result.exit_code, "No such command 'absent'" in result.stderr) == (2, True)


def test_version_as_installed() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"fhir-keta {__version__}\n", "")


def test_version_imports_no_command() -> None:
    code = (
        "import sys; from fhir_keta.cli.main import main; main(['--version'], standalone_mode=False)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "click" in loaded
    assert not [name for name in loaded if name.startswith(("fhir_keta.v", "fhir_keta.d", "orjson", "requests"))]


def test_validate_imports_nothing_of_the_other_commands() -> None:
    code = (
        "import sys; from fhir_keta.cli.main import main; main(['validate', '-'], standalone_mode=False)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=lines(FINE), capture_output=True, check=True)
    loaded = done.stdout.decode().split()
    assert "fhir_keta.validation.validator" in loaded
    heavy = ("requests", "fhir.resources", "pydantic", "jsonschema.", "fhirpathpy")
    assert not [name for name in loaded if name.startswith(heavy)]


def test_reader_gone(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    path.write_bytes(lines(*[NO_STATUS] * 5_000))
    with subprocess.Popen([COMMAND, "validate", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr.read() == b""


def test_interrupted() -> None:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([COMMAND, "validate", "--format", "outcome", "-"], **streams) as process:
        process.stdin.write(lines(*[FINE] * 200))  # more than one buffer full of outcomes, less than a pipe holds
        process.stdin.flush()
        process.stdout.readline()  # it works, and waits for more
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr.read() == b""
