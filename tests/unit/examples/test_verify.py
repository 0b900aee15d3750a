"""The results of examples that are correct, wrong, hang or crash; and what is run again."""

from __future__ import annotations

import dataclasses
import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from scaffold.errors import MissingError
from scaffold.generation.template import Training
from tools.examples.build import Built, Generated
from tools.examples.listing import Example
from tools.examples.report.summary import junit
from tools.examples.verify import results, steps
from tools.examples.verify.devices import require_gpu
from tools.examples.verify.result import Result, Step
from tools.examples.verify.run import Asked, Known, Started, run_all, verify
from tools.examples.verify.source import up_to_date, well_formed
from tools.proof_store import VARIABLE, ProofStore, key

LAYER = '''"""A layer."""

import keras


@keras.saving.register_keras_serializable(package="mine")
class Twice(keras.layers.Layer):
    """Twice its inputs."""

    def call(self, inputs):
        return 2 * inputs

    def compute_output_shape(self, input_shape):
        return input_shape
'''
TESTS = '''"""Its test."""

import keras

from twice import Twice


def test_it_is_twice():
    assert float(Twice()(keras.ops.ones(()))) == 2
'''
SCRIPT = '''"""Train it."""

from pathlib import Path

import keras
import numpy as np

from twice import Twice

HERE = Path(__file__).parent


def main():
    keras.utils.set_random_seed(0)
    x = np.linspace(0, 1, 256, dtype="float32")[:, None]
    model = keras.Sequential([keras.Input((1,)), Twice(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, 6 * x, epochs=10, verbose=0)
    (HERE / "twice.png").write_bytes(b"\\x89PNG")
    model.save(HERE / "twice.keras")
    error = model.evaluate(x, 6 * x, verbose=0)
    print(f"squared error: {error:.3f} (predicting 0: {np.mean(36 * x**2):.3f})")


if __name__ == "__main__":
    main()
'''
GOOD = {"twice.py": LAYER, "test_twice.py": TESTS, "train_twice.py": SCRIPT}
TASK = Training("", "squared error", 0.1, lower=True, when={})


def example(name: str, **changed: str) -> Built:
    """Return an example with some files replaced, by module."""
    files = {**GOOD, **{f"{module}.py": text for module, text in changed.items()}}
    classes = (Generated("layer", "Twice", "twice", "blank", {}, "scaffold layer Twice"),)
    contents = {file: text.encode() for file, text in files.items()}
    return Built(Example(name, ("layer Twice",)), contents, classes, TASK)


# A reason that only TensorFlow's tests may have to skip.
NOT_HERE = "__import__('pytest').skip('TensorFlow needs oneDNN or XLA for this on a CPU')"
# Saves the model before training.
SAVED = '    model.save(HERE / "twice.keras")\n    model.fit('
# Names a picture that it does not draw.
PROMISED = '    str(HERE / "made.png")\n    model.save'
# Each with the step that must fail, its status, and part of the message.
DEFECTS = {
    "unknown": ({"twice": LAYER + "\nimport nothing\n"}, "imports", "failed", "nothing"),
    "warns": (
        {"twice": LAYER + "\nimport warnings\n\nwarnings.warn('old', stacklevel=2)\n"},
        "imports",
        "failed",
        "UserWarning: old",
    ),
    "wrong": ({"test_twice": TESTS.replace("== 2", "== 3")}, "tests", "failed", "test_it_is_twice"),
    "empty": ({"test_twice": '"""No test."""\n'}, "tests", "failed", "pytest"),
    "skips": (
        {"test_twice": TESTS.replace("    assert", "    __import__('pytest').skip()\n    assert")},
        "tests",
        "failed",
        "1 skipped",
    ),
    "skips_elsewhere": (
        {"test_twice": TESTS.replace("    assert", f"    {NOT_HERE}\n    assert")},
        "tests",
        "failed",
        "1 skipped",
    ),
    "dies": (
        {"test_twice": TESTS.replace("    assert", "    __import__('os').abort()\n    assert")},
        "tests",
        "failed",
        "SIGABRT",
    ),
    "learns_nothing": (
        {"train_twice": SCRIPT.replace("epochs=10", "epochs=1, steps_per_epoch=1")},
        "train",
        "failed",
        "required: squared error below 0.1",
    ),
    "says_nothing": (
        {"train_twice": SCRIPT.replace("    print(", "    str(")},
        "train",
        "failed",
        "printed no score",
    ),
    "draws_nothing": (
        {"train_twice": SCRIPT.replace('b"\\x89PNG"', 'b"GIF"')},
        "train",
        "failed",
        "twice.png is not a PNG",
    ),
    "promises": (
        {"train_twice": SCRIPT.replace("    model.save", PROMISED)},
        "train",
        "failed",
        "made.png is not a PNG",
    ),
    "forgets": (
        {"train_twice": SCRIPT.replace("  model.save", "  str").replace("    model.fit(", SAVED)},
        "reload",
        "failed",
        "differs",
    ),
}


