"""`scaffold check` from the command line to Keras and back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command_line import ENVIRONMENT, process
from scaffold.cli import check_command
from scaffold.conformance.registry import checks
from terminal import on_a_terminal

LAYER = """\
import keras


@keras.saving.register_keras_serializable(package="my_project")
class Scale(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return super().get_config()
"""
TEXT = """\
my_layers:Scale on tensorflow
     with  factor=3.0 input=2,4

   failed  config-complete: Every constructor argument is in the config.
           my_layers.py:13
           expected  `factor` in the config
           got       only dtype, name, trainable
           why       A saved model consists of its config and its weights. An
                     argument that `get_config` omits comes back as its default,
                     and the loaded model silently gives different outputs.
           fix       Add each argument to the dict that `get_config` returns.

   passed  1 check

1 finding: 1 class, 2 checks on tensorflow.
Learn more: scaffold check --explain config-complete
"""
ARGUMENTS = ("--args", "factor=3.0", "--input", "2,4", "--only", "constructs,config-complete")
WORDS = ("check", "my_layers.py:Scale", *ARGUMENTS, "--backend", "tensorflow")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_layers.py").write_text(LAYER)
    return tmp_path.resolve()


def test_on_a_terminal(folder: Path) -> None:
    seen = on_a_terminal(folder, *WORDS, COLUMNS="80", NO_COLOR="1")
    progress, erased, text = seen.rpartition("\r\x1b[K")
    steps = [step for step in progress.replace("\x1b[K", "").split("\r") if step]
    assert steps[0] == "my_layers: imports"
    assert steps[-1] == "my_layers:Scale: config-complete"
    assert erased
    assert text == TEXT


def test_in_a_pipe_with_reports(folder: Path) -> None:
    reports = ("--sarif", "found.sarif", "--junit", "found.xml")
    done = process(*WORDS, "--json", *reports, folder=folder, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (1, "")
    result = json.loads(done.stdout)["result"]
    [found] = [one for one in result["outcomes"] if one["status"] == "failed"]
    [finding] = found["findings"]
    assert (found["check"], finding["path"], finding["line"]) == (
        "config-complete",
        "my_layers.py",
        13,
    )
    [sarif] = json.loads((folder / "found.sarif").read_text("utf-8"))["runs"]
    [one] = sarif["results"]
    place = one["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "my_layers.py"}, "region": {"startLine": 13}}
    [suite] = ElementTree.parse(folder / "found.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
        "found.sarif",
        "found.xml",
        "my_layers.py",
    ]


def test_help_names_existing_checks() -> None:
    shown = check_command.command.help or ""
    named = re.findall(r"--(?:skip|only|explain) (\S+)", shown)
    assert {id_ for word in named for id_ in word.split(",")} <= {check.id for check in checks()}
    assert len(named) == 2


def test_a_check_that_ends_the_process_is_unfinished(tmp_path: Path) -> None:
    ending = LAYER.replace("return inputs * self.factor", "import os; os._exit(3)")
    (tmp_path / "my_layers.py").write_text(ending)
    words = ("check", "my_layers.py", "--only", "constructs,runs", "--backend", "torch")
    done = process(*words, "--json", "--input=2,4", folder=tmp_path, env=ENVIRONMENT)
    result = json.loads(done.stdout)["result"]
    ended = [(one["check"], one["outcome"], one["status"]) for one in result["outcomes"]]
    assert ended == [("constructs", "kept", "passed"), ("runs", "unfinished", "failed")]
    assert (done.returncode, result["clean"]) == (1, False)
