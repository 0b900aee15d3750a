"""Runs two calls at once, the second at a given line of the first: races, reproducibly."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_PATIENCE = 0.5  # seconds to wait for a call that may itself wait for a lock held by the first


def lines_run(run: Callable[[], Any], path: str) -> int:
    """Return the number of lines of a file that a call runs, counting repetitions."""
    number = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal number
        if frame.f_code.co_filename != path:
            return None
        number += event == "line"
        return trace

    def traced() -> None:
        sys.settrace(trace)
        run()

    thread = threading.Thread(target=traced)
    thread.start()
    thread.join()
    return number


def interleaved(first: Callable[[], Any], second: Callable[[], Any], path: str, line: int) -> Any:
    """Return the result of `first` if `second` runs in another thread meanwhile.

    Args:
        first: Runs in its own thread.
        second: Runs in its own thread, once.
        path: The file whose lines count.
        line: The index of the line run by `first` there before which `second` runs, from 0.

    Raises:
        Exception: What `first` or `second` raises.
    """
    lines = iter(range(line + 1))
    problems: list[BaseException] = []
    results: list[Any] = []
    threads: list[threading.Thread] = []

    def caught(run: Callable[[], Any], into: list[Any]) -> Callable[[], None]:
        def quiet() -> None:
            try:
                into.append(run())
            except Exception as problem:
                problems.append(problem)

        return quiet

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != path:
            return None
        if event == "line" and next(lines, None) == line:
            threads.append(threading.Thread(target=caught(second, [])))
            threads[-1].start()
            threads[-1].join(_PATIENCE)
        return trace

    def traced() -> Any:
        sys.settrace(trace)
        try:
            return first()
        finally:
            sys.settrace(None)

    outer = threading.Thread(target=caught(traced, results))
    outer.start()
    for thread in (outer, *threads):
        thread.join()
    if problems:
        raise problems[0]
    return results[0]
