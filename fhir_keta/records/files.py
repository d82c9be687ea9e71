"""Files: which ones a path stands for, how their names are shown, how they are opened."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fhir_keta.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12

STANDARD_INPUT = "-"
BUFFER = 2**20
"""Bytes."""

_ENDINGS = (".json", ".ndjson", ".jsonl", ".json.gz", ".ndjson.gz", ".jsonl.gz")


def size(paths: Sequence[str]) -> int | None:
    """How many bytes ``read`` will read from these paths; None where standard input is among them.

    Raises InputError as ``read`` does.
    """
    if STANDARD_INPUT in paths:
        return None
    return sum(Path(file).stat().st_size for path in paths for file in files(path) if Path(file).exists())


def shown(path: str | Path) -> str:
    """A path as text for one line of output: what is not UTF-8 or not printable in a file name is replaced."""
    text = os.fsencode(path).decode(errors="replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def files(path: str) -> list[str]:
    """The files that a path stands for, see ``source.read``; raises InputError as that does."""
    if path == STANDARD_INPUT:
        return [path]
    if not Path(path).exists():
        raise InputError(f"{shown(path)}: no such file or folder. Check the path.")
    if not Path(path).is_dir():
        return [path]
    found = sorted(_files_below(path), key=lambda file: Path(file).parts)
    if not found:
        raise InputError(
            f"{shown(path)}: no .json, .ndjson or .jsonl files (or .gz of those) here. Name the right folder."
        )
    return found


def _files_below(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(parent, name)
            if (
                name.lower().endswith(_ENDINGS)
                and not name.startswith(".")
                and (file.is_file() or _leads_nowhere(file))
            ):
                yield str(file)


def _leads_nowhere(file: Path) -> bool:
    """A link to what is not there: passed over it would be a record that nobody misses."""
    return file.is_symlink() and not file.exists()


def opened_standard_input() -> BinaryIO:
    """Standard input with a larger buffer than its own, where it is a real one of which nothing was read yet."""
    stream = sys.stdin.buffer
    if isinstance(getattr(stream, "raw", None), io.FileIO):
        return io.BufferedReader(io.FileIO(stream.fileno(), closefd=False), BUFFER)
    return stream


class _CountedFile(io.FileIO):
    """A file that tells how many bytes are read from it."""

    def __init__(self, path: str, advance: Callable[[int], object]) -> None:
        super().__init__(path)
        self._advance = advance
        self._told = 0

    def readinto(self, buffer: Buffer, /) -> int | None:
        count = super().readinto(buffer)
        self.pass_to(self._told + (count or 0))
        return count

    def pass_to(self, position: int) -> None:
        if position > self._told:
            self._advance(position - self._told)
            self._told = position


def opened(path: str, advance: Callable[[int], object] | None) -> BinaryIO:
    """A file open for reading; ``advance`` is told every number of bytes read. Raises OSError where it cannot be."""
    return io.BufferedReader(_CountedFile(path, advance) if advance else io.FileIO(path), BUFFER)


def pass_to(stream: io.BufferedReader, position: int) -> None:
    """Count what comes before a position of an opened file as read: somebody else reads it."""
    if isinstance(stream.raw, _CountedFile):
        stream.raw.pass_to(position)


def is_endless(stream: BinaryIO) -> bool:
    """Whether this is a device (``/dev/zero``), so that nobody knows of an end; at a terminal somebody types it."""
    mode = os.fstat(stream.fileno()).st_mode
    return stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not stream.isatty())


def is_regular(stream: BinaryIO) -> bool:
    """Whether this reads a file, compressed or not: then nobody is waited for."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # there is no file behind it
        return False


def path_of(stream: io.BufferedReader) -> str | None:
    """The path of the file that a stream reads as it is; None where it is compressed, or none that can be read again.

    Standard input has a name, but that is no path.
    """
    raw = stream.raw
    try:
        if isinstance(raw, io.FileIO) and isinstance(raw.name, str):
            status = os.fstat(raw.fileno())
            if stat.S_ISREG(status.st_mode) and os.path.samestat(status, Path(raw.name).stat()):
                return raw.name
    except OSError:
        pass
    return None


def reason(error: OSError) -> str:
    """What the system says of an error, without the path."""
    return error.strerror or type(error).__name__