@pytest.fixture(scope="module")
def found() -> dict[str, Result]:
    """Return the result of each example, in one run."""
    built = [example("good"), *(example(name, **case[0]) for name, case in DEFECTS.items())]
    asked = Asked(("torch",), jobs=2)
    chosen = (steps.imports, steps.tests, steps.train, steps.reload)
    events = [*run_all(asked.units(built), asked, chosen)]
    ended = [event for event in events if isinstance(event, Result)]
    assert {event.example for event in events if isinstance(event, Started)} == {
        result.example for result in ended
    }
    return {result.example: result for result in ended}


def test_a_correct_example_passes(found: dict[str, Result]) -> None:
    result = found["good"]
    assert result.proved, result.problem
    assert [step.name for step in result.steps] == ["imports", "tests", "train", "reload"]
    facts = result.facts()
    assert facts["tests"] == 1
    assert (facts["metric"], facts["baseline"], facts["trivial"]) == (
        *("squared error", "predicting 0"),
        pytest.approx(12, abs=0.1),
    )
    assert facts["score"] < facts["bound"] == 0.1
    assert facts["parameters"] == 2
    assert (facts["epochs"], facts["steps_per_epoch"]) == (10, 8)
    assert len(facts["curves"]["loss"]) == 10
    assert facts["curves"]["loss"][0] > facts["curves"]["loss"][-1]
    assert facts["ms_per_step"] > 0


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_a_result(name: str, found: dict[str, Result]) -> None:
    _, step, status, message = DEFECTS[name]
    result = found[name]
    assert result.problem is not None
    assert (result.problem.name, result.problem.status) == (step, status)
    assert message in result.problem.message
    later = [one.status for one in result.steps][result.steps.index(result.problem) + 1 :]
    assert set(later) <= {"not run"}
    assert not result.proved


def test_a_hanging_example_is_killed() -> None:
    text = TESTS.replace("    assert", "    __import__('time').sleep(900)\n    assert")
    asked = Asked(("torch",), timeout=3)
    units = asked.units([example("hangs", test_twice=text)])
    *_, result = run_all(units, asked, (steps.tests, steps.train))
    assert isinstance(result, Result)
    assert [(one.name, one.status) for one in result.steps] == [
        *(("tests", "late"), ("train", "not run")),
    ]
    assert result.steps[0].message == "timed out after 3 s"


def committed(here: Path) -> Built:
    """Return an example whose files are in the repository `here`."""
    built = example("twice")
    folder = here / "generated_examples/twice"
    folder.mkdir(parents=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    return built


def test_only_what_has_changed_is_run_again(here: Path) -> None:
    built = committed(here)
    asked = Asked(("torch",), jobs=1, timeout=60)
    digest = results.digest(built, "torch", "cpu")
    results.keep(Result("twice", "torch", "cpu", digest, (Step("tests", "passed"),)))
    source, known = verify([built], asked)
    assert isinstance(source, Result)
    assert source.backend == "source"
    assert source.proved, source.steps
    assert isinstance(known, Known)

    changed = example("twice", twice=LAYER + "\nimport nothing\n")
    for before in (changed, built):
        digest = results.digest(before, "torch", "cpu")
        failed = Step("imports", "passed" if before is built else "failed")
        results.keep(Result("twice", "torch", "cpu", digest, (failed,)))
        *_, last = verify([changed], asked)
        assert isinstance(last, Result)
        assert last.problem is not None
        assert last.problem.name == "imports"
    assert [one.backend for one in results.all_known()] == ["source", "torch"]


def test_a_unit_is_taken_from_a_store(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, asked = committed(here), Asked(("torch",), timeout=60)
    digest = results.digest(built, "torch", "cpu")
    what = "example twice on torch, cpu"
    ProofStore([tmp_path / "store"]).add(key(what, [digest], "torch"), what)
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(tmp_path / "own"), str(tmp_path / "store")]))
    *_, last = verify([built], asked)
    assert last == Known(Result("twice", "torch", "cpu", digest, ()))
    assert ProofStore([tmp_path / "own"]).keys == {key(what, [digest], "torch")}
    *_, last = verify([example("twice", twice="import nothing")], asked)
    assert isinstance(last, Result)
    assert not last.proved


