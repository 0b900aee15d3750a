"""`make zoo`: the seeded defects that `scaffold check` and Keras's own `run_layer_test` find.

Runs the zoo of `tests/conformance` on each backend and writes `docs/zoo.md` with the results.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from conformance.zoo.entry import BACKENDS, Entry, entries

TITLES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "Torch"}
OWNERS = {
    "jax": "jax-ml",
    "keras": "keras-team",
    "keras-applications": "keras-team",
    "keras-core": "keras-team",
    "keras-hub": "keras-team",
    "keras-io": "keras-team",
    "pytorch": "pytorch",
    "tensorflow": "tensorflow",
    "tf-keras": "keras-team",
}
INTRODUCTION = """\
# What the checks find

Layers and models with one seeded defect each, most of them from user reports, and what finds them:
`scaffold check`, and for comparison `run_layer_test`, the helper that Keras's own tests use (it is
not public; it ran with its defaults, including a training step and mixed precision). The classes
are in `tests/conformance/zoo`, and `make zoo` writes this page.

A defect is *silent* if it gives wrong results, loses weights or state, or behaves differently on
another backend, without an error. `run_layer_test` was not made for this: it contains what Keras's
layers need in addition to their own tests. Any failure counts as found. *n.a.* stands for inputs
that it can't pass to a layer, and a hyphen for a backend on which the defect doesn't occur.
"""

Results = Mapping[str, Mapping[str, Any]]


def run(backend: str, folder: Path) -> Results:
    """Run the zoo on a backend, and return the results of each class."""
    results = folder / f"{backend}.json"
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT / "tests")}
    words = [sys.executable, "-m", "conformance.zoo.run", "--own", "--keras", str(results)]
    subprocess.run(words, env=environment, check=True, cwd=ROOT)
    found: Results = json.loads(results.read_text("utf-8"))
    return found


def page(results: Mapping[str, Results]) -> str:
    """Return the page as Markdown."""
    seeded = [entry for entry in entries() if entry.check]
    clean = [entry for entry in entries() if not entry.check]
    return "\n".join(
        [
            INTRODUCTION,
            *_totals(results, seeded),
            "",
            f"Of {len(clean)} classes without a defect, which a careless check would report, "
            + _accused(results, clean),
            "",
            *_table(results, seeded),
            "",
        ]
    )


def _totals(results: Mapping[str, Results], seeded: list[Entry]) -> Iterator[str]:
    counted = "`scaffold check` | `run_layer_test`"
    yield f"| | defects | {counted} | silent defects | {counted} |"
    yield "| --- | --: | --: | --: | --: | --: | --: |"
    for backend, found in results.items():
        shown = [entry for entry in seeded if backend in entry.on]
        silent = [entry for entry in shown if entry.silent]
        cells = [_counts(found, chosen) for chosen in (shown, silent)]
        yield f"| {TITLES[backend]} | {' | '.join(cells)} |"


def _counts(found: Results, chosen: list[Entry]) -> str:
    ours = sum(entry.check in found[entry.name]["findings"] for entry in chosen)
    keras = sum(found[entry.name]["keras"] == "found" for entry in chosen)
    return f"{len(chosen)} | {ours} | {keras}"


def _accused(results: Mapping[str, Results], clean: list[Entry]) -> str:
    """Return the number of classes that each tool reports on any backend, in words."""
    ours = {e.name for e in clean for found in results.values() if found[e.name]["findings"]}
    theirs = {e.name for e in clean for f in results.values() if f[e.name]["keras"] == "found"}
    return f"`scaffold check` reports {len(ours)} and `run_layer_test` {len(theirs)}."


def _table(results: Mapping[str, Results], seeded: list[Entry]) -> Iterator[str]:
    titles = " / ".join(TITLES[backend] for backend in BACKENDS)
    yield f"| class | defect | report | found by | `run_layer_test` on {titles} |"
    yield "| --- | --- | --- | --- | --- |"
    for entry in sorted(seeded, key=lambda entry: (entry.check, entry.name)):
        reports = ", ".join(f"[{report}]({_link(report)})" for report in entry.reports)
        verdicts = " / ".join(_verdict(entry, backend, results[backend]) for backend in BACKENDS)
        defect = entry.defect.rstrip(".") + ("" if entry.silent else " *(not silent)*")
        yield f"| `{entry.name}` | {defect} | {reports} | `{entry.check}` | {verdicts} |"


def _verdict(entry: Entry, backend: str, found: Results) -> str:
    if backend not in entry.on:
        return "-"
    return {"found": "found", "missed": "no", "n.a.": "n.a."}[found[entry.name]["keras"]]


def _link(report: str) -> str:
    repository, _, number = report.partition("#")
    if "/" not in repository:
        repository = f"{OWNERS[repository]}/{repository}"
    return f"https://github.com/{repository}/issues/{number}"


def main() -> int:
    """Write the page, and return 1 if a defect is missed."""
    with tempfile.TemporaryDirectory() as folder:
        results = {backend: run(backend, Path(folder)) for backend in BACKENDS}
    (ROOT / "docs/zoo.md").write_text(page(results), encoding="utf-8")
    missed = [
        f"{entry.name} on {backend}: {entry.check}"
        for backend, found in results.items()
        for entry in entries()
        if backend in entry.on and entry.check not in found[entry.name]["findings"]
    ]
    print(*missed, sep="\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
