"""Where records come from: files, folders, NDJSON, Bundles, gzip and standard input."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pickle import PickleBuffer
from typing import BinaryIO, SupportsIndex

from fhir_keta.errors import UsageError
from fhir_keta.records.blocks import LARGEST_RECORD, blocks, line_ends, line_ends_between, portion_ends
from fhir_keta.records.files import (
    BUFFER,
    STANDARD_INPUT,
    files,
    is_endless,
    opened,
    opened_standard_input,
    pass_to,
    path_of,
    reason,
    shown,
)
from fhir_keta.records.parse import ParseFault, parse

_LINE_ENDINGS = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
_MOST_AHEAD = 10_000  # blank lines after the first full one
_MOST_PASSED_OVER = 2**30  # bytes of one line that is too long, before its end is given up
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input something stands. Lines and columns count from 1; ``None`` where not known."""

    path: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The bytes of one record as read, and where they start."""

    data: bytes
    place: Place


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be read as a record: a rule id of ``validation/rules.py``, the names that fill its
    message, and the place."""

    rule: str
    place: Place
    names: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of what holds one record a line, many at once, and where the first of them stands."""

    data: bytes
    place: Place

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[object, ...]:
        """They are passed on to other processes: so the text itself is not copied into the pickle."""
        return Lines, (PickleBuffer(self.data), self.place)

    @property
    def end(self) -> Place:
        """Where the last of them stands."""
        return Place(self.place.path, (self.place.line or 1) + self.data.rstrip().count(b"\n"))

    def records(self) -> Iterator[Record]:
        """The records in them, blank lines passed over."""
        return (Record(line, Place(self.place.path, number)) for number, line in self.numbered())

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """The number and the text of each line that is not blank."""
        for number, line in enumerate(self.data.split(b"\n"), start=self.place.line or 1):
            if record := line.rstrip():
                yield number, record


@dataclass(frozen=True, slots=True)
class Portion:
    """Whole lines of a plain file that holds one record a line, not read yet: its bytes from ``start`` to ``end``.

    ``path`` is the file as it is shown. ``before`` is how many lines come before these in the first portion of a
    file, None in the others: who reads them counts.
    """

    file: str
    start: int
    end: int
    path: str
    before: int | None = None

    def read(self) -> Lines | Fault:
        """The lines, counted from 1; a Fault when they are no longer there."""
        try:
            with io.FileIO(self.file) as stream:
                stream.seek(self.start)
                data = stream.read(self.end - self.start)
        except OSError as error:
            return Fault("input-unreadable", Place(self.path), {"problem": reason(error)})
        if len(data) < self.end - self.start:
            return Fault("input-unreadable", Place(self.path), {"problem": "it became shorter while it was read"})
        return Lines(data, Place(self.path, 1))


Item = Record | Fault | Lines | Portion


def read(
    paths: Sequence[str], standard_input: BinaryIO | None = None, advance: Callable[[int], object] | None = None
) -> Iterator[Record | Fault]:
    """The records of files, folders and ``-`` (standard input), in this order, one at a time.

    A folder stands for its ``*.json``, ``*.ndjson``, ``*.jsonl`` files and those with ``.gz``, also in subfolders,
    sorted by name; hidden ones and others are passed over. A file that is named is read whatever its name.
    A ``.json`` file is one record, so is a Bundle; other files are one record a line where their first lines look
    like that. An empty file is one empty record, so that it cannot pass unseen. ``advance`` is called with every
    number of bytes read from a file, as they are stored: compressed ones count compressed (see ``size``).

    Raises InputError for a missing path and for a folder without records, UsageError for a second ``-``, both before
    anything is read. Whatever goes wrong later is a Fault in its place among the records.
    """
    return _apart(read_together(paths, standard_input, advance))


def read_together(
    paths: Sequence[str], standard_input: BinaryIO | None = None, advance: Callable[[int], object] | None = None
) -> Iterator[Item]:
    """What ``read`` gives, with most records of one a line still together: cheap to pass on to another process.

    Raises as ``read`` does.
    """
    if list(paths).count(STANDARD_INPUT) > 1:
        raise UsageError("Standard input (-) can be read only once: name it once.")
    named = [file for path in paths for file in files(path)]
    return chain.from_iterable(_read_file(file, standard_input, advance) for file in named)


def _apart(items: Iterable[Item]) -> Iterator[Record | Fault]:
    before = 0
    for item in items:
        if isinstance(item, Portion):
            before = before if item.before is None else item.before
            lines = item.read()
            if isinstance(lines, Fault):
                yield lines
                continue
            place = Place(item.path, before + 1)
            before += line_ends(lines.data)
            item = Lines(lines.data, place)
        yield from item.records() if isinstance(item, Lines) else (item,)


def _read_file(path: str, standard_input: BinaryIO | None, advance: Callable[[int], object] | None) -> Iterator[Item]:
    if path == STANDARD_INPUT:
        yield from _read_stream(standard_input or opened_standard_input(), "<stdin>", "")
        return
    try:
        stream = opened(path, advance)
    except OSError as error:
        yield Fault("input-unreadable", Place(shown(path)), {"problem": reason(error)})
        return
    with stream:
        if is_endless(stream):
            yield Fault("input-unreadable", Place(shown(path)), {"problem": "it is a device, not a file"})
            return
        yield from _read_stream(stream, shown(path), path.lower())


class _NoEnd(Exception):
    """A line whose end was not found, with its place."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


