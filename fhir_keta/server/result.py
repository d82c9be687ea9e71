"""What became of a plan: a result for each of its entries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from fhir_keta.errors import KetaError
from fhir_keta.server.plan import Entry

Status = Literal["created", "updated", "unchanged", "altered", "conflict", "refused", "skipped", "not tried", "unknown"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an entry.

    ``message`` says why it was not written, or where the server altered it; ``id`` and ``version`` are the server's.
    ``http_status``, ``method``, ``url`` and ``milliseconds`` tell of the request it was sent in, and are empty where
    nothing was sent (also when an earlier run had sent it: then ``earlier`` is what that was to do).
    """

    entry: Entry
    status: Status
    http_status: int | None = None
    message: str = ""
    id: str | None = None
    version: str | None = None
    method: str = ""
    url: str = ""
    milliseconds: float | None = None
    earlier: str = ""

    @property
    def action(self) -> str:
        """What the whole upload was to do about it, earlier runs included."""
        return self.earlier or self.entry.action


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a plan, in its order. ``stopped`` is the error that ended it early, if one did."""

    results: tuple[Result, ...]
    stopped: KetaError | KeyboardInterrupt | None = None

    def counts(self) -> Counter[str]:
        """How many results there are of each status."""
        return Counter(result.status for result in self.results)

    @property
    def complete(self) -> bool:
        """Whether the server now has everything as planned."""
        return self.stopped is None and not self.counts().keys() - {"created", "updated", "unchanged"}
