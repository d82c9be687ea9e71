"""The journal of an upload: what is about to be sent is written down before, what came of it after.

JSON lines, appended. Each has a checksum over itself and the checksum before it, and an intent is on the disk before
its request leaves. Whatever a crash cuts short is the end of the file and fails its checksum: it counts as not written,
and the request it would have announced was never sent. It names resources and carries SHA-256 of contents, ids and
versions; no contents, no search values, no words of the server.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from fhir_keta._version import __version__
from fhir_keta.errors import InputError, KetaError, UsageError
from fhir_keta.server.incoming import Incoming
from fhir_keta.server.plan import Entry, Plan
from fhir_keta.server.result import Result

Settings = Mapping[str, str | int | bool | None]

_FORMAT = 1
_SUM = 16
_HEAD = '{"sum":"'
_BODY = '","line":'


class JournalError(KetaError):
    """The journal can no longer be written: nothing may be sent that it does not announce."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a journal belongs to. ``sources`` is one SHA-256 over the names and contents of all its resources."""

    server: str
    settings: Settings
    resources: int
    sources: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What a journal knows of one resource.

    ``status`` is that of its Result, None when it was announced and no outcome is known. ``target`` and ``replaced``
    are the id it was put to and the version it was to replace, ``id`` and ``version`` what the server made of it.
    ``request`` is the same for all that was announced together.
    ``removed``: "removed" once it is taken back, "removing" when that was announced.
    """

    name: str
    action: str
    sha256: str
    target: str | None
    replaced: str | None
    status: str | None = None
    http_status: int | None = None
    id: str | None = None
    version: str | None = None
    request: int = 0
    removed: str = ""

    @property
    def type(self) -> str:
        """The resource type, with which every name begins."""
        return self.name.replace("?", "/").replace(" ", "/").partition("/")[0]


@dataclass(slots=True)
class Contents:
    """A journal as read: its heading, what it knows by name in the order of sending, and where its sound part ends."""

    heading: Heading
    sent: dict[str, Sent]
    length: int
    checksum: str


@dataclass(slots=True)
class Journal:
    """A journal that is open for more; its methods may be called from several threads. Close it."""

    path: Path
    contents: Contents
    _file: int
    _names: dict[int, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Sync and close the file."""
        if self._file >= 0:
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = -1

    def follows(self, plan: Plan) -> None:
        """The entries of ``plan`` are the ones this journal is about."""
        self._names = {id(entry): name for entry, name in named(plan)}

    def earlier(self, entry: Entry) -> Sent | None:
        """What is known of the entry, from this run or one before."""
        return self.contents.sent.get(self._names.get(id(entry), ""))

    def intend(self, entries: Iterable[Entry]) -> None:
        """Announce the entries of one request. On return it is on the disk. Raises JournalError."""
        sending = [
            Sent(self._names[id(entry)], entry.action, entry.incoming.sha256, entry.target, entry.version)
            for entry in entries
        ]
        self._add("sending", [_fields(each, "name", "action", "sha256", "target", "replaced") for each in sending])
        self.sync()

    def outcome(self, results: Iterable[Result]) -> None:
        """Write down what came of announced entries. Raises JournalError.

        Not synced: a crash of the machine may lose it, and then the server is asked.
        """
        found = [
            {
                "name": self._names[id(result.entry)],
                "status": result.status,
                "http_status": result.http_status,
                "id": result.id,
                "version": result.version,
            }
            for result in results
        ]
        if found:
            self._add("outcome", found)

    def removing(self, names: Iterable[str]) -> None:
        """Announce that these are taken back. On return it is on the disk. Raises JournalError."""
        self._add("removing", [{"name": name, "removed": "removing"} for name in names])
        self.sync()

    def removed(self, names: Iterable[str]) -> None:
        """Write down that these are gone from the server. Raises JournalError."""
        self._add("removed", [{"name": name, "removed": "removed"} for name in names])

    def sync(self) -> None:
        """Return when all that was written is on the disk. Raises JournalError."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _add(self, kind: str, entries: Sequence[Mapping[str, Any]]) -> None:
        with self._lock:
            line, checksum = _line({kind: entries}, self.contents.checksum)
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self._file, rest) :]
            except OSError as error:
                raise _unwritable(self.path, error) from error
            self.contents.checksum = checksum
            _learn(self.contents.sent, kind, entries)


def begin(path: Path, plan: Plan, settings: Settings) -> Journal:
    """A new journal of ``plan``: written aside, synced, and renamed to ``path``.

    ``settings`` is all else that decides what is sent: a resume must come with the same.
    Raises UsageError when the file is there already, JournalError when it cannot be written.
    """
    if path.exists():
        raise UsageError(f"{path} is there already. Go on with it by --resume {path}, or name another journal.")
    heading = heading_of(plan, settings)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"journal": "fhir-keta upload", "format": _FORMAT, "program": __version__, "started": started}
    line, checksum = _line({**head, **_fields(heading, "server", "settings", "resources", "sources")}, "")
    aside = path.with_name(f"{path.name}.new")
    try:
        file = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            _alone(file, path)
            os.write(file, line)
            os.fsync(file)
            aside.rename(path)
            _sync_folder(path.parent)
        except BaseException:
            os.close(file)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error
    journal = Journal(path, Contents(heading, {}, len(line), checksum), file)
    journal.follows(plan)
    return journal


def reopen(path: Path) -> Journal:
    """A journal of before, open for more; what a crash cut short at its end is cut off.

    Raises InputError when it cannot be read or is damaged, UsageError when another program has it open.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Name the journal of the upload.") from error
    try:
        _alone(file, path)
        contents = read(path)
        os.ftruncate(file, contents.length)
    except BaseException:
        os.close(file)
        raise
    return Journal(path, contents, file)


