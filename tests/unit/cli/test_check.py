from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from command_line import ROOT
from conformance.few_checks import BROKEN, CHECKS, CLEAN, HERE, few_checks
from conftest import Scaffold
from scaffold.cases import Input
from scaffold.conformance.finding import Finding, Outcome, Where
from scaffold.conformance.process.session import Note, Request
from scaffold.errors import UsageError

__all__ = ["few_checks"]
pytestmark = pytest.mark.usefixtures("few_checks")
NOTE = Note("my_layers:MyConv", "no input was given: `2,8,8,3` works")
MY_CONV = f"""\
my_layers:MyConv on tensorflow
     with  filters=4 input=2,8,8,3
     note  No input was given: `2,8,8,3` works.

   failed  config-complete: Every argument is in the config.
           {HERE}/my_layers.py:31
           expected  `strides` in the config
           got       only filters, name
           why       A saved model is its config and its weights. What is left out comes back as its
                     default.
           fix       Write each argument into the dict that `get_config` returns.

 expected  items-independent fails: tagged `mixes-batch`
  not run  config-round-trip: needs config-complete
  not run  1 check: not applicable (--verbose shows why)
   passed  1 check

"""
DOUBLE = """\
my_layers:Double on tensorflow
     with  input=2,6
   passed  2 checks

"""
FOUND = """\
1 finding: 2 classes, 5 checks on tensorflow.
Learn more: scaffold check --explain config-complete
"""
LIST = """\
construction
  constructs         The constructor works.
configuration
  config-complete    Every argument is in the config.
  config-round-trip  A layer made from a config is the same as the one that wrote it, with its
                     outputs.
training state
  items-independent  No sample of a batch changes the output for another. (tag: mixes-batch)
models
  model-summary      A summary can be printed.

More: scaffold check --explain ID
"""
PAGE = """\
items-independent (training state): No sample of a batch changes the output for another.

Batches of other sizes would give other results.

Fix: Leave the batch's axis alone.

  class Scale(keras.layers.Layer):
-     factor = 1
+     factor = 2

If intentional: scaffold check TARGET --tag mixes-batch
This one only:  scaffold check TARGET --only items-independent
"""


@dataclass
class FakeSession:
    """A fake run: its request, and its outcomes."""

    events: Sequence[Any] = (NOTE, *BROKEN, *CLEAN)
    requests: list[Request] = field(default_factory=list)
    closed: int = 0
    before: Callable[[Any], None] = lambda event: None

    def run(
        self, request: Request, starting: Callable[[str, str], None]
    ) -> Iterator[Outcome | Note]:
        self.requests.append(request)
        try:
            for event in self.events:
                self.before(event)
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, Outcome):
                    starting(event.subject, event.check)
                yield event
        finally:
            self.closed += 1

    @property
    def request(self) -> Request:
        [request] = self.requests
        return request


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeSession:
    fake = FakeSession()
    monkeypatch.setattr("scaffold.conformance.process.session.run_session", fake.run)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return fake


def test_text(harmless: Scaffold, session: FakeSession) -> None:
    outcome = harmless("check", "my_layers.py")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out == MY_CONV + DOUBLE + FOUND
    assert session.closed == 1


def test_nothing_found(harmless: Scaffold, session: FakeSession) -> None:
    session.events = CLEAN
    outcome = harmless("check", "my_layers.py")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == DOUBLE + "No findings: 1 class, 2 checks on tensorflow.\n"


def test_verbose(harmless: Scaffold, session: FakeSession) -> None:
    session.events = CLEAN
    assert harmless("check", "my_layers.py", "-v").out.splitlines()[2:4] == [
        "   passed  constructs (0.25 s)",
        "   passed  config-complete (0.25 s)",
    ]


