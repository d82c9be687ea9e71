"""A run of ``fhir-keta`` in a process of its own that is ended by SIGKILL at a chosen moment.

    python -m tests.servers.killed MOMENT NUMBER EXTRA upload ...

MOMENT ``write``: within the NUMBERth line of the journal, EXTRA of its bytes written; ``request``: before the NUMBERth
request that writes leaves; ``flight``: EXTRA milliseconds after that; ``answer``: when it has been answered and nothing
came of it yet. With ``never`` the run ends by itself.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from threading import Timer
from typing import Any

MOMENTS = ("write", "request", "flight", "answer")


@dataclass(frozen=True)
class Moment:
    """When the run ends."""

    name: str
    number: int = 0
    extra: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.number} {self.extra}"


NEVER = Moment("never")


def drawn(chance: random.Random, most: int) -> Moment:
    """Any moment among the first ``most`` writes or requests."""
    return Moment(chance.choice(MOMENTS), chance.randint(1, most), chance.choice((0, 1, 5, 20, 80)))


def run(moment: Moment, arguments: Sequence[str]) -> None:
    """Run the command in this process; it ends here, one way or the other."""
    from fhir_keta.cli.main import main
    from fhir_keta.server.transport import Transport

    _kill_within_writes(moment)
    send, sent = Transport.send, count(1)

    def killed(self: Transport, method: str, *rest: Any) -> Any:
        here = method != "GET" and next(sent) == moment.number
        if here and moment.name == "request":
            _die()
        if here and moment.name == "flight":
            Timer(moment.extra / 1000, _die).start()
        answered = send(self, method, *rest)
        if here and moment.name == "answer":
            _die()
        return answered

    Transport.send = killed  # type: ignore[method-assign]
    sys.exit(main(list(arguments)))


def _kill_within_writes(moment: Moment) -> None:
    write, written = os.write, count(1)

    def killed(file: int, data: Any) -> int:
        if moment.name == "write" and next(written) == moment.number:
            write(file, data[: moment.extra])
            _die()
        return write(file, data)

    os.write = killed


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    name, number, extra, *command = sys.argv[1:]
    run(Moment(name, int(number), int(extra)), command)
