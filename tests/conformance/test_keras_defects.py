"""Each defect on the page of defects shows on the backends listed there, and on no others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from conformance.known_defects import BACKENDS, DEFECTS

PAGE = Path(__file__).parents[2] / "docs/keras-defects.md"
ENTRY = re.compile(
    r"## (?P<heading>[^\n]+)\n\nHappens on: (?P<backends>[^\n]+)\.\n.*?```python\n(?P<code>.*?)```",
    re.DOTALL,
)
RUN = """
import json, sys
shown = {}
for heading, code in json.load(sys.stdin).items():
    try:
        exec(compile(code, heading, "exec"), {"__name__": "shown"})
        shown[heading] = "shown"
    except AssertionError:
        shown[heading] = "not shown"
    except Exception as error:
        shown[heading] = repr(error)
json.dump(shown, sys.stdout)
"""


@dataclass(frozen=True)
class Entry:
    """A defect on the page."""

    heading: str
    backends: tuple[str, ...]
    code: str


def entries() -> list[Entry]:
    return [
        Entry(found["heading"], tuple(found["backends"].lower().split(", ")), found["code"])
        for found in ENTRY.finditer(PAGE.read_text("utf-8"))
    ]


ENTRIES = entries()


@cache
def shown(backend: str) -> dict[str, str]:
    """Return how the code of each entry ends on a backend, all in one process."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, "KERAS_BACKEND": backend},
        input=json.dumps({entry.heading: entry.code for entry in ENTRIES}),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def test_every_heading_is_an_entry() -> None:
    headings = re.findall(r"^## (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert headings == [entry.heading for entry in ENTRIES]


def test_every_waiver_is_written_up_for_its_backends() -> None:
    where = {entry.heading: set(entry.backends) for entry in ENTRIES}
    assert set(DEFECTS) <= set(where)
    for heading, places in DEFECTS.items():
        for _, backend, _ in places:
            assert (set(BACKENDS) if backend == "all" else {backend}) <= where[heading]


@pytest.mark.proof("docs/keras-defects.md")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.heading)
@pytest.mark.parametrize("backend", BACKENDS)
def test_shows_where_the_page_says(backend: str, entry: Entry) -> None:
    expected = "shown" if backend in entry.backends else "not shown"
    assert shown(backend)[entry.heading] == expected
