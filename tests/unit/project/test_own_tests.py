"""A generated project's own tests pass on its backend, with warnings as errors.

Those with several processes take over a minute: they run on Torch, with `--every-backend` on all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Scaffold, Warm
from tools.examples.verify.run_report import read_report

# It starts processes with several devices, which can't be forks of one that has imported Keras.
COLD = "tests/test_distribution.py"


@pytest.mark.proof("templates/project", "scaffold/project", "tools/examples/verify/run_report.py")
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_passes_its_own_tests(
    scaffold: Scaffold,
    here: Path,
    warm: Warm,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    backend: str,
) -> None:
    assert scaffold("project", "net", f"backend={backend}", "--no-input").code == 0
    report = tmp_path / "report.xml"
    passes(here / "net", report, warm(backend), f"--ignore={COLD}")
    if backend == "torch" or pytestconfig.getoption("--every-backend"):
        passes(here / "net", report, sys.executable, COLD)


def passes(folder: Path, report: Path, python: str, *words: str) -> None:
    """Run pytest like `make test` in the project; no test may fail or be skipped."""
    # Make the package importable like an installed one.
    search = os.pathsep.join([str(folder / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    tested = read_report(report, "any")
    assert tested.tests > 0
    assert tested.bad == ()
