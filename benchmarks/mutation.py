"""`make mutation`: how many mutants of each generated class its own generated tests kill.

mutmut makes the mutants and runs the tests; a server forks a process for each, which has Keras
imported already. Writes `docs/mutation.md`, with every survivor and what to think of it: the
judgements stand in `tests/proofs`. `python -m benchmarks.mutation dense` runs some goldens only
and prints what it finds.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
sys.path.insert(0, str(TESTS))

from proofs.proof import proofs  # noqa: E402 - it is beside the tests

PAGE = ROOT / "docs/mutation.md"
BOUND = 0.9
KILLED, SURVIVED = "killed", "survived"
# mutmut stands a trampoline in for each method; Keras reads the signature of `__init__` by a way
# that does not see through one, and a test's fresh process has another working directory.
BRIDGE = """
import inspect
import os
from pathlib import Path

from mutmut import configuration
from mutmut.mutation import trampoline

_here = os.getcwd()
os.chdir(Path(__file__).parent)
configuration.config()
os.chdir(_here)
_plain = trampoline.wrap_in_trampoline


def _wrap(mutants, **options):
    decorate = _plain(mutants, **options)

    def with_signature(function):
        wrapped = decorate(function)
        if function.__name__ == "__init__":
            wrapped.__signature__ = inspect.signature(function)
        return wrapped

    return with_signature


trampoline.wrap_in_trampoline = _wrap
"""
SETTINGS = """
[tool.mutmut]
source_paths = ["{module}.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = ["test_{module}.py"]
also_copy = ["test_{module}.py", "bridge.py"]
process_isolation = "forkserver"
use_git_change_detection = false
"""
INTRODUCTION = """\
# Mutants

How many small defects, seeded one at a time by [mutmut](https://mutmut.readthedocs.io), the tests
find that are generated with a class. `make mutation` writes this page, on TensorFlow. A mutant
that survives is *equivalent* if nobody could tell the two classes apart; else a test is missing.
"""


@dataclass(frozen=True)
class Score:
    """What became of the mutants of one golden: how many were killed, and which were not."""

    golden: str
    mutants: int
    killed: int
    survivors: Sequence[str]

    @property
    def share(self) -> float:
        return self.killed / self.mutants


def score(golden: str) -> Score:
    """Run mutmut on one golden, in a folder of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (test,) = (TESTS / "goldens" / golden).glob("test_*.py")
        module = test.stem.removeprefix("test_")
        source = test.with_name(f"{module}.py").read_text("utf-8")
        bridged = source.replace("\nimport keras\n", "\nimport bridge  # noqa\nimport keras\n", 1)
        (folder / f"{module}.py").write_text(bridged, encoding="utf-8")
        (folder / test.name).write_text(test.read_text("utf-8"), encoding="utf-8")
        (folder / "bridge.py").write_text(BRIDGE, encoding="utf-8")
        (folder / "pyproject.toml").write_text(SETTINGS.format(module=module), encoding="utf-8")
        _mutmut(folder, "run", f"--max-children={os.cpu_count()}")
        found = _results(folder)
        survivors = [_changed(_mutmut(folder, "show", name)) for name in found[SURVIVED]]
    mutants = sum(map(len, found.values()))
    return Score(golden, mutants, mutants - len(survivors), sorted(survivors))


def _mutmut(folder: Path, *words: str) -> str:
    """What a command of mutmut prints."""
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(words)}\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _results(folder: Path) -> Mapping[str, list[str]]:
    """The names of all mutants, by what became of them."""
    found: dict[str, list[str]] = {KILLED: [], SURVIVED: []}
    for line in _mutmut(folder, "results", "--all", "true").splitlines():
        name, colon, status = line.strip().rpartition(": ")
        if colon:
            found.setdefault(status, []).append(name)
    # A mutant that never ends is found, and so is one that ends the process.
    unknown = found.keys() - {KILLED, SURVIVED, "timeout", "segfault", "suspicious"}
    if unknown:
        raise SystemExit(f"mutmut left {json.dumps(found)}")
    return found


def _changed(shown: str) -> str:
    """The lines that a mutant changes, as `before -> after`."""
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++", "@@", "#"))]
    before = [line[1:].strip() for line in lines if line.startswith("-")]
    after = [line[1:].strip() for line in lines if line.startswith("+")]
    return f"{' '.join(before)} -> {' '.join(after) or 'nothing'}"


def judged() -> dict[str, Mapping[str, str]]:
    """What is thought of survivors, by golden."""
    return {golden: proof.judged for proof in proofs().values() for golden in proof.goldens}


def page(scores: Sequence[Score]) -> str:
    """The page as Markdown."""
    lines = [
        INTRODUCTION,
        "| generated class | mutants | killed | share |",
        "| --- | --: | --: | --: |",
        *(f"| `{s.golden}` | {s.mutants} | {s.killed} | {s.share:.1%} |" for s in scores),
        "",
        "## Survivors",
        "",
    ]
    for one in scores:
        lines += _survivors(one)
    return "\n".join(lines)


def _survivors(one: Score) -> Iterator[str]:
    if not one.survivors:
        return
    yield f"### `{one.golden}`"
    yield ""
    for changed, number in Counter(one.survivors).items():
        times = f" ({number} times)" if number > 1 else ""
        judgement = judged()[one.golden].get(changed, "not judged")
        yield f"- `{changed}`{times}: {judgement}"
    yield ""


def main() -> int:
    """Print a line for each golden; with all of them, write the page."""
    chosen = sys.argv[1:]
    known = [golden for proof in proofs().values() for golden in proof.goldens]
    for name in chosen:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known)) or ", ".join(known)
            raise SystemExit(f"there is no golden {name}: {near}")
    scores = []
    for golden in chosen or known:
        scores.append(score(golden))
        print(f"{golden:<32} {scores[-1].killed} of {scores[-1].mutants}", flush=True)
        for line in _survivors(scores[-1]) if chosen else ():
            print(line, flush=True)
    if not chosen:
        PAGE.write_text(page(scores), encoding="utf-8")
    return int(any(one.share < BOUND for one in scores))


if __name__ == "__main__":
    sys.exit(main())