def read(path: Path) -> Contents:
    """What a journal says. Raises InputError when it cannot be read, is none, or is damaged before its end."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Name the journal of the upload.") from error
    sound, checksum, length = [], "", 0
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        found = _checked(line, checksum)
        if found is None:
            if number == 1:
                raise InputError(f"{path} is no journal of fhir-keta. Name the file that --journal wrote.")
            if number < len(lines):
                raise InputError(f"{path}:{number}: the journal is damaged here. Restore it, or upload without it.")
            break
        checksum = found[0]
        sound.append(found[1])
        length += len(line)
    return Contents(_heading(path, sound[0] if sound else {}), _known(sound[1:]), length, checksum)


def named(plan: Plan) -> Iterator[tuple[Entry, str]]:
    """Each entry with its name: the same in every plan of the same sources, and without search values.

    Entries of one condition in several transactions are told apart by their number.
    """
    seen: Counter[str] = Counter()
    for entry in plan.entries:
        name = _name(entry.incoming)
        seen[name] += 1
        yield entry, name if seen[name] == 1 else f"{name} ({seen[name]})"


def heading_of(plan: Plan, settings: Settings) -> Heading:
    """What a journal of ``plan`` would belong to."""
    total = sha256()
    for line in sorted(f"{name} {entry.incoming.sha256}\n" for entry, name in named(plan)):
        total.update(line.encode())
    return Heading(plan.server, dict(settings), len(plan.entries), total.hexdigest())


def _name(item: Incoming) -> str:
    if item.condition is None:
        return item.key
    return f"{item.type}?{item.sha256[:_SUM]}"  # a hash of the condition would give a short identifier away


def _fields(of: object, *names: str) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names}


def _line(content: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    checksum = sha256(f"{before}{text}".encode()).hexdigest()[:_SUM]
    return f"{_HEAD}{checksum}{_BODY}{text}}}\n".encode(), checksum


def _checked(line: bytes, before: str) -> tuple[str, dict[str, Any]] | None:
    """The checksum and content of a line as ``_line`` writes it; None when it is not one, or not whole."""
    start = len(_HEAD) + _SUM + len(_BODY)
    try:
        content = json.loads(line[start:-2])
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    again, checksum = _line(content, before)
    return (checksum, content) if again == line else None


def _heading(path: Path, line: dict[str, Any]) -> Heading:
    if line.get("journal") != "fhir-keta upload":
        raise InputError(f"{path} is no journal of fhir-keta. Name the file that --journal wrote.")
    if line.get("format") != _FORMAT:
        raise InputError(
            f"{path} was written by fhir-keta {line.get('program')}, in format {line.get('format')}; "
            f"this program reads format {_FORMAT}. Go on with the version that wrote it."
        )
    return Heading(line["server"], line["settings"], line["resources"], line["sources"])


def _known(lines: Iterable[dict[str, Any]]) -> dict[str, Sent]:
    sent: dict[str, Sent] = {}
    for line in lines:
        for kind, entries in line.items():
            _learn(sent, kind, entries)
    return sent


def _learn(sent: dict[str, Sent], kind: str, entries: Iterable[Mapping[str, Any]]) -> None:
    request = 1 + (next(reversed(sent.values())).request if sent else 0)
    for each in entries:
        if kind == "sending":
            sent.pop(each["name"], None)  # sent again: it comes after what it now depends on
            sent[each["name"]] = Sent(**each, request=request)
        else:
            sent[each["name"]] = replace(sent[each["name"]], **each)


def _alone(file: int, path: Path) -> None:
    """Two programs that go on with one journal would send everything twice; the lock ends with the process."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{path} is in use by another fhir-keta. Wait until that has ended.") from error


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only when its folder is (fsync(2)); not every system opens folders."""
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"The journal {path} cannot be written ({error.strerror}). Make room, or name another place.")
