"""`--help --json` describes all commands, so that programs need no text."""

from __future__ import annotations

import re
from typing import Any

import pytest

import scaffold as package
from conftest import Scaffold
from scaffold.cli import _COMMANDS
from scaffold.errors import KINDS, ScaffoldError
from scaffold.generation.attributes import TYPES
from scaffold.generation.attributes.grammar import declare_type


def described(run: Scaffold, *words: str) -> Any:
    outcome = run(*words)
    assert outcome.code == 0
    return outcome.answer()


def test_all_commands(harmless: Scaffold) -> None:
    answer = described(harmless, "--help", "--json")
    result = answer["result"]
    assert (answer["command"], result["scaffold"]) == (None, package.__version__)
    assert [one["name"] for one in result["commands"]] == sorted(_COMMANDS)
    assert result["commands"][0]["summary"] == _COMMANDS["check"]
    for command in result["commands"]:
        flags = {flag for one in command["options"] for flag in one["flags"]}
        assert flags >= {"--json", "--help"}
    assert described(harmless, "--json", "-h") == answer


@pytest.mark.parametrize("name", _COMMANDS)
def test_one_command(harmless: Scaffold, name: str) -> None:
    answer = described(harmless, name, "--help", "--json")
    assert answer["command"] == name
    every = described(harmless, "--help", "--json")["result"]
    [command] = [one for one in every["commands"] if one["name"] == name]
    assert answer["result"] == {**every, "commands": [command]}
    assert described(harmless, "--json", name, "--help") == answer
    # It lists every option that the text lists.
    text = harmless(name, "--help").out.partition("\nOptions:\n")[2]
    listed = re.findall(r"^  ((?:-\w, )?--[\w-]+)", text, flags=re.MULTILINE)
    named = [", ".join(sorted(one["flags"], key=len)) for one in command["options"]]
    assert named == listed


def test_an_option_and_an_argument(harmless: Scaffold) -> None:
    [command] = described(harmless, "layer", "--help", "--json")["result"]["commands"]
    options = {one["flags"][0]: one for one in command["options"]}
    assert options["--on-conflict"] == {
        "flags": ["--on-conflict"],
        "metavar": None,
        "type": "choice",
        "choices": ["fail", "skip", "overwrite", "new"],
        "default": "fail",
        "required": False,
        "multiple": False,
        "help": "If a file differs: stop, keep it, replace it, or write a .new file.",
    }
    assert options["--option"] == {
        "flags": ["--option", "-o"],
        "metavar": "KEY=VALUE",
        "type": "key=value",
        "choices": [],
        "default": None,
        "required": False,
        "multiple": True,
        "help": "A template option.",
    }
    assert (options["--json"]["type"], options["--json"]["default"]) == ("flag", None)
    assert command["arguments"] == [
        {"name": "name", "metavar": None, "type": "text", "required": False, "multiple": False},
        {
            "name": "attributes",
            "metavar": None,
            "type": "attribute",
            "required": False,
            "multiple": True,
        },
    ]
    [command] = described(harmless, "check", "--help", "--json")["result"]["commands"]
    assert {one["flags"][0]: one["default"] for one in command["options"]}["--timeout"] == 120


def test_types(harmless: Scaffold) -> None:
    found = described(harmless, "--help", "--json")["result"]["types"]
    assert [one["name"] for one in found] == list(TYPES)
    usages = {one["name"]: one["usage"] for one in found}
    assert (usages["float"], usages["enum"]) == ("float{>0}", "enum(first,second)")
    for name, usage in usages.items():
        written, _, constraint = usage.partition("{")
        assert declare_type(written, constraint.rstrip("}") or None).keyword == name


def test_kinds_of_errors(harmless: Scaffold) -> None:
    found = described(harmless, "--help", "--json")["result"]["errors"]
    assert found == [
        {"kind": "failed", "exit_code": 1},
        {"kind": "usage", "exit_code": 2},
        {"kind": "conflict", "exit_code": 3},
        {"kind": "unsafe", "exit_code": 4},
        {"kind": "missing", "exit_code": 5},
    ]
    assert {*KINDS} == {ScaffoldError, *ScaffoldError.__subclasses__()}


def test_version(harmless: Scaffold) -> None:
    for words in (["--version", "--json"], ["--json", "--version"]):
        answer = described(harmless, *words)
        assert (answer["command"], answer["result"]) == (None, {"scaffold": package.__version__})


def test_json_before_the_command(harmless: Scaffold) -> None:
    assert harmless("--json", "list", "conv") == harmless("list", "conv", "--json")
    error = harmless("--json", "show", "cnov").answer()
    assert (error["command"], error["error"]["suggestions"]) == ("show", ["conv"])
