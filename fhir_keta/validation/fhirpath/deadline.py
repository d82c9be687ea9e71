"""An end for work that might have none: other people's expressions and regular expressions."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Answer = TypeVar("Answer")


class TooLong(Exception):
    """The work was given up."""


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Do the work in this thread, but not for longer.

    Raises TooLong when the time is over. In the main thread of a Unix process a timer signal ends it, also inside a
    regular expression; elsewhere an exception that another thread sends, as soon as Python code runs again.
    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        return _by_signal(seconds, work)
    return _by_thread(seconds, work)


def _by_signal(seconds: float, work: Callable[[], Answer]) -> Answer:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise TooLong

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, end)
    try:
        left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)  # of work that this is a part of
        try:
            return work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, left and max(left - (time.monotonic() - started), 0.001))
    finally:
        signal.signal(signal.SIGALRM, before)


def _by_thread(seconds: float, work: Callable[[], Answer]) -> Answer:
    here = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    done = False

    def end() -> None:
        with lock:
            if not done:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(here, ctypes.py_object(TooLong))

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        with lock:
            done = True
        timer.cancel()