def test_a_result_of_another_version_is_ignored(here: Path) -> None:
    results.keep(Result("twice", "torch", "cpu", "", (Step("tests", "passed", facts={"a": 1}),)))
    kept = results.known("twice", "torch", "cpu")
    assert kept is not None
    assert kept.facts() == {"a": 1}
    (file,) = (here / results.HOME / "results").iterdir()
    file.write_text('{"example": 1}')
    assert results.known("twice", "torch", "cpu") is None
    file.write_text("{")
    assert [*results.all_known()] == []


def test_a_digest_depends_on_everything_relevant() -> None:
    built = example("twice")
    task = dataclasses.replace(TASK, bound=0.2)
    others = [
        results.digest(dataclasses.replace(built, task=task), "torch", "cpu"),
        results.digest(example("twice", twice=LAYER + "#"), "torch", "cpu"),
        results.digest(built, "jax", "cpu"),
        results.digest(built, "torch", "gpu"),
    ]
    assert len({results.digest(built, "torch", "cpu"), *others}) == 5


def test_a_digest_is_the_same_for_each_build_of_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for version in ("2.13.0+cpu", "2.13.0+cu130", "2.13.0", "2.13.1"):
        monkeypatch.setattr("importlib.metadata.version", lambda _, found=version: found)
        digests.append(results.digest(example("twice"), "torch", "gpu"))
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_each_on_one_backend_in_turn() -> None:
    built = [example(name) for name in "abcd"]
    backends = ("tensorflow", "jax", "torch")
    units = Asked(backends, by_turn=True).units(built)
    assert [(one.example.name, backend) for one, backend in units] == [
        *(("a", "tensorflow"), ("b", "jax"), ("c", "torch"), ("d", "tensorflow")),
    ]
    assert len(Asked(backends).units(built)) == 12


def test_files_that_differ_from_the_generated_ones(tmp_path: Path) -> None:
    built = example("twice")
    folder = tmp_path / "twice"
    folder.mkdir()
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    assert up_to_date(built, tmp_path).status == "passed"
    assert {step.status for step in well_formed([built], tmp_path)["twice"]} == {"passed"}
    (folder / "twice.py").write_text(
        LAYER.replace("2 * inputs", "2*inputs").replace("keras\n", "keras, os\n", 1)
    )
    (folder / "test_twice.py").unlink()
    assert "twice.py, test_twice.py: run" in up_to_date(built, tmp_path).message
    black, ruff = well_formed([built, example("other")], tmp_path)["twice"]
    assert (black.name, black.status) == ("black", "failed")
    assert "F401" in ruff.message
    assert "E401" in ruff.message


def test_the_report_for_machines() -> None:
    taken = (
        *(Step("imports", "passed", 1.0), Step("tests", "failed", 2.0, "test_a\nbad \x00")),
        *(Step("check", "late", 3.0, "no end"), Step("train", "not run")),
    )
    (suite,) = ET.fromstring(junit([Result("twice", "jax", "cpu", "", taken)]))
    assert suite.attrib == {
        **{"name": "twice jax cpu", "errors": "0", "failures": "2", "skipped": "1"},
        **{"tests": "4", "time": "6.000"},
    }
    cases = {case.attrib["name"]: [child.tag for child in case] for case in suite}
    assert cases == {
        **{"imports[jax cpu]": [], "tests[jax cpu]": ["failure"]},
        **{"check[jax cpu]": ["failure"], "train[jax cpu]": ["skipped"]},
    }
    failure = suite[1][0]
    assert failure.attrib["message"] == "test_a"


def test_data_round_trips() -> None:
    result = Result("twice", "jax", "cpu", "d", (Step("tests", "passed", 1.5, facts={"a": [1]}),))
    assert Result.from_data(json.loads(json.dumps(result.data()))) == result


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_without_a_gpu(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    with pytest.raises(MissingError, match=rf"{backend} sees no GPU: `print.*` gives \[\]"):
        require_gpu(backend)


def test_every_step_has_a_docstring() -> None:
    assert [step.__name__ for step in steps.STEPS] == [
        "imports",
        "tests",
        "check",
        "train",
        "reload",
    ]
    assert all(step.__doc__ for step in steps.STEPS)
