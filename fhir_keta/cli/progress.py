"""A bar on standard error while files are read: how far, how fast, how long still."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from fhir_keta.records.files import size

WORTH_A_BAR = 5_000_000
"""Bytes. Less is read before a bar could be."""

_MEGABYTE = 1_000_000
_CLEAR_LINE = "\r\x1b[K"


@contextmanager
def reading(paths: Sequence[str]) -> Iterator[Callable[[int], object] | None]:
    """Give what ``records.source.read`` is to tell of every number of bytes read: that draws the bar.

    None, and nothing is drawn, where standard error is no terminal, or how much there is to read is unknown or little.
    """
    total = size(paths) if sys.stderr.isatty() else None
    if total is None or total < WORTH_A_BAR:
        yield None
        return
    started = time.monotonic()
    read = 0

    def rate(_item: object) -> str:
        return f"{read / _MEGABYTE / max(time.monotonic() - started, 0.001):.1f} MB/s"

    with click.progressbar(length=total, label="Checking", item_show_func=rate, file=sys.stderr) as bar:

        def advance(count: int) -> None:
            nonlocal read
            read += count
            bar.update(count)

        yield advance


def clear() -> None:
    """Wipe the line the bar stands on, so that what is written next stands alone; the bar comes back by itself."""
    click.echo(_CLEAR_LINE, nl=False, err=True)