def _read_stream(raw: BinaryIO, path: str, name: str) -> Iterator[Item]:
    """The records of one stream; ``name`` is the lower-case file name that says what it may hold."""
    reached: Item | None = None
    stream: io.BufferedReader = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore
    try:
        if stream.peek(2)[:2] == _GZIP:
            stream = io.BufferedReader(gzip.GzipFile(fileobj=stream), BUFFER)
        elif name.endswith(".gz"):
            yield Fault("input-gzip", Place(path))
            return
        for reached in _records(stream, path, name):
            yield reached
    except _NoEnd as found:
        problem = f"no line end within {(LARGEST_RECORD + _MOST_PASSED_OVER) // 2**20} MB; the rest was not looked at"
        yield Fault("input-unreadable", found.place, {"problem": problem})
    except _BROKEN_GZIP:
        yield Fault("input-gzip", _end(reached, path))
    except OSError as error:
        yield Fault("input-unreadable", _end(reached, path), {"problem": reason(error)})


def _end(reached: Item | None, path: str) -> Place:
    """Where the last that was read stands, as far as that is known."""
    if reached is None or isinstance(reached, Portion):
        return Place(path)
    return reached.end if isinstance(reached, Lines) else reached.place


def _records(stream: io.BufferedReader, path: str, name: str) -> Iterator[Item]:
    if name.endswith((".json", ".json.gz")):
        yield _whole(stream, [], path)
        return
    blank, ahead, lines = _look_ahead(stream, named_lines=name.endswith(_LINE_ENDINGS))
    if lines:
        yield from _by_line(stream, blank, ahead, path)
    elif blank > LARGEST_RECORD:
        yield _too_large(Place(path, 1))
    else:
        yield _whole(stream, [b"\n" * blank, *ahead], path)


def _look_ahead(stream: io.BufferedReader, named_lines: bool) -> tuple[int, list[bytes], bool]:
    """How many blank lines come first, the lines read after them to find out whether this is one record a line, and
    whether it is."""
    blank = 0
    ahead: list[bytes] = []
    full: list[bytes] = []
    while len(full) < 2 and (line := stream.readline(LARGEST_RECORD + 1)):
        if not ahead and not blank:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        stripped = line.strip()
        if not ahead and not stripped and line.endswith(b"\n"):
            blank += 1  # counted, not kept: a hostile gzip is full of them
            if blank > LARGEST_RECORD:
                break
            continue
        ahead.append(line)
        if len(line) > LARGEST_RECORD:
            return blank, ahead, True
        if stripped:
            full.append(stripped)
            if not stripped.startswith(b"{") or b"\0" in stripped[:4] or _is_object(stripped):
                break
        elif len(ahead) > _MOST_AHEAD:
            break
    if not full or not full[0].startswith(b"{") or b"\0" in full[0][:4]:
        return blank, ahead, False  # nothing, an array, XML, UTF-16: one finding, not one a line
    if len(full) == 1:
        return blank, ahead, named_lines or _is_object(full[0])
    goes_on = not named_lines and full[0].endswith((b"{", b"[", b",", b":"))
    return blank, ahead, full[1].startswith(b"{") and not goes_on


def _is_object(line: bytes) -> bool:
    try:
        parse(line)
    except ParseFault:
        return False
    return True


def _by_line(stream: io.BufferedReader, blank: int, ahead: Iterable[bytes], path: str) -> Iterator[Item]:
    number = blank + 1
    for line in ahead:
        yield from _one_line(stream, line, Place(path, number))
        number += 1
    if file := path_of(stream):
        first = start = stream.tell()
        for end in portion_ends(file, start):
            yield Portion(file, start, end, path, number - 1 if start == first else None)
            start = end
            pass_to(stream, end)
        stream.seek(start)
        if not stream.peek(1):
            return
        number += line_ends_between(file, first, start)
    for block in blocks(stream):
        first = block.find(b"\n") + 1
        if not first or LARGEST_RECORD < first == len(block):
            yield from _one_line(stream, block, Place(path, number))
        else:
            yield Lines(block, Place(path, number))
        number += line_ends(block) or 1


def _one_line(stream: io.BufferedReader, line: bytes, place: Place) -> Iterator[Record | Fault]:
    if len(line.removesuffix(b"\n")) > LARGEST_RECORD:
        passed_over = 0
        while line and not line.endswith(b"\n"):
            if passed_over > _MOST_PASSED_OVER:
                raise _NoEnd(place)
            line = stream.readline(BUFFER)
            passed_over += len(line)
        yield _too_large(place)
    elif data := line.rstrip():
        yield Record(data, place)


def _whole(stream: io.BufferedReader, ahead: list[bytes], path: str) -> Record | Fault:
    place = Place(path, 1)
    data = b"".join([*ahead, stream.read(LARGEST_RECORD + 1)])
    if len(data) > LARGEST_RECORD:
        return _too_large(place)
    return Record(data.removeprefix(_BYTE_ORDER_MARK), place)


def _too_large(place: Place) -> Fault:
    return Fault("input-size", place, {"limit": LARGEST_RECORD // 2**20})
