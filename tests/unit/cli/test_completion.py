"""Completion in a real bash, which splits the line at `=` and `:`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Calls the completion function like bash, and prints its suggestions.
DRIVER = """
eval "$(_SCAFFOLD_COMPLETE=bash_source scaffold)"
compopt() { printf "compopt %s %s\\n" "$@"; }
COMP_LINE="$1" COMP_POINT="${#1}" COMPREPLY=()
_scaffold_completion scaffold "$2"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(line: str, word: str) -> list[str]:
    scripts = str(Path(sys.executable).parent)
    result = subprocess.run(
        ["bash", "--norc", "-c", DRIVER, "driver", line, word],
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        ("scaffold la", "la", ["layer"]),
        (
            "scaffold layer MyConv kernel_i",
            "kernel_i",
            ["compopt -o nospace", "kernel_initializer="],
        ),
        ("scaffold layer MyConv kernel_initializer=he_", "he_", ["he_normal", "he_uniform"]),
        ("scaffold layer MyConv padding=", "=", ["valid", "same"]),
        ("scaffold layer MyConv gain:fl", "fl", ["float"]),
        (
            "scaffold layer MyConv 'mode:enum(sum,mean)=s",
            "mode:enum(sum,mean)=s",
            ["mode:enum(sum,mean)=sum"],
        ),
        ("scaffold layer MyConv --option rank=", "", ["1", "2", "3"]),
        ("scaffold layer MyConv --template proj", "proj", ["projection"]),
        ("scaffold model MyMLP --option style=f", "f", ["functional"]),
        ("scaffold model MyMLP hidden_u", "hidden_u", ["compopt -o nospace", "hidden_units="]),
        ("scaffold model MyNet --template compo", "compo", ["composed"]),
        ("scaffold model MyNet --layer Flat", "Flat", ["Flatten"]),
        ("scaffold project my_project ba", "ba", ["compopt -o nospace", "backend="]),
        ("scaffold project my_project backend=t", "t", ["tensorflow", "torch"]),
        ("scaffold check --explain config-c", "config-c", ["config-complete"]),
        ("scaffold check x.py --only config-c", "config-c", ["config-complete"]),
        ("scaffold check x.py --tag backend-d", "backend-d", ["backend-dependent"]),
        ("scaffold check x.p", "x.p", ["compopt -o default", ""]),
    ],
)
def test_offers_the_rest_of_the_word(line: str, word: str, expected: list[str]) -> None:
    assert offered(line, word) == expected