def test_paths_are_relative_to_the_current_folder(
    harmless: Scaffold, session: FakeSession, here: Path
) -> None:
    found = Finding("a", "b", Where(str(here / "sub" / "my.py"), 3))
    session.events = [replace(BROKEN[1], findings=(found,))]
    assert "           sub/my.py:3" in harmless("check", "sub").out.splitlines()
    result = harmless("check", "sub", "--json").answer()["result"]
    assert result["outcomes"][0]["findings"][0]["path"] == "sub/my.py"


def test_several_backends(harmless: Scaffold, session: FakeSession) -> None:
    on_jax = [replace(o, backend="jax") for o in BROKEN[:2]]
    session.events = [NOTE, *BROKEN[:2], NOTE, *on_jax]
    outcome = harmless("check", "my.py", "--backend", "tensorflow", "--backend", "jax")
    assert outcome.out.partition("my_layers:MyConv on jax\n")[2] == (
        "     with  filters=4 input=2,8,8,3\n"
        "   failed  config-complete: same as on tensorflow\n"
        "   passed  1 check\n"
        "\n"
        "2 findings: 1 class, 4 checks on tensorflow and jax.\n"
        "Learn more: scaffold check --explain config-complete\n"
    )
    assert session.request.backends == ("tensorflow", "jax")
    answer = harmless("check", "my.py", "--backend", "all", "--json").answer()
    assert answer["result"]["notes"] == [f"{NOTE.subject}: {NOTE.text}"]


