"""Many lines at once: the blocks of a stream, the portions of a plain file, and how many lines they are."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

from fhir_keta.records.files import is_regular

LARGEST_RECORD = 96 * 2**20
"""Bytes of one record. More is refused unread, so that neither a hostile gzip nor a wrong file fills the memory."""

_BLOCK = 2**21  # bytes: about so many at once
_PART = 2**16  # fewer come from what is slow, and are passed on
_PROBE = 2**12  # are read to find the end of a line
_LONG_LINE = 200


def blocks(stream: io.BufferedReader) -> Iterator[bytes]:
    """The lines of a stream, many at once, those of who may keep us waiting as they come; also all before it breaks.

    A line longer than a block comes alone, and so does the last one where it has no end. One that is longer than a
    record may be ends early: who gets it reads on.
    """
    may_wait = not is_regular(stream)
    whole: list[bytes | memoryview] = []
    begun: list[bytes | memoryview] = []  # of the line after them; copied, or all of its block would be kept
    size = length = 0  # of both
    try:
        while part := stream.read1(max(_BLOCK - size - length, _PART)):
            if length > _BLOCK and (end := part.find(b"\n") + 1):
                begun.append(part[:end])
                yield _joined(begun)
                part, length = part[end:], 0
            end = part.rfind(b"\n") + 1
            if end:
                whole += [*begun, memoryview(part)[:end]]
                begun.clear()
                size, length = size + length + end, 0
            begun.append(part[end:])
            length += len(part) - end
            came, part = len(part), b""  # of what is passed on, nothing is kept while the next is read
            if whole and (size + length >= _BLOCK or (may_wait and came < _PART)):
                yield _joined(whole)
                size = 0
            if length > LARGEST_RECORD:
                yield _joined(begun)
                length = 0
    except Exception:
        if whole:
            yield _joined(whole)
        raise
    if whole:
        yield _joined(whole)
    if length:
        yield _joined(begun)


def _joined(parts: list[bytes | memoryview]) -> bytes:
    """What they are together, and in the list no longer."""
    together = b"".join(parts)
    parts.clear()
    return together


def portion_ends(file: str, start: int) -> Iterator[int]:
    """Where portions of a plain file end, from ``start`` to the end of the file or to a line too long for one."""
    with io.FileIO(file) as stream:
        while (end := _line_end(stream, start + _BLOCK)) is not None and end > start:
            yield end
            start = end


def _line_end(stream: io.FileIO, position: int) -> int | None:
    """The position behind a line end at ``position`` or soon after it, or the end of the file; None where it is far."""
    position -= 1
    limit = position + LARGEST_RECORD - _BLOCK
    stream.seek(position)
    while position < limit:
        part = stream.read(_PROBE)
        if not part:
            return os.fstat(stream.fileno()).st_size
        found = part.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(part)
    return None


def line_ends_between(file: str, start: int, end: int) -> int:
    """How many line ends there are in these bytes of a file."""
    with Path(file).open("rb") as stream:
        stream.seek(start)
        return sum(line_ends(stream.read(min(_BLOCK, end - at))) for at in range(start, end, _BLOCK))


def line_ends(data: bytes) -> int:
    """How many line ends there are. Where lines are long, leaping from one to the next takes a quarter of the time."""
    position = data.find(b"\n")
    if position < _LONG_LINE:
        return data.count(b"\n")
    count = 0
    while position >= 0:
        count += 1
        position = data.find(b"\n", position + 1)
    return count
