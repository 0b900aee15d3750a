"""Runs the tests that are generated with a class, or others, on a backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.examples.verify.run_report import RunReport, read_report

# What the proofs by generated tests depend on beside these.
JUDGES = ("tests/support/generated_tests.py", "tools/examples/verify/run_report.py", "tools/warm")


def run_tests(
    backend: str, paths: list[Path], report: Path, *more: str, python: str = sys.executable
) -> tuple[int, str]:
    """Run pytest on files or folders in a separate process; return exit code and output."""
    search = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        f"--rootdir={paths[0].parent}",
    ]
    result = subprocess.run(
        [python, "-m", "pytest", *options, *more, f"--junitxml={report}", *map(str, paths)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": search,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def assert_passes(
    backend: str, paths: list[Path], report: Path, *more: str, python: str = sys.executable
) -> RunReport:
    """Check that the tests pass; none may be skipped except what this processor can't run."""
    code, output = run_tests(backend, paths, report, *more, python=python)
    tested = read_report(report, backend)
    assert (code, tested.bad) == (0, ()), output
    return tested
