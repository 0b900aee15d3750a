"""`make keras-tests`: Keras's own tests, with generated classes in place of its layers.

The wheel of Keras ships the tests of its layers. They run here on each backend, in a separate
process, with each drop-in in place of its built-in. `rules.toml` lists what does not count. The
table goes to `docs/keras-tests.md`.
`python -m benchmarks.keras_tests --backend torch embedding dense` runs some files on one backend,
and writes no page.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.keras_tests.counting import Counts, count, load_rules
from benchmarks.keras_tests.substitution import RESULTS
from proofs import proofs

PAGE = ROOT / "docs" / "keras-tests.md"
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "Torch"}
BOUND = 0.98
# The first exported name of a class, and the class.
EXPORTED = re.compile(r'@keras_export\([^@]*?"keras\.layers\.(\w+)"[^@]*?\)\s*class (\w+)\(')

INTRODUCTION = f"""# Keras's own tests

Keras ships the tests of its layers. `make keras-tests` runs them with each layer replaced by its
generated drop-in, and writes this page: for each class, how many of the tests that create it pass.
On each backend {BOUND:.0%} of the tests must pass.
"""


def files() -> list[Path]:
    """Return Keras's test files that use a layer of their folder that has a drop-in."""
    spec = importlib.util.find_spec("keras")
    assert spec is not None
    assert spec.origin is not None
    builtins = {one.builtin for proof in proofs("layer").values() for one in proof.drop_ins}
    chosen = []
    for path in sorted((Path(spec.origin).parent / "src" / "layers").glob("*/*_test.py")):
        words = {*re.findall(r"\w+", path.read_text("utf-8"))}
        sources = [other.read_text("utf-8") for other in path.parent.glob("*.py")]
        classes = [pair for source in sources for pair in EXPORTED.findall(source)]
        if any(name in builtins and class_name in words for name, class_name in classes):
            chosen.append(path)
    return chosen


def run(backend: str, paths: Sequence[Path]) -> dict[str, Any]:
    """Run the tests in these files on a backend, and return their outcomes."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.json"
        environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            RESULTS: str(results),
        }
        options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}"]
        plugin = ["-p", "benchmarks.keras_tests.substitution"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *plugin, *map(str, paths)],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):  # All passed, or some failed.
            raise RuntimeError(f"Keras's tests did not run on {backend}:\n{done.stdout[-4000:]}")
        found: dict[str, Any] = json.loads(results.read_text("utf-8"))
        return found


def page(results: Mapping[str, Counts]) -> str:
    """Return the page as Markdown."""
    return "\n".join([INTRODUCTION, *_table(results), "", *_left_out(results), *_failed(results)])


def _table(results: Mapping[str, Counts]) -> Iterator[str]:
    yield f"| class | {' | '.join(BACKENDS[backend] for backend in results)} |"
    yield f"| --- |{' --: |' * len(results)}"
    for name in sorted(set().union(*(counts.of for counts in results.values()))):
        cells = (f"{counts.passed[name]} of {counts.of[name]}" for counts in results.values())
        yield f"| `{name}` | {' | '.join(cells)} |"
    totals = (f"{c.of_all['passed']} of {c.of_all['counted']}" for c in results.values())
    yield f"| all tests, each once | {' | '.join(totals)} |"


def _left_out(results: Mapping[str, Counts]) -> Iterator[str]:
    yield "## What does not count"
    yield ""
    yield "A test also passes if the right error has a different message, and if the layer is not"
    yield "built by its constructor. These tests do not count, whatever their outcome:"
    yield ""
    yield f"| reason | {' | '.join(BACKENDS[backend] for backend in results)} |"
    yield f"| --- |{' --: |' * len(results)}"
    for reason in sorted(set().union(*(counts.left_out for counts in results.values()))):
        cells = (str(counts.left_out[reason]) for counts in results.values())
        yield f"| {reason} | {' | '.join(cells)} |"
    yield ""


def _failed(results: Mapping[str, Counts]) -> Iterator[str]:
    failed = sorted({test for counts in results.values() for test in counts.failed})
    if failed:
        yield "## What fails"
        yield ""
        for test in failed:
            where = [BACKENDS[name] for name, counts in results.items() if test in counts.failed]
            yield f"- `{test}` on {', '.join(where)}"
        yield ""


def main() -> int:
    """Print the counts, write the page, and return 1 if a backend misses the bound."""
    parser = argparse.ArgumentParser(prog="benchmarks.keras_tests")
    parser.add_argument("--backend", choices=["all", *BACKENDS], default="all")
    parser.add_argument("files", nargs="*", help="parts of the names of test files; by default all")
    asked = parser.parse_args()
    chosen = [p for p in files() if not asked.files or any(part in p.name for part in asked.files)]
    backends = [*BACKENDS] if asked.backend == "all" else [asked.backend]
    rules = load_rules()
    results = {backend: count(run(backend, chosen), rules) for backend in backends}
    print(page(results))
    for backend, counts in results.items():
        for test, error in counts.failed.items():
            print(f"{backend}: {test}\n  {error.splitlines()[0]}")
    if not asked.files and asked.backend == "all":
        PAGE.write_text(page(results), encoding="utf-8")
    return int(any(counts.share < BOUND for counts in results.values()))


if __name__ == "__main__":
    sys.exit(main())
