"""Bytes changed at random, and sizes nobody meant: findings, never a traceback, in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_keta.definitions.library import bundled
from fhir_keta.errors import DefinitionError
from fhir_keta.records.source import Record, read
from fhir_keta.reporting.checking import results
from fhir_keta.validation.validator import Validator

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ROUNDS = int(os.environ.get("FHIR_KETA_FUZZ", "600"))
PATIENT = b'{"resourceType":"Patient","id":"p1"'
PIECES = [
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"1e5", b"[]", b"{}", b'""', b"\\u003a"),
    *(
        b"\\ud800",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\0",
        b"\r\n",
        b"1e400",
        b'"_x":null,',
        b'"id":"a",',
        b'"extension":[{}],',
    ),
    *(b"[[[[[[[[", b'{"a":' * 70, b"\xf0\x9f\x98\x80", b'"resourceType":"Bundle",', b'"contained":[{}],'),
]
CORE = "http://hl7.org/fhir/StructureDefinition/"
VALUES = (None, True, 0, -1, 1.5, "", " ", "x", "#", "2020-02-30", [], {}, [None], [[]], {"": 0}, "\U0001f600" * 50)


def changed(data: bytes, choice: random.Random) -> bytes:
    """Bytes cut, doubled, overwritten or put in."""
    for _ in range(choice.randrange(1, 4)):
        at, span = choice.randrange(len(data) + 1), choice.randrange(1, 30)
        match choice.randrange(4):
            case 0:
                data = data[:at] + data[at + span :]
            case 1:
                data = data[:at] + data[at : at + span] + data[at:]
            case 2:
                data = data[:at] + choice.randbytes(choice.randrange(1, 3)) + data[at + 1 :]
            case _:
                data = data[:at] + choice.choice(PIECES) + data[at:]
    return data


def reshaped(data: bytes, choice: random.Random) -> bytes:
    """Another value, or none, somewhere in the JSON."""
    resource = json.loads(data)
    node = resource
    while True:
        key = choice.choice(list(node) if isinstance(node, dict) else range(len(node)))
        below = node[key]
        if not isinstance(below, dict | list) or not below or choice.random() < 0.3:
            break
        node = below
    if choice.random() < 0.2:
        del node[key]
    else:
        node[key] = choice.choice(VALUES)
    return json.dumps(resource).encode()


def test_changed_records_give_findings_and_nothing_else() -> None:
    choice = random.Random(int(os.environ.get("FHIR_KETA_FUZZ_SEED", "1")))
    paths = [str(EXAMPLES / folder) for folder in ("observations", "responses", "records", "export", "invalid")]
    sources = [item for item in read(paths) if isinstance(item, Record) and item.data.startswith(b"{")]
    validator = Validator()
    for number in range(ROUNDS):
        source = choice.choice(sources)
        change = choice.choice((changed, reshaped))
        try:
            data = change(source.data, choice)
        except ValueError:  # an invalid example that is no JSON to begin with
            continue
        try:
            (result,) = results([Record(data, source.place)], validator.check)
        except Exception as error:
            raise AssertionError(f"round {number}: {type(error).__name__} on {data!r}") from error
        assert all(finding.issue.message for finding in result.findings)


def command(path: Path, given: bytes) -> tuple[str, str, int]:
    """Standard output, standard error and the megabytes it took."""
    path.write_bytes(given)
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE, timeout=300)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, done.stderr.decode(), file=sys.stderr)\n"
    )
    whole = [sys.executable, "-c", code, sys.executable, "-m", "fhir_keta", "validate", str(path)]
    done = subprocess.run(whole, capture_output=True, text=True, check=True)
    memory, _, said = done.stderr.partition(" ")
    return done.stdout, said.strip(), int(memory)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux does")
class TestSizes:
    def test_one_line_of_50_megabytes(self, tmp_path: Path) -> None:
        line = PATIENT + b',"photo":[{"contentType":"image/png","data":"' + b"eHh4" * 12_500_000 + b'"}]}\n'
        found, said, memory = command(tmp_path / "long.ndjson", line + PATIENT + b"}\n")
        assert (found, said) == ("", "Checked 2 records: 0 errors, 0 warnings.")
        assert memory < 300

    def test_a_text_of_50_megabytes(self, tmp_path: Path) -> None:
        line = PATIENT + b',"name":[{"text":"' + b"x" * 50_000_000 + b'"}]}\n'
        found, said, memory = command(tmp_path / "long.ndjson", line + PATIENT + b"}\n")
        assert "error Patient/p1 Patient.name[0].text [string-length] Longer than the 1,048,576 characters" in found
        assert said == "Checked 2 records: 1 error, 0 warnings."
        assert memory < 300

    @pytest.mark.parametrize("filling", [b"\0", b" ", PATIENT + b"},"])
    def test_a_gzip_that_holds_far_more(self, filling: bytes, tmp_path: Path) -> None:
        bomb = gzip.compress(filling * (150_000_000 // len(filling)), compresslevel=1)
        found, said, memory = command(tmp_path / "bomb.ndjson.gz", bomb)
        assert found.endswith(":1: fatal [input-size] One record of more than 96 MB: split it.\n")
        assert said == "Checked 1 record: 1 error, 0 warnings."
        assert memory < 300

    def test_blank_lines_only_are_not_kept(self, tmp_path: Path) -> None:
        found, _, memory = command(tmp_path / "blank.ndjson.gz", gzip.compress(b"\n" * 1_000_000 + b"{\n"))
        assert ":1000001:2: fatal [json-syntax]" in found
        assert memory < 120

    def test_every_type_of_resource_in_one_run(self, tmp_path: Path) -> None:
        names = sorted(bundled().resource_types)
        assert len(names) == 146
        _, said, memory = command(
            tmp_path / "all.ndjson", b"".join(b'{"resourceType":"%s"}\n' % name.encode() for name in names * 2)
        )
        assert said.startswith("Checked 292 records: ")
        assert memory < 230

    def test_many_values(self, tmp_path: Path) -> None:
        names = b",".join([b'{"text":"x"}'] * 200_000)
        found, said, _ = command(tmp_path / "many.json", PATIENT + b',"name":[' + names + b"]}")
        assert (found, said) == ("", "Checked 1 record: 0 errors, 0 warnings.")


def structure(name: str, base: str) -> dict[str, object]:
    return {
        "resourceType": "StructureDefinition",
        "url": f"https://example.org/{name}",
        "name": name,
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": base,
        "derivation": "constraint",
        "differential": {"element": [{"id": "Patient", "path": "Patient"}]},
    }


@pytest.mark.parametrize(
    ("definitions", "said"),
    [
        ([structure("a", "https://example.org/b"), structure("b", "https://example.org/a")], "in a circle"),
        ([structure("a", "https://example.org/a")], "in a circle"),
        ([structure("a", "https://example.org/nothing")], "https://example.org/nothing"),
    ],
)
def test_profiles_without_a_foundation(definitions: list[dict[str, object]], said: str) -> None:
    with pytest.raises(DefinitionError, match=said) as raised:
        Validator(bundled().with_resources(definitions), profiles=["https://example.org/a"])
    assert raised.value.exit_code == 2


def _different(number: int) -> dict[str, object]:
    """A record in which everything is new that could be remembered."""
    new = f"https://ehr.test/{number}/{'x' * 1500}"
    if number % 4 == 0:
        return {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": new}
    coding = (
        {"system": new, "code": "a"} if number % 4 == 1 else {"system": "http://loinc.org", "code": "a", "display": new}
    )
    return {
        "resourceType": "Observation",
        "meta": {"profile": [new]},
        "extension": [
            {"url": new, "valueString": new},
            {"url": f"{CORE}event-partOf", "valueReference": {"display": new}},
        ],
        "status": "final",
        "code": {"coding": [coding]},
    }


def test_what_is_always_new_is_not_remembered() -> None:
    """Unknown extensions, profiles, code systems, questionnaires, long displays: the memory stays as it is."""
    import tracemalloc

    validator = Validator()
    for number in range(200):
        validator.check(json.dumps(_different(number)).encode())
    tracemalloc.start()
    try:
        for number in range(200, 1200):
            assert validator.check(json.dumps(_different(number)).encode())
        assert tracemalloc.get_traced_memory()[0] < 500_000  # of 6 MB
    finally:
        tracemalloc.stop()
