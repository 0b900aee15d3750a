"""What `python -m tools.examples verify` shows while it runs: a line for each result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from scaffold.cli.progress import Progress
from tools.examples.verify.result import SOURCE, Result
from tools.examples.verify.results import known
from tools.examples.verify.run import Event, Known, Started


class Display:
    """A line for each unit that has ended, and on a terminal one of what runs now.

    Args:
        units: How many there are.
        quiet: Whether only what runs now is shown.
    """

    def __init__(self, units: int, *, quiet: bool) -> None:
        self._units = units
        self._ended = 0
        self._quiet = quiet
        self._progress = Progress()
        self._running: dict[tuple[str, str], str] = {}

    def show(self, event: Event) -> Result | None:
        """Show an event; the result that it brings, if it does."""
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
        """Leave no line of what runs now."""
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
        when = "not again, nothing has changed" if again else f"{result.seconds:.0f} s"
        said = ", ".join([*_said(result.facts()), *_speed(result)])
        click.echo(f"{where}: {word} ({said}; {when})")


def _said(facts: Mapping[str, Any]) -> Iterator[str]:
    """What was found out, as far as a line has room for it."""
    yield from (f"{facts[what]} {what}" for what in ("tests", "checks") if what in facts)
    if "score" in facts:
        yield f"{facts['metric']} {facts['score']:g} where a guess gets {facts['trivial']:g}"


def _speed(result: Result) -> Iterator[str]:
    """How long a step of the training took on a GPU, beside the CPU's if that is known."""
    if result.device == "cpu" or "ms_per_step" not in result.facts():
        return
    yield f"{result.facts()['ms_per_step']:.1f} ms a step"
    beside = known(result.example, result.backend, "cpu")
    if beside and "ms_per_step" in beside.facts():
        yield f"{beside.facts()['ms_per_step']:.1f} on the CPU"