def test_each_class_is_printed_when_it_is_done(
    harmless: Scaffold, session: FakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: list[tuple[str, str]] = []

    def look(event: Any) -> None:
        if isinstance(event, Outcome):
            printed.append((event.subject, capsys.readouterr().out))

    session.before = look
    assert harmless("check", "my_layers.py").out == DOUBLE + FOUND
    assert printed == [
        *[(BROKEN[0].subject, "")] * 5,
        (CLEAN[0].subject, ""),
        (CLEAN[1].subject, MY_CONV),
    ]


def test_request(harmless: Scaffold, session: FakeSession) -> None:
    harmless(
        *("check", "my_layers.py:MyConv", "pkg.mod:Other"),
        *("--args", "filters=4", "--args", "activation=relu"),
        *("--input", "2,8,8,3", "--backend", "jax", "--tag", "mixes-batch"),
        *("--only", "constructs, config-complete", "--only", "model-summary"),
        *("--skip", "config-complete", "--timeout", "5", "--memory", "2.5", "--allow-empty"),
    )
    assert session.request == Request(
        targets=("my_layers.py:MyConv", "pkg.mod:Other"),
        backends=("jax",),
        checks=("constructs", "model-summary"),
        args={"filters": 4, "activation": "relu"},
        inputs=Input((2, 8, 8, 3)),
        tags=frozenset({"mixes-batch"}),
        timeout=5.0,
        memory=2.5,
        allow_empty=True,
    )


def test_request_with_defaults(harmless: Scaffold, session: FakeSession) -> None:
    harmless("check", "my_layers.py")
    assert session.request == Request(
        targets=("my_layers.py",),
        backends=("tensorflow",),
        checks=tuple(check.id for check in CHECKS),
        timeout=120.0,
        memory=8.0,
    )


@pytest.mark.parametrize(
    ("words", "inputs"),
    [
        (["2,8"], Input((2, 8))),
        (["2,8", "2,4:int32:0..10"], [Input((2, 8)), Input((2, 4), "int32", 0, 10)]),
        (["query=2,4,8:mask"], {"query": Input((2, 4, 8), mask=True)}),
        (["query=2,4", "value=2,6"], {"query": Input((2, 4)), "value": Input((2, 6))}),
    ],
)
def test_inputs(harmless: Scaffold, session: FakeSession, words: list[str], inputs: Any) -> None:
    harmless("check", "my.py", *(part for word in words for part in ("--input", word)))
    assert session.request.inputs == inputs


@pytest.mark.parametrize(
    ("words", "environment", "backends"),
    [
        ([], {}, ("tensorflow",)),
        ([], {"KERAS_BACKEND": "torch"}, ("torch",)),
        (["jax"], {"KERAS_BACKEND": "nonsense"}, ("jax",)),
        (["torch", "jax", "torch"], {}, ("torch", "jax")),
        (["all"], {}, ("tensorflow", "jax", "torch")),
        (["jax", "all"], {}, ("tensorflow", "jax", "torch")),
    ],
)
def test_backends(
    harmless: Scaffold,
    session: FakeSession,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    environment: dict[str, str],
    backends: tuple[str, ...],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    harmless("check", "my.py", *(part for word in words for part in ("--backend", word)))
    assert session.request.backends == backends


def test_json(harmless: Scaffold, session: FakeSession) -> None:
    outcome = harmless("check", "my_layers.py", "--json")
    answer = outcome.answer()
    assert (outcome.code, answer["command"], answer["ok"]) == (1, "check", False)
    result = answer["result"]
    assert (result["clean"], result["backends"]) == (False, ["tensorflow"])
    assert result["notes"] == ["my_layers:MyConv: no input was given: `2,8,8,3` works"]
    assert [(one["check"], one["outcome"], one["status"]) for one in result["outcomes"]] == [
        ("constructs", "kept", "passed"),
        ("config-complete", "broken", "failed"),
        ("config-round-trip", "not_checked", "blocked"),
        ("items-independent", "broken", "expected"),
        ("model-summary", "not_checked", "not_applicable"),
        ("constructs", "kept", "passed"),
        ("config-complete", "kept", "passed"),
    ]
    session.events = CLEAN
    clean = harmless("check", "my_layers.py", "--json")
    assert (clean.code, clean.answer()["result"]["clean"]) == (0, True)


def test_report_files(scaffold: Scaffold, session: FakeSession, here: Path) -> None:
    (here / "old.sarif").write_text("of another run")
    outcome = scaffold("check", "my.py", "--sarif", "old.sarif", "--junit", "junit.xml")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out == MY_CONV + DOUBLE + FOUND
    assert sorted(path.name for path in here.iterdir()) == ["junit.xml", "old.sarif"]
    log = json.loads((here / "old.sarif").read_text("utf-8"))
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["config-complete"]
    [invocation] = log["runs"][0]["invocations"]
    assert len(invocation["toolExecutionNotifications"]) == 1
    suites = ElementTree.parse(here / "junit.xml").getroot()
    assert [suite.get("tests") for suite in suites] == ["5", "2"]


def test_report_files_outside_of_the_project(
    scaffold: Scaffold, session: FakeSession, here: Path, tmp_path: Path
) -> None:
    (here / "pyproject.toml").write_text("")
    (tmp_path / "reports").mkdir()
    assert scaffold("check", "my.py", "--junit", "../reports/x.xml", "--json").answer()["result"]
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["x.xml"]


@pytest.mark.parametrize("kind", ["sarif", "junit"])
def test_report_on_standard_output(harmless: Scaffold, session: FakeSession, kind: str) -> None:
    outcome = harmless("check", "my.py", f"--{kind}", "-")
    assert (outcome.code, outcome.err) == (1, MY_CONV + DOUBLE + FOUND)
    if kind == "sarif":
        assert json.loads(outcome.out)["version"] == "2.1.0"
    else:
        assert ElementTree.fromstring(outcome.out.encode()).tag == "testsuites"


def test_one_report_in_a_file_and_one_on_standard_output(
    scaffold: Scaffold, session: FakeSession, here: Path
) -> None:
    outcome = scaffold("check", "my.py", "--sarif", "-", "--junit", "x.xml")
    assert json.loads(outcome.out)["version"] == "2.1.0"
    assert [path.name for path in here.iterdir()] == ["x.xml"]


def test_no_report_of_a_run_that_was_not_finished(harmless: Scaffold, session: FakeSession) -> None:
    session.events = [*BROKEN, UsageError("the tensorflow backend did not start", fix="Try it")]
    outcome = harmless("check", "my.py", "--sarif", "x.sarif")
    assert (outcome.code, session.closed) == (2, 1)
    assert outcome.out == ""
    assert outcome.err == "Error: the tensorflow backend did not start.\nTry it.\n"
    error = harmless("check", "my.py", "--json").answer()["error"]
    assert (error["kind"], error["exit_code"]) == ("usage", 2)


def test_no_layer_found(harmless: Scaffold, session: FakeSession) -> None:
    session.events = [NOTE]
    outcome = harmless("check", "my.py")
    assert (outcome.code, outcome.out) == (2, "")
    assert (
        outcome.err == "Error: nothing was checked.\nName a file that contains a layer or model.\n"
    )


def test_no_layer_found_and_none_required(harmless: Scaffold, session: FakeSession) -> None:
    session.events = []
    outcome = harmless("check", "my.py", "--allow-empty")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "No layer or model to check.\n"
    answer = harmless("check", "my.py", "--allow-empty", "--json").answer()
    assert answer["result"]["outcomes"] == []


CONTRADICTION = "Error: only one of --json, --sarif - and --junit - can use standard output.\n"
USAGE = "Error: Invalid value for '--"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            [],
            "Error: no target given.\nName a class, a file or a folder, as in "
            "`scaffold check my_layers.py:MyLayer`.\n",
        ),
        (
            ["my.py", "--only", "config-complet"],
            "Error: check `config-complet` not found. Did you mean `config-complete`?\n"
            "See `scaffold check --list`.\n",
        ),
        (
            ["my.py", "--skip", "constructs,,"],
            "Error: check `` not found.\nSee `scaffold check --list`.\n",
        ),
        (
            ["my.py", "--only", "constructs", "--skip", "constructs"],
            "Error: no checks left to run.\nSkip fewer checks.\n",
        ),
        (
            ["--explain", "config-complet"],
            "Error: check `config-complet` not found. Did you mean `config-complete`?\n"
            "See `scaffold check --list`.\n",
        ),
        (
            ["my.py", "--tag", "mixes-batches"],
            "Error: tag `mixes-batches` not found. Did you mean `mixes-batch`?\n"
            "The tags are mixes-batch.\n",
        ),
        (
            ["my.py", "--args", "filters"],
            "Error: `filters` is not a constructor argument.\n"
            "Write `--args name=value`, such as `--args filters=4`.\n",
        ),
        (
            ["my.py", "--input", "2,x"],
            "Error: `2,x` is not an input.\n"
            "Write a shape, batch first, then optionally a dtype, a range and `mask`: "
            "`2,8,8,3`, `2,6:int32:0..10`, `2,6,8:mask`.\n",
        ),
        (
            ["my.py", "--input", "a=2,3", "--input", "2,4"],
            "Error: some inputs are named and some are not.\n"
            "Name all of them, as in `--input query=2,4,8`, or none.\n",
        ),
        (
            ["my.py", "--input", "a=2,3", "--input", "a=2,4"],
            "Error: two inputs have the same name.\nRemove one of them.\n",
        ),
        (
            ["my.py", "--backend", "numpy"],
            f"{USAGE}backend': 'numpy' is not one of 'tensorflow', 'jax', 'torch', 'all'.\n"
            "  --backend numpy\n            ^^^^^\n"
            "See `scaffold check --help`.\n",
        ),
        (
            ["my.py", "--timeout", "nan"],
            f"{USAGE}timeout': must be positive and less than 1000000, not nan.\n"
            "  --timeout nan\n            ^^^\n"
            "See `scaffold check --help`.\n",
        ),
        (
            ["my.py", "--memory", "0"],
            f"{USAGE}memory': must be positive and less than 1000000, not 0.\n"
            "  --memory 0\n           ^\n"
            "See `scaffold check --help`.\n",
        ),
        (
            ["--list", "--explain", "constructs"],
            "Error: --list and --explain can't be used together.\nRemove one of them.\n",
        ),
        (
            ["my.py", "--list"],
            "Error: --list takes no target, but `my.py` is given.\n"
            "Remove the target or --list.\n",
        ),
        (
            ["my.py", "--explain", "constructs"],
            "Error: --explain takes no target, but `my.py` is given.\n"
            "Remove the target or --explain.\n",
        ),
        (
            ["my.py", "--sarif", "-", "--junit", "-"],
            f"{CONTRADICTION}Write the others to a file.\n",
        ),
        (
            ["my.py", "--sarif", "x", "--junit", "./x"],
            "Error: --sarif and --junit name the same file.\nUse two files.\n",
        ),
        (
            ["my.py", "--sarif", "a\x1b.sarif"],
            "Error: 'a\\x1b.sarif' contains control characters, or bytes that are not text.\n"
            "Choose another name.\n",
        ),
    ],
)
def test_refused(
    refused: Callable[..., tuple[int, str]], session: FakeSession, words: list[str], said: str
) -> None:
    code, text = refused("check", *words)
    assert text == said
    assert code == (4 if "control characters" in said else 2)
    assert session.requests == []


