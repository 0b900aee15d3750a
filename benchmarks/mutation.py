"""`make mutation`: how many mutants of each generated class its own generated tests kill.

mutmut creates the mutants and runs the tests; a server that has imported Keras forks a process for
each. Only what has changed is run again: `docs/mutation.json` has the results, and outdated ones
are marked as such.
Writes `docs/mutation.md`, with every survivor and a judgement of it, from `tests/templates`.
`python -m benchmarks.mutation dense` runs only some goldens, and prints the survivors.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import ROOT
from goldens import GOLDENS, KINDS, first_goldens
from proofs import TARGETS, proofs
from tools.warm import warm_python

PAGE = ROOT / "docs/mutation.md"
RESULTS = ROOT / "docs/mutation.json"
# Files that mutmut gets besides the classes, for correct mutants and fast runs.
HELPERS = sorted((ROOT / "benchmarks/mutated").glob("*.py"))
# One of each kind: ranks share their code, and the code for users' attributes is in the skeleton.
# `blank` computes nothing: Keras ignores what its only mutant changes.
LAYERS = [folder for folders in KINDS.values() for folder in folders if folder.name != "blank"]
KNOWN = {folder.name: folder for folder in LAYERS} | {
    golden: GOLDENS / golden for golden in first_goldens()
}
PROOFS = {
    golden: proof
    for target in TARGETS
    for proof in proofs(target).values()
    for golden in proof.goldens
}
# The backends on which survivors on TensorFlow are tried again.
ALWAYS_ON = {golden: proof.always_on for golden, proof in PROOFS.items()}
BOUND = 0.9
AT_ONCE = 4  # goldens per run of mutmut, which imports Keras a few times
KILLED = "killed"
SURVIVED = {"survived", "no tests"}  # No test can kill what no test runs.
SETTINGS = """
[tool.mutmut]
source_paths = {sources}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:unraisableexception"]
pytest_add_cli_args_test_selection = {tests}
also_copy = {helpers}
process_isolation = "forkserver"
use_git_change_detection = false
"""
# Judgements of mutants that survive in many classes, by a pattern of the changed line.
USUAL = {
    # mutmut's wrapper passes on the defaults of the original.
    r"^def \w+\(self, .*=|^self, \w+, .*=.*\*\*kwargs -> |^self, x=None, y=None": (
        "not run: mutmut's wrapper passes on the default of the original"
    ),
    r'^(\w+=[\w."]+), -> \w+=[\w."]+,$(?<!_format="CHANNELS_LAST",)(?<!_format=None,)': (
        "not run: mutmut's wrapper passes on the default of the original"
    ),
    r'"(channels_last|mse|causal|uniform)".* -> .*"(CHANNELS_LAST|MSE|CAUSAL|UNIFORM)"': (
        "as in Keras, any case is accepted"
    ),
    r"> 0 for item in .* -> .*> 1 for item in|<= 0 or .* -> .*<= 1 or ": (
        "no test uses a size of 1"
    ),
    r"\[:-1\].* -> .*\[:\+1\]|axis=-1.* -> .*axis=\+1|_shape\[-1\] -> .*_shape\[\+1\]": (
        "with two axes, the first counted from either end is the same"
    ),
    r"dropout, dtype=.* -> dropout, |Dropout\(.*dropout.*dtype=": (
        "no test checks the name and the dtype of a layer without weights"
    ),
    r'dtype=self\.dtype_policy, name=f?"(flatten|reshape|relu|concatenate|average|sampling)"': (
        "no test checks the name and the dtype of a layer without weights"
    ),
    r'dtype=self\.dtype_policy, name=f?"(join_|last_step|distance)': (
        "no test checks the name and the dtype of a layer without weights"
    ),
    r"\b(value_)?mask=mask.* -> (?!.*mask=mask)": "the mask is passed on with the tensor",
    r"_embedding\.build\(input_shape\) -> ": "Keras's `Embedding` ignores the shape",
    r'dtype="(int32|float32)".* -> (?!.*dtype="(int32|float32)")': (
        "the default, or cast when it is used"
    ),
    r"\.build\(\(\*input_shape\[:-1\], .* -> .*\[:-2\]": "`Dense` only uses the last axis",
    r"epsilon=1e-5, .* -> epsilon=None": "no test checks the epsilon",
    r'^f?"[^"]*" -> f?"[^"]*"$': "the wording of a message, of which the tests check the subject",
    r"\btraining=\w+\b.* -> .*\btraining=True\b": (
        "not run: mutmut's wrapper passes on the default of the original"
    ),
    r'name="\w+", shape=\(\), .* -> .*name="\w+", (shape=None, )?': (
        "`add_weight` creates a scalar if no shape is given"
    ),
    r"\bstrict=True\b": "the zipped lengths are equal, which was checked before",
    r"\bstrict=False\b": "the default, and both are false",
    r'\bresult_type\(.*"float32"\).* -> ': "the same for all floats except float64",
    r'padding="(VALID|SAME)"|penalty="L2"': "as in Keras, any case is accepted",
    r'\beinsum\("[a-z,>.-]+".* -> .*\beinsum\("[A-Z,>.-]+"': "the letters are arbitrary",
    r'^"[a-z,>.-]+", -> "[A-Z,>.-]+",$': "the letters are arbitrary",
    r'initializer="glorot_uniform".* -> (?!.*glorot_uniform)': (
        "the default initializer of `add_weight`"
    ),
    r'\bname="(dropout|pool)".* -> .*dtype=self\.dtype_policy': "no weight has this name",
    r'\bname="(dropout|pool)".* -> ': "no test checks the dtype of a layer without weights",
    r'\bcast\(.*\bmasks?\b.*"bool"\).* -> .*, None\)': "numbers are also accepted as a mask",
    r"\bcast\(.* -> .*\bcast\(.*, None\)": "it means float32: the same except for float64",
    r"\b(trainable|autocast|use_bias) ?= ?False.* -> .*\b\1 ?= ?None": "both are false",
    r"super\(\)\.build\(input_shape\) -> super\(\)\.build\(None\)": (
        "Keras's own `build` ignores the shape"
    ),
    r"training=training.* -> (?!.*training=training)|\), training=training\) -> ": (
        "Keras passes `training` to layers that are called inside a call"
    ),
}
INTRODUCTION = """\
# Mutants

