"""Runs each check on the two examples of its page, on one backend, and writes the results.

`python pages_run.py FOLDER all|own`: the examples go into FOLDER; `all` runs every check on each
good example, `own` only the check of its page.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from scaffold.conformance import Check, check, checks

# These need another import or another backend: tests/conformance/test_session.py.
ELSEWHERE = ("imports", "backends-agree")


def said(example: Check, side: str, only: list[str]) -> list[list[Any]]:
    """Return the id, status, findings and reason of each check on one side of a page."""
    module = importlib.import_module(f"{example.id.replace('-', '_')}_{side}")
    (cls,) = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and hasattr(value, "call")
    ][-1:]
    outcomes = check(cls, only=only, raises=False)
    return [
        [o.check, o.status, [f"{f.expected} / {f.got} / {f.where}" for f in o.findings], o.reason]
        for o in outcomes
    ]


def main(folder: Path, everything: bool) -> None:
    """Write `said.json` into the folder."""
    sys.path.insert(0, str(folder))
    examples = [example for example in checks() if example.id not in ELSEWHERE]
    for example in examples:
        name = example.id.replace("-", "_")
        (folder / f"{name}_bad.py").write_text(example.bad, encoding="utf-8")
        (folder / f"{name}_good.py").write_text(example.good, encoding="utf-8")
    pages = {
        example.id: {
            "bad": said(example, "bad", [example.id]),
            "good": said(example, "good", [] if everything else [example.id]),
        }
        for example in examples
    }
    (folder / "said.json").write_text(json.dumps(pages), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "all")