def test_json_and_a_report_on_standard_output(harmless: Scaffold, session: FakeSession) -> None:
    error = harmless("check", "my.py", "--json", "--sarif", "-").answer()["error"]
    assert f"Error: {error['message']}\n" == CONTRADICTION
    assert session.requests == []


def test_no_folder_for_a_report(
    refused: Callable[..., tuple[int, str]], session: FakeSession, here: Path
) -> None:
    code, text = refused("check", "my.py", "--junit", "none/x.xml")
    assert (code, text) == (5, "Error: folder none not found.\n")
    (here / "folder").mkdir()
    code, text = refused("check", "my.py", "--junit", "folder")
    assert (code, text) == (
        2,
        "Error: Invalid value for '--junit': File 'folder' is a directory.\n"
        "  --junit folder\n          ^^^^^^\n"
        "See `scaffold check --help`.\n",
    )
    assert session.requests == []


@pytest.mark.parametrize(("missing", "what"), [("keras", "Keras"), ("jax", "the backend `jax`")])
def test_not_installed(
    refused: Callable[..., tuple[int, str]],
    session: FakeSession,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    what: str,
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    code, text = refused("check", "my.py", "--backend", "jax")
    assert (code, text) == (
        5,
        f"Error: {what} is not installed.\nInstall it: `pip install {missing}`.\n",
    )
    assert session.requests == []


def test_list(harmless: Scaffold) -> None:
    outcome = harmless("check", "--list")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == LIST
    some = harmless("check", "--list", "--only", "constructs").out
    assert some == (
        "construction\n  constructs  The constructor works.\n\nMore: scaffold check --explain ID\n"
    )
    listed = harmless("check", "--list", "--json").answer()["result"]["checks"]
    assert [check["id"] for check in listed] == [check.id for check in CHECKS]


def test_explain(harmless: Scaffold) -> None:
    outcome = harmless("check", "--explain", "items-independent")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == PAGE
    answer = harmless("check", "--explain", "items-independent", "--json").answer()
    assert answer["result"]["page"]["why"] == CHECKS[3].why
    two_paragraphs = harmless("check", "--explain", "config-complete").out
    assert two_paragraphs.splitlines()[2:6] == [
        "A saved model is its config and its weights. What is left out comes back as its default.",
        "",
        "Nothing says so.",
        "",
    ]


def test_help(harmless: Scaffold) -> None:
    shown = harmless("check", "--help").out
    assert shown.startswith("Usage: scaffold check [OPTIONS] [TARGETS]...\n")
    assert "  scaffold check my_conv.py:MyConv --args filters=4 --input 2,8,8,3\n" in shown


def test_the_pages_exist_when_python_strips_docstrings() -> None:
    words = ("-m", "scaffold", "check", "--explain", "config-complete", "--json")
    plain, optimized = (
        subprocess.run([sys.executable, *flags, *words], cwd=ROOT, capture_output=True, check=True)
        for flags in ((), ("-OO",))
    )
    assert b"get_config" in plain.stdout
    assert optimized.stdout == plain.stdout