How many small defects, seeded one at a time by [mutmut](https://mutmut.readthedocs.io), the
generated tests of a class find. `make mutation` writes this page, on TensorFlow; survivors in
recurrent layers and wrappers, whose calls assign to variables, are tried again on JAX. A surviving
mutant is *equivalent* if the two classes can't be distinguished; otherwise a test is missing.
"""


@dataclass(frozen=True)
class Score:
    """The mutants of one golden: their number, and the survivors.

    `text` is a digest of the class and its tests at the time.
    """

    golden: str
    text: str
    mutants: int
    survivors: Sequence[str]

    @property
    def killed(self) -> int:
        return self.mutants - len(self.survivors)

    @property
    def share(self) -> float:
        return self.killed / self.mutants

    @property
    def holds(self) -> bool:
        return self.text == text_of(self.golden)


def text_of(golden: str) -> str:
    """Return a digest of the class and its tests."""
    files = [file for file in sorted(KNOWN[golden].glob("*.py")) if "train_" not in file.name]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def measured() -> dict[str, Score]:
    """Load the last scores of the goldens, by name."""
    scores = [Score(**data) for data in json.loads(RESULTS.read_text("utf-8"))]
    return {one.golden: one for one in scores if one.golden in KNOWN}


def keep(found: Mapping[str, Score]) -> None:
    """Write the scores, as data and as the page."""
    data = [asdict(found[golden]) for golden in KNOWN if golden in found]
    RESULTS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")


def scores(goldens: Sequence[str]) -> Iterator[Score]:
    """Run mutmut on some goldens at once, in a temporary folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        modules = {golden: _copy(golden, folder) for golden in goldens}
        for helper in HELPERS:
            shutil.copy(helper, folder)
        sources = json.dumps([f"{module}.py" for module in modules.values()])
        tests = json.dumps([f"test_{module}.py" for module in modules.values()])
        apart = {f"{start}{module}.py" for module in modules.values() for start in ("", "test_")}
        helpers = json.dumps([file.name for file in folder.glob("*.py") if file.name not in apart])
        settings = SETTINGS.format(sources=sources, tests=tests, helpers=helpers)
        (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
        _run(folder, "tensorflow")
        found = _results(folder)
        for golden, module in modules.items():
            for backend in ALWAYS_ON.get(golden, ()):
                mutants = [name for name in found if name.startswith(f"{module}.")]
                if survived := [name for name in mutants if found[name] in SURVIVED]:
                    _run(folder, backend, *survived)
                    found = _results(folder)
            mutants = [name for name in found if name.startswith(f"{module}.")]
            survived = [name for name in mutants if found[name] in SURVIVED]
            survivors = sorted(_changed(_mutmut(folder, "show", name)) for name in survived)
            yield Score(golden, text_of(golden), len(mutants), survivors)


def _run(folder: Path, backend: str, *mutants: str) -> None:
    """Run all mutants that have not run yet, or some of them again."""
    with warm_python([backend], {}) as python:
        given = {"KERAS_BACKEND": backend, "WARM_PYTHON": python}
        _mutmut(folder, "run", f"--max-children={os.cpu_count()}", *mutants, **given)


def _copy(golden: str, folder: Path) -> str:
    """Copy a class, its tests and its layers into `folder`, and return the name of its module."""
    tests = {file.stem.removeprefix("test_"): file for file in KNOWN[golden].glob("test_*.py")}
    # The layers of a model also have tests there, but no training script.
    scripts = [file.stem.removeprefix("train_") for file in KNOWN[golden].glob("train_*.py")]
    (module,) = scripts or tests
    shutil.copy(tests[module], folder)
    for other in tests:
        shutil.copy(KNOWN[golden] / f"{other}.py", folder)
    source = (folder / f"{module}.py").read_text("utf-8")
    bridged = source.replace("\nimport keras\n", "\nimport bridge  # noqa\nimport keras\n", 1)
    (folder / f"{module}.py").write_text(bridged, encoding="utf-8")
    return module


def _mutmut(folder: Path, *words: str, **more: str) -> str:
    """Run a command of mutmut, and return its output."""
    # Plugins, and garbage collection at the end, take longer than the tests of most mutants.
    quick = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=folder,
        env={**environment, **quick, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(words)}\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _results(folder: Path) -> Mapping[str, str]:
    """Return the status of each mutant, by name."""
    found: dict[str, str] = {}
    for line in _mutmut(folder, "results", "--all", "true").splitlines():
        name, colon, status = line.strip().rpartition(": ")
        if colon:
            found[name] = status
    # A mutant that never ends counts as killed, and so does one that ends the process.
    known = {KILLED, *SURVIVED, "timeout", "segfault", "suspicious"}
    if unknown := {name: status for name, status in found.items() if status not in known}:
        raise SystemExit(f"mutmut left {json.dumps(unknown)}")
    return found


def _changed(shown: str) -> str:
    """Return the lines that a mutant changes, as `before -> after`."""
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++", "@@", "#"))]
    before = [line[1:].strip() for line in lines if line.startswith("-")]
    after = [line[1:].strip() for line in lines if line.startswith("+")]
    return f"{' '.join(before)} -> {' '.join(after) or 'nothing'}"


def judgement(golden: str, changed: str) -> str:
    """Return the judgement of a survivor."""
    usual = (text for pattern, text in USUAL.items() if re.search(pattern, changed))
    return PROOFS[golden].judged.get(changed) or next(usual, "not judged")


def page(found: Mapping[str, Score]) -> str:
    """Return the page as Markdown."""
    earlier = [f"`{golden}`" for golden, one in found.items() if not one.holds]
    missing = [f"`{golden}`" for golden in KNOWN if golden not in found]
    lines = [
        INTRODUCTION,
        *_table("layer", [folder.name for folder in LAYERS], found),
        *_table("model", first_goldens(), found),
        *([f"Outdated: {', '.join(earlier)}.", ""] if earlier else []),
        *([f"Not measured: {', '.join(missing)}.", ""] if missing else []),
        "## Survivors",
        "",
        *(line for golden in KNOWN if golden in found for line in _survivors(found[golden])),
    ]
    return "\n".join(lines)


def _table(kind: str, goldens: Sequence[str], found: Mapping[str, Score]) -> Iterator[str]:
    yield f"| generated {kind} | mutants | killed | share |"
    yield "| --- | --: | --: | --: |"
    for one in (found[golden] for golden in goldens if golden in found):
        yield f"| `{one.golden}` | {one.mutants} | {one.killed} | {one.share:.1%} |"
    yield ""


def _survivors(one: Score) -> Iterator[str]:
    if not one.survivors:
        return
    yield f"### `{one.golden}`"
    yield ""
    for changed, number in Counter(one.survivors).items():
        times = f" ({number} times)" if number > 1 else ""
        yield f"- `{changed}`{times}: {judgement(one.golden, changed)}"
    yield ""


def main() -> int:
    """Measure the named goldens, by default those that changed, and print a line for each."""
    chosen, found = sys.argv[1:], measured()
    for name in chosen:
        if name not in KNOWN:
            near = ", ".join(difflib.get_close_matches(name, KNOWN)) or ", ".join(KNOWN)
            raise SystemExit(f"golden {name} not found: {near}")
    wanted = chosen or [one for one in KNOWN if one not in found or not found[one].holds]
    for start in range(0, len(wanted), AT_ONCE):
        for one in scores(wanted[start : start + AT_ONCE]):
            found[one.golden] = one
            print(f"{one.golden:<32} {one.killed} of {one.mutants}", flush=True)
            for line in _survivors(one) if chosen else ():
                print(line, flush=True)
        keep(found)
    return int(any(one.share < BOUND for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
