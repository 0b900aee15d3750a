"""Each check finds the fault of its page's bad example, and nothing in the good one.

On Torch, the quickest, every check runs on every good example; on the others, only on its own,
unless with `--every-backend`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.pages_run import ELSEWHERE
from conformance.table import CHECKS
from scaffold.conformance import checks
from scaffold.conformance.backends import BACKENDS

RUN = Path(__file__).with_name("pages_run.py")
# Faults that some backends don't have, or reject.
SHOWS_ON: dict[str, tuple[str, ...]] = {"export": ("jax",)}
IDS = [check.id for check in checks() if check.id not in ELSEWHERE]


@pytest.fixture(scope="module", params=BACKENDS)
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pages")
    every = request.config.getoption("--every-backend")
    environment = {
        **os.environ,
        "KERAS_BACKEND": request.param,
        "PYTHONPATH": str(RUN.parent.parent),
    }
    words = [
        sys.executable,
        str(RUN),
        str(folder),
        "all" if every or request.param == "torch" else "own",
    ]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return request.param, json.loads((folder / "said.json").read_text("utf-8"))


@pytest.mark.proof(*CHECKS, "docs/checks")
@pytest.mark.parametrize("id_", IDS)
def test_finds_the_bad_example(said: Any, id_: str) -> None:
    backend, pages = said
    shows_on = SHOWS_ON.get(id_, BACKENDS)
    ((check, status, findings, reason),) = pages[id_]["bad"]
    assert check == id_
    if backend in shows_on:
        assert (status, len(findings) > 0) == ("failed", True), reason


@pytest.mark.proof(*CHECKS, "docs/checks")
@pytest.mark.parametrize("id_", IDS)
def test_passes_the_good_example(said: Any, id_: str) -> None:
    _, pages = said
    own = [(status, reason) for check, status, _, reason in pages[id_]["good"] if check == id_]
    assert own == [("passed", "")]
    wrong = [row for row in pages[id_]["good"] if row[1] in ("failed", "blocked")]
    assert wrong == []
