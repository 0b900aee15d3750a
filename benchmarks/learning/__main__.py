"""`python -m benchmarks.learning [GOLDEN]...`: the training tests, each with 20 seeds.

A generated test uses one seed, but rounding on another processor can change a training run as much
as another seed does. The exit code is 1 if a test fails with any of the seeds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from benchmarks import ROOT
from benchmarks.learning.from_many_seeds import LEARNED, SEEDS
from goldens import GOLDENS


def measured(golden: Path, backend: str) -> tuple[int, list[float]]:
    """Return the number of seeds that fail, and the ratios of the last loss to the first."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        words = [
            *(
                "-q",
                "-p",
                "no:cacheprovider",
                "-o",
                "junit_family=xunit1",
                "-p",
                "benchmarks.learning.from_many_seeds",
            ),
            *("-c", os.devnull, f"--rootdir={golden}", f"--junitxml={report}"),
            *("-k", "test_trains_and_reloads", str(golden)),
        ]
        subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        cases = [*ET.parse(report).getroot().iter("testcase")]  # noqa: S314 - pytest wrote it
    learned = [case for case in cases if _skipped(case) == LEARNED]
    shares = [float(one.get("value", "")) for case in cases for one in case.iter("property")]
    return max(len(cases), SEEDS) - len(learned), shares


def _skipped(case: ET.Element) -> str:
    skipped = case.find("skipped")
    return "" if skipped is None else skipped.get("message", "")


def main(words: Sequence[str]) -> int:
    """Print a line for each golden, and return 1 if a test failed."""
    backend = os.environ.get("KERAS_BACKEND", "torch")
    goldens = sorted(GOLDENS.iterdir())
    chosen = [golden for golden in goldens if not words or golden.name in words]
    print(f"{SEEDS} seeds on {backend}: the ratio of the last loss to the first")
    failed = 0
    for golden in chosen:
        fails, shares = measured(golden, backend)
        failed += bool(fails)
        spread = f"median {statistics.median(shares):.3f}, max {max(shares):.3f}" if shares else ""
        print(f"{golden.name:45} {spread:30} {f'{fails} seeds fail' if fails else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
