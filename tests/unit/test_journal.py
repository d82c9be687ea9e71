"""The journal: what survives a crash at any byte, what it refuses, and what it never holds."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from fhir_keta.errors import InputError, UsageError
from fhir_keta.server import journal as journals
from fhir_keta.server.apply import apply
from fhir_keta.server.client import Client
from fhir_keta.server.journal import Journal, JournalError, begin, read, reopen
from fhir_keta.server.plan import Plan, plan
from fhir_keta.server.result import Report
from tests.unit.uploads import PATIENT, bundle, code_system, observation, put, record

Resource = dict[str, Any]
SETTINGS = {"overwrite": False}
IDENTIFIER = "identifier=http://example.org/mrn|12345-secret"


def conditional() -> Resource:
    create = {"method": "POST", "url": "Patient", "ifNoneExist": IDENTIFIER}
    identifier = {"system": "http://example.org/mrn", "value": "12345-secret"}
    return {"resource": {"resourceType": "Patient", "identifier": [identifier]}, "request": create}


def sources() -> list[Any]:
    pair = bundle(put(observation("a")), put(observation("b")))
    return [code_system(), record(PATIENT), record(pair), record(bundle(conditional(), put(observation("c"))))]


def journaled(client: Client, path: Path, *of: Any) -> Report:
    planned = plan(of or sources(), client)
    with begin(path, planned, SETTINGS) as journal:
        return apply(planned, client, journal=journal)


def statuses(path: Path) -> dict[str, str | None]:
    return {name: sent.status for name, sent in read(path).sent.items()}


def test_it_is_whole_and_on_the_disk_before_it_has_its_name(
    client: Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned, done = plan(sources(), client), []
    sync, rename = os.fsync, Path.rename

    def synced(file: int) -> None:
        done.append("sync")
        sync(file)

    def renamed(aside: Path, to: Path) -> None:
        done.append("rename")
        assert read(aside).heading.resources == 6
        assert not path.exists()
        if len(done) == 2:
            raise OSError(errno.EIO, "as if it ended here")
        rename(aside, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(JournalError):
        begin(path, planned, SETTINGS)
    assert not path.exists()
    begin(path, planned, SETTINGS).close()  # what was left aside is in nobody's way
    assert done[:4] == ["sync", "rename", "sync", "rename"]
    assert read(path).heading.resources == 6


def test_every_write_is_announced_and_accounted_for(client: Client, path: Path) -> None:
    assert journaled(client, path).complete
    known = read(path)
    assert next(iter(known.sent)) == "CodeSystem http://example.org/levels|1"
    assert {"Patient/p", "Observation/a", "Observation/b", "Observation/c"} < known.sent.keys()
    assert {(sent.status, sent.http_status, sent.version) for sent in known.sent.values()} == {("created", 201, "1")}
    assert known.sent["Observation/a"].request == known.sent["Observation/b"].request != known.sent["Patient/p"].request
    (created,) = (sent for name, sent in known.sent.items() if name.startswith("Patient?"))
    assert created.target is None
    assert client.read("Patient", str(created.id)) is not None
    assert known.heading.server == client.base
    assert known.heading.resources == 6
    assert journaled(client, path.with_name("second")).complete
    assert read(path.with_name("second")).sent == {}


def test_it_holds_no_values(client: Client, path: Path) -> None:
    secret = {**PATIENT, "name": [{"family": "Secretname"}], "birthDate": "1970-01-01"}
    dangling = observation("x", subject={"reference": "Patient/nobody-secret"})
    journaled(client, path, record(secret), record(bundle(conditional())), record(dangling))
    text = path.read_text()
    assert statuses(path)["Observation/x"] == "refused"
    for value in ("Secretname", "1970-01", "12345", "mrn", "nobody-secret", "not found"):
        assert value not in text
    assert path.stat().st_mode & 0o077 == 0


def test_a_crash_at_any_byte_loses_at_most_the_last_line(client: Client, path: Path) -> None:
    journaled(client, path, record(PATIENT))
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(ends[0], len(whole) + 1):
        path.write_bytes(whole[:length])
        assert read(path).length == max(end for end in ends if end <= length)
    for torn in (b"\0" * 40, b"{}\n", whole[ends[0] : ends[1]]):
        path.write_bytes(whole + torn)
        with reopen(path):
            assert path.read_bytes() == whole


def test_what_is_written_after_a_crash_is_read_again(client: Client, path: Path) -> None:
    planned = plan(sources(), client)
    begin(path, planned, SETTINGS).close()
    with path.open("ab") as torn:
        torn.write(b'{"sum":"0123')
    with reopen(path) as journal:
        journal.follows(planned)
        journal.intend(planned.entries[:1])
    with reopen(path) as journal:
        journal.follows(planned)
        journal.intend(planned.entries[1:2])
    assert [sent.status for sent in read(path).sent.values()] == [None, None]


def test_damage_in_the_middle_is_not_passed_over(client: Client, path: Path) -> None:
    journaled(client, path)
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in (
        [*lines[:2], lines[2].replace(b'"created"', b'"refused"', 1), *lines[3:]],
        [*lines[:2], *lines[3:]],
        [*lines[:2], lines[3], lines[2], *lines[4:]],
    ):
        path.write_bytes(b"".join(damaged))
        with pytest.raises(InputError, match=f"{path}:3: the journal is damaged here"):
            read(path)


@pytest.mark.parametrize("content", ["", "{}\n", "not a journal\n", '{"sum":"0","line":{}}\n'])
def test_another_file_is_no_journal(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(InputError, match="is no journal of fhir-keta"):
        read(path)


def test_a_later_format_is_left_to_the_program_that_wrote_it(client: Client, path: Path) -> None:
    planned = plan(sources(), client)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journals, "_FORMAT", 2)
        begin(path, planned, SETTINGS).close()
    with pytest.raises(InputError, match="in format 2; this program reads format 1"):
        read(path)


def test_a_journal_is_not_begun_over_another(client: Client, path: Path) -> None:
    planned = plan(sources(), client)
    begin(path, planned, SETTINGS).close()
    with pytest.raises(UsageError, match=f"is there already. Go on with it by --resume {path}"):
        begin(path, planned, SETTINGS)


def test_one_program_at_a_time(client: Client, path: Path) -> None:
    planned = plan(sources(), client)
    with begin(path, planned, SETTINGS), pytest.raises(UsageError, match="in use by another fhir-keta"):
        reopen(path)
    reopen(path).close()


def test_what_is_not_there_is_not_resumed(path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        reopen(path)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_without_room_for_the_journal_nothing_more_is_sent(
    client: Client, path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    planned = plan(sources(), client)
    journal = begin(path, planned, SETTINGS)
    write, left = os.write, iter(range(room))

    def full(file: int, data: Any) -> int:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    report = apply(planned, client, journal=journal)
    monkeypatch.undo()
    journal.close()
    assert isinstance(report.stopped, JournalError)
    assert "No space left on device" in str(report.stopped)
    there = {each: client.read(*each.split("/")) is not None for each in ("CodeSystem/levels", "Patient/p")}
    assert list(there.values()) == {0: [False, False], 1: [True, False], 3: [True, True]}[room]
    known = read(path).sent
    assert all("CodeSystem http://example.org/levels|1" in known for _ in range(min(room, 1)))
    assert report.counts()["not tried"] == {0: 6, 1: 5, 3: 4}[room]


def test_names_do_not_depend_on_the_server(client: Client, path: Path) -> None:
    """One condition in two transactions is two resources to send, and each keeps its name once the first is there."""

    def names(of: Plan) -> list[str]:
        return [name for _, name in journals.named(of)]

    twice = [record(bundle(conditional(), put(observation(each)))) for each in "ab"]
    before = names(plan(twice, client))
    assert len(set(before)) == 4
    assert journaled(client, path, *twice).complete
    assert names(plan(twice, client)) == before


def test_a_closed_journal_takes_nothing_more(client: Client, path: Path) -> None:
    planned = plan(sources(), client)
    journal: Journal = begin(path, planned, SETTINGS)
    journal.close()
    with pytest.raises(JournalError):
        journal.intend(planned.entries[:1])


def test_each_line_is_json(client: Client, path: Path) -> None:
    journaled(client, path)
    lines = [json.loads(line)["line"] for line in path.read_text().splitlines()]
    assert lines[0]["journal"] == "fhir-keta upload"
    assert {kind for line in lines[1:] for kind in line} == {"sending", "outcome"}
