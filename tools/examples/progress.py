"""The output of `python -m tools.examples verify` while it runs: a line for each result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from scaffold.cli.progress import Progress
from tools.examples.verify.result import SOURCE, Result
from tools.examples.verify.results import known
from tools.examples.verify.run import Event, Known, Started


class Display:
    """Shows a line for each finished unit, and on a terminal one for the running steps.

    Args:
        units: The number of units.
        quiet: Whether to show only the running steps.
    """

    def __init__(self, units: int, *, quiet: bool) -> None:
        self._units = units
        self._ended = 0
        self._quiet = quiet
        self._progress = Progress()
        self._running: dict[tuple[str, str], str] = {}

    def show(self, event: Event) -> Result | None:
        """Show an event, and return its result, if it has one."""
        if isinstance(event, Started):
            self._running[event.example, event.backend] = event.step
            self._show_running()
            return None
        result = event.result if isinstance(event, Known) else event
        self._ended += 1
        self._running.pop((result.example, result.backend), None)
        self._progress.erase()
        if not self._quiet:
            self._print(result, again=isinstance(event, Known))
        self._show_running()
        return result

    def erase(self) -> None:
        """Erase the line for the running steps."""
        self._progress.erase()

    def _show_running(self) -> None:
        running = ", ".join(f"{e} {b}: {step}" for (e, b), step in self._running.items())
        self._progress.show(f"[{self._ended}/{self._units}] {running}")

    def _print(self, result: Result, *, again: bool) -> None:
        if result.backend == SOURCE and result.proved:
            return
        where = f"[{self._ended}/{self._units}] {result.example} {result.backend}"
        if problem := result.problem:
            word = click.style(f"{problem.name} {problem.status}", fg="red")
            click.echo(f"{where}: {word}\n{problem.message}")
            return
        word = click.style("proved", fg="green")
        when = "unchanged, not run again" if again else f"{result.seconds:.0f} s"
        said = ", ".join([*_said(result.facts()), *_speed(result)])
        click.echo(f"{where}: {word} ({said}; {when})" if said else f"{where}: {word} ({when})")


def _said(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the facts that fit on a line."""
    yield from (f"{facts[what]} {what}" for what in ("tests", "checks") if what in facts)
    if "score" in facts:
        yield f"{facts['metric']} {facts['score']:g}, baseline {facts['trivial']:g}"


def _speed(result: Result) -> Iterator[str]:
    """Yield the duration of a training step on a GPU, and on the CPU if known."""
    if result.device == "cpu" or "ms_per_step" not in result.facts():
        return
    yield f"{result.facts()['ms_per_step']:.1f} ms per step"
    beside = known(result.example, result.backend, "cpu")
    if beside and "ms_per_step" in beside.facts():
        yield f"{beside.facts()['ms_per_step']:.1f} on the CPU"
