"""User code runs in a child process: what it does is reported, and never reaches this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.conformance import Outcome
from scaffold.conformance.process.session import Note, Request, run_session
from scaffold.conformance.registry import find
from scaffold.errors import MissingError, UsageError

LAYER = """
import keras


@keras.saving.register_keras_serializable(package="tests")
class Layer(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, inputs):
        {body}
        return inputs


@keras.saving.register_keras_serializable(package="tests")
class Other(keras.layers.Layer):
    def call(self, inputs):
        return inputs
"""


def session(
    target: str,
    *ids: str,
    backends: tuple[str, ...] = ("tensorflow",),
    timeout: float = 60.0,
    memory: float = 8.0,
    allow_empty: bool = False,
) -> list[Outcome | Note]:
    request = Request(
        (target,), backends, ids, timeout=timeout, memory=memory, allow_empty=allow_empty
    )
    return list(run_session(request))


def ended(events: list[Outcome | Note]) -> list[tuple[str, str, str]]:
    """Return the class, check and status of each outcome."""
    outcomes = [event for event in events if isinstance(event, Outcome)]
    return [(o.subject.rpartition(":")[2], o.check, o.status) for o in outcomes]


def got(events: list[Outcome | Note]) -> list[str]:
    return [f.got for e in events if isinstance(e, Outcome) for f in e.findings]


@pytest.fixture
def layer(here: Path) -> Path:
    """Return a file with a layer whose call does what `body` is replaced with."""
    path = here / "my_layer.py"
    path.write_text(LAYER, encoding="utf-8")
    return path


def write(path: Path, body: str) -> None:
    path.write_text(LAYER.replace("{body}", body), encoding="utf-8")


# What the layer does, and what is reported.
ENDS = {
    "exit": ("raise SystemExit(0)", "SystemExit: 0"),
    "kill": ("import os; os._exit(3)", "exit code 3"),
    "abort": ("import os; os.abort()", "termination by SIGABRT"),
    "hang": ("import time; time.sleep(600)", "no result within 20 s"),
    "memory": ("bytearray(64 << 30)", "MemoryError"),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_child_that_ends_is_a_finding_and_the_next_class_is_checked(
    layer: Path, how: str
) -> None:
    body, text = ENDS[how]
    # In `runs` and not in the search for inputs, which comes before it.
    write(layer, f"if inputs.shape[0] == 3: {body}")
    layer.write_text(
        layer.read_text("utf-8").replace(
            "    def call",
            '    @classmethod\n    def scaffold_cases(cls):\n        return [{"input": (3, 4)}]\n\n'
            "    def call",
            1,
        ),
        encoding="utf-8",
    )
    events = session(str(layer), "constructs", "runs", "config-complete", timeout=20)
    assert ended(events) == [
        ("Layer", "constructs", "passed"),
        ("Layer", "runs", "failed"),
        ("Layer", "config-complete", "blocked"),
        ("Other", "constructs", "passed"),
        ("Other", "runs", "passed"),
        ("Other", "config-complete", "passed"),
    ]
    (finding,) = [f for e in events if isinstance(e, Outcome) for f in e.findings]
    line = 1 + layer.read_text("utf-8").splitlines().index(
        f"        if inputs.shape[0] == 3: {body}"
    )
    assert finding.got == text
    assert str(finding.where) == (f"{layer}:{line}" if how != "kill" else "None")


def test_an_import_that_exits_is_a_finding(here: Path) -> None:
    (here / "script.py").write_text("import keras\nraise SystemExit(7)\n", encoding="utf-8")
    events = session("script.py", "runs")
    assert ended(events) == [("script", "imports", "failed")]
    assert got(events) == ["SystemExit: 7"]
    assert isinstance(events[0], Outcome)
    assert str(events[0].findings[0].where) == f"{here / 'script.py'}:2"


def test_a_file_that_python_cannot_read_is_a_finding(here: Path) -> None:
    (here / "broken.py").write_text("import keras\nclass Layer(:\n", encoding="utf-8")
    events = session(".", "runs")
    assert ended(events) == [("broken", "imports", "failed")]
    assert isinstance(events[0], Outcome)
    assert str(events[0].findings[0].where) == f"{here / 'broken.py'}:2"


def test_what_user_code_prints_and_reads_stays_with_it(
    layer: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(layer, "print('noise'); import sys; assert sys.stdin.read() == ''")
    events = session(f"{layer}:Layer", "runs")
    assert ended(events) == [("Layer", "runs", "passed")]
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_says_what_it_tried(layer: Path) -> None:
    write(layer, "assert len(inputs.shape) == 2")
    notes = [e.text for e in session(f"{layer}:Layer", "runs") if isinstance(e, Note)]
    assert notes == ["no input was given: `2,6,8`, `2,8,10,3` did not work, `2,8` works"]


def test_a_folder_is_searched_for_layers_and_models(layer: Path) -> None:
    write(layer, "pass")
    package = layer.parent / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    base = "from my_layer import Layer\n\n\nclass Derived(Layer):\n    pass\n"
    (package / "derived.py").write_text(base)
    (package / "test_derived.py").write_text("raise SystemExit('not to be imported')")
    (package / "train.py").write_text("raise SystemExit('not to be imported')")
    events = session(".", "runs")
    assert ended(events) == [
        ("Layer", "runs", "passed"),
        ("Other", "runs", "passed"),
        ("Derived", "runs", "passed"),
    ]


def test_a_module_is_found_by_its_name(layer: Path) -> None:
    write(layer, "pass")
    assert ended(session("my_layer:Other", "runs")) == [("Other", "runs", "passed")]
    assert ended(session("keras.layers:Dense", "runs")) == [("Dense", "runs", "passed")]


INVALID_TARGETS = {
    "absent.py": (MissingError, "file `absent.py` not found."),
    "my_layers.py": (
        MissingError,
        "file `my_layers.py` not found. Did you mean `my_layer.py`?",
    ),
    "some/folder": (MissingError, "`some/folder` not found."),
    "a b": (UsageError, "`a b` is not a valid target."),
    "my_layer.py:Layre": (
        UsageError,
        "`Layre` in my_layer is not a layer or model. Did you mean `Layer`?",
    ),
    "my_layer.py:keras": (UsageError, "`keras` in my_layer is not a layer or model."),
}


@pytest.mark.parametrize("target", INVALID_TARGETS)
def test_an_invalid_target(layer: Path, target: str) -> None:
    kind, message = INVALID_TARGETS[target]
    write(layer, "pass")
    with pytest.raises(kind) as caught:
        session(target, "runs")
    assert caught.value.message == message


def test_two_modules_of_one_name(layer: Path) -> None:
    write(layer, "pass")
    other = layer.parent / "other"
    other.mkdir()
    (other / layer.name).write_text(layer.read_text("utf-8"), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        session(".", "runs")
    folders = f"in {layer.parent} and in {other}"
    assert caught.value.message == f"two modules are named `my_layer`, {folders}."


def test_a_folder_without_layers(here: Path) -> None:
    (here / "script.py").write_text("print(1)\n")
    with pytest.raises(UsageError) as caught:
        session(".", "runs")
    assert caught.value.message == "no layer or model found in `.`."


@pytest.mark.parametrize("target", [".", "script.py"])
def test_empty_targets_may_be_allowed(here: Path, target: str) -> None:
    (here / "script.py").write_text("print(1)\n")
    assert session(target, "runs", allow_empty=True) == []


@pytest.mark.parametrize("side", ["bad", "good"])
def test_backends_are_compared(here: Path, side: str) -> None:
    page = find("backends-agree")
    source = page.bad if side == "bad" else page.good
    (here / "bucket.py").write_text(source, encoding="utf-8")
    events = session("bucket.py", "backends-agree", backends=("tensorflow", "jax"))
    second = "failed" if side == "bad" else "passed"
    assert [status for _, _, status in ended(events)] == ["passed", second]


@pytest.mark.parametrize(("side", "status"), [("bad", "failed"), ("good", "passed")])
def test_the_examples_of_imports(here: Path, side: str, status: str) -> None:
    page = find("imports")
    source = page.bad if side == "bad" else page.good
    (here / "double.py").write_text(source, encoding="utf-8")
    assert {s for _, _, s in ended(session("double.py", "imports"))} == {status}


def test_a_name_of_the_standard_library_next_to_it_does_no_harm(layer: Path) -> None:
    write(layer, "pass")
    (layer.parent / "enum.py").write_text("raise SystemExit('not to be imported')")
    assert ended(session("my_layer.py:Other", "runs")) == [("Other", "runs", "passed")]
