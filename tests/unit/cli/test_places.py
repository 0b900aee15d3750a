"""Errors point at what was typed, or at the line of the file that it is from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Scaffold

Refused = Callable[..., tuple[int, str]]
COMPOSED = '[[layers]]\nlayer = "Dense"\nargs = { units = 3 }\n'


def pointer(err: str) -> str:
    """Return the lines that point at something."""
    return "".join(line for line in err.splitlines(keepends=True) if line.startswith("  "))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("MyMLP --style=loop", "  --style=loop\n          ^^^^\n"),
        ("MyMLP --style loop", "  --style loop\n          ^^^^\n"),
        ("MyMLP --head hed --style=subclass", "  --head hed\n         ^^^\n"),
        ("MyMLP --option head=hed", "  --option head=hed\n                ^^^\n"),
        ("MyMLP -o hed=3", "  -o hed=3\n     ^^^\n"),
        ("MyMLP -ohed=3", "  -ohed=3\n    ^^^\n"),
        ("MyGCN --style=loop --head=3", "  --style=loop\n          ^^^^\n"),
        ("MyMLP --template=mpl", "  --template=mpl\n             ^^^\n"),
        ("MyMLP --package a/b", "  --package a/b\n            ^^^\n"),
        ("MyMLP --loss hubr", "  --loss hubr\n         ^^^^\n"),
        ("MyMLP --metric mae --metric mea", "  --metric mea\n           ^^^\n"),
        ("MyMLP --optimizer=adan", "  --optimizer=adan\n              ^^^^\n"),
        ("X --layer Flatten --layer Densee:units=3", "  Densee:units=3\n  ^^^^^^\n"),
        ("X --layer conv:rank=9", "  conv:rank=9\n       ^^^^\n"),
        ("X --into", "  --into\n  ^^^^^^\n"),
        ("X --heda=3", "  --heda=3\n  ^^^^^^\n"),
        ("X --on-conflict=ask", "  --on-conflict=ask\n                ^^^\n"),
    ],
)
def test_typed(refused: Refused, words: str, text: str) -> None:
    code, err = refused("model", *words.split())
    assert (code, pointer(err)) == (2, text)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ('[options]\nstyle = "loop"', '4\n  style = "loop"\n          ^^^^^^\n'),
        ("[options]\nstile = 1", "4\n  stile = 1\n  ^^^^^\n"),
        ("options.stile = 1", "3\n  options.stile = 1\n          ^^^^^\n"),
        ("options = 1", "3\n  options = 1\n            ^\n"),
        ("name = 1", "3\n  name = 1\n         ^\n"),
        ('nmae = "X"', '3\n  nmae = "X"\n  ^^^^\n'),
        ('template = "mpl"', '3\n  template = "mpl"\n             ^^^^^\n'),
        ('package = "a/b"  # why', '3\n  package = "a/b"  # why\n            ^^^^^\n'),
        ("[attributes]\nhidden_units = 0", "4\n  hidden_units = 0\n                 ^\n"),
        ("[attributes]\nhidden_unit = 8", "4\n  hidden_unit = 8\n  ^^^^^^^^^^^\n"),
        ("[attributes.a]\ntype = 'itn'\nconstraint = '>0'",
         "4\n  type = 'itn'\n         ^^^^^\n"),
        ("[attributes.a]\ntype = 'int'\nconstraint = '0'",
         "5\n  constraint = '0'\n               ^^^\n"),
        ("[attributes.a]\ntype = 'int'\n\ndefault = 1.50",
         "6\n  default = 1.50\n            ^^^^\n"),
        ("attributes.a = { tpye = 'int' }",
         "3\n  attributes.a = { tpye = 'int' }\n                   ^^^^\n"),
        ("[attributes]\na = {}", "4\n  a = {}\n  ^\n"),
        (f"{COMPOSED}[[layers]]\nlayer = 'Densee'", "7\n  layer = 'Densee'\n          ^^^^^^^^\n"),
        (COMPOSED.replace("units", "unit"), "5\n  args = { unit = 3 }\n           ^^^^\n"),
        (f"{COMPOSED}[[layers]]\nlayr = 'Flatten'", "7\n  layr = 'Flatten'\n  ^^^^\n"),
        (f"{COMPOSED}[compile]\nloss = 'hubr'", "7\n  loss = 'hubr'\n         ^^^^^^\n"),
        ("name =", "3\n  name =\n        ^\n"),
    ],
)  # fmt: skip
def test_in_a_spec_file(refused: Refused, here: Path, lines: str, text: str) -> None:
    (here / "net.toml").write_text(f"version = 1\ntarget = 'model'\n{lines}\n")
    code, err = refused("model", "MyMLP", "--from=net.toml")
    assert (code, pointer(err)) == (2, f"  net.toml:{text}")


def test_in_the_settings(harmless: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = here / "pyproject.toml"
    file.write_text("[tool.scaffold]\n# pakage = 1\n\tpakage = 'x'\n")
    assert pointer(harmless("layer", "X").err) == (
        "  pyproject.toml:3\n   pakage = 'x'\n   ^^^^^^\n"
    )
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    assert harmless("layer", "X", "--json").answer()["error"]["place"] == {
        "text": "\tpakage = 'x'",
        "start": 1,
        "end": 7,
        "path": str(file),
        "line": 3,
    }
    file.write_text("[tool.scaffold]\ninto = 3\n")
    assert pointer(harmless("layer", "X").err) == f"  {file}:2\n  into = 3\n         ^\n"
    file.write_text("[tool.scaffold\n")
    found = pointer(harmless("layer", "X").err)
    assert found == f"  {file}:1\n  [tool.scaffold\n                ^\n"


def test_as_json(harmless: Scaffold, here: Path) -> None:
    (here / "net.toml").write_text("version = 1\noptions.rank = 9\n")
    words = ("layer", "MyConv", "--from", "net.toml", "--json")
    assert harmless(*words).answer()["error"]["place"] == {
        "text": "options.rank = 9",
        "start": 15,
        "end": 16,
        "path": "net.toml",
        "line": 2,
    }
    # The command line takes precedence over the file, also where its place is not known.
    (here / "named.toml").write_text("version = 1\nname = 'MyConv'\n")
    error = harmless("layer", "class", "--from=named.toml", "--json").answer()["error"]
    assert error["place"] is None
    assert harmless(*words, "--option=rank=7").answer()["error"]["place"] == {
        "text": "--option=rank=7",
        "start": 14,
        "end": 15,
    }
