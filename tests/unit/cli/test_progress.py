from __future__ import annotations

import io
import sys

import pytest

from scaffold.cli.progress import Progress


class Screen(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, term: str = "xterm") -> str:
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "20")
    progress = Progress()
    progress.erase()
    progress.show("short")
    progress.show("a text that is longer than a line")
    progress.erase()
    progress.erase()
    return screen.getvalue()


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    written = shown(monkeypatch, terminal=True)
    assert written == "\rshort\x1b[K\ra text that is long\x1b[K\r\x1b[K"


def test_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, terminal=False) == ""
    assert shown(monkeypatch, terminal=True, term="dumb") == ""


def test_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    progress = Progress()
    progress.show("text")
    progress.erase()
