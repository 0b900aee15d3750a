from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import SAYS_NOTHING
from conftest import Scaffold, tree, without_content

Refused = Callable[..., tuple[int, str]]
GAIN = "gain:float=1.0{>0}"
CREATED = f"Whatever: template blank ({SAYS_NOTHING})\n" + """\
registered as project>Whatever
   create  whatever.py        {:>3} lines
   create  test_whatever.py   {:>3} lines
Next: pytest test_whatever.py
"""
RETRY = "Use --on-conflict skip, overwrite, or new (writes to a .new file).\n"


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def names(folder: Path) -> list[str]:
    return list(tree(folder))


def reports(error: str, fix: str = "", place: str = "", carets: str = "") -> str:
    """Return the error as the user sees it."""
    pointer = f"  {place}\n  {carets}\n" if place else ""
    return f"Error: {error}\n{pointer}{fix}" + ("\n" if fix else "")


def test_from_a_name_to_two_files(scaffold: Scaffold, here: Path) -> None:
    outcome = scaffold("layer", "Whatever")
    assert names(here) == ["test_whatever.py", "whatever.py"]
    counts = (lines(here / "whatever.py"), lines(here / "test_whatever.py"))
    assert outcome.out == CREATED.format(*counts)
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "module", "heading"),
    [
        ("MyConv", "my_conv", "MyConv: template conv rank=2 (by name: conv)"),
        ("MyConv1D", "my_conv1d", "MyConv1D: template conv rank=1 (by name: conv1d)"),
        ("GatedDense", "gated_dense", "GatedDense: template dense (by name: dense)"),
        (
            "DCTBlock",
            "dct_block",
            f"DCTBlock: template blank ({SAYS_NOTHING})",
        ),
        (
            "Conv2DBlock",
            "conv2d_block",
            "Conv2DBlock: template conv rank=2 (by name: conv2d)",
        ),
    ],
)
def test_the_name_gives_module_and_template(
    scaffold: Scaffold, here: Path, name: str, module: str, heading: str
) -> None:
    outcome = scaffold("layer", name)
    assert set(names(here)) == {f"{module}.py", f"test_{module}.py"}
    assert outcome.out.splitlines()[:2] == [heading, f"registered as project>{name}"]
    text = (here / f"{module}.py").read_text("utf-8")
    assert f"class {name}(keras.layers.Layer):" in text.splitlines()
    assert f"from {module} import {name}" in (here / f"test_{module}.py").read_text().splitlines()


def test_attributes_of_both_kinds(scaffold: Scaffold, here: Path) -> None:
    outcome = scaffold(
        "layer", "MyConv", "filters=64", GAIN, "mode:enum(sum,mean)=sum",
        "kernel_initializer=he_normal", "--option", "rank=1", "-t", "conv", "--package", "mine",
    )  # fmt: skip
    assert outcome.out.splitlines()[:3] == [
        "MyConv: template conv rank=1 (as requested)",
        "registered as mine>MyConv",
        "note: kernel_size=3: needs a default because an attribute before it has one",
    ]
    written = (here / "my_conv.py").read_text("utf-8").splitlines()
    for line in (
        '@keras.saving.register_keras_serializable(package="mine")',
        "        filters=64,",
        "        kernel_size=3,",
        '        kernel_initializer="he_normal",',
        "        gain=1.0,",
        '        mode="sum",',
        '        if mode not in ("sum", "mean"):',
        "        gain: Float greater than 0. Defaults to `1.0`.",
        '            "gain": self.gain,',
    ):
        assert written.count(line) == 1


def test_twice_is_unchanged_and_byte_identical(scaffold: Scaffold, here: Path) -> None:
    scaffold("layer", "Whatever", GAIN)
    before = tree(here)
    outcome = scaffold("layer", "Whatever", GAIN)
    assert tree(here) == before
    counts = (lines(here / "whatever.py"), lines(here / "test_whatever.py"))
    assert outcome.out == CREATED.replace("   create", "unchanged").format(*counts)
    for name in ("whatever.py", "test_whatever.py"):
        (here / name).unlink()
    scaffold("layer", "Whatever", GAIN)
    assert tree(here) == before


def test_no_tests(scaffold: Scaffold, here: Path) -> None:
    outcome = scaffold("layer", "Whatever", "--no-tests")
    assert names(here) == ["whatever.py"]
    assert outcome.out.splitlines()[-1] == 'Next: python -c "from whatever import Whatever"'


# What would be written.


def test_dry_run(harmless: Scaffold, here: Path) -> None:
    outcome = harmless("layer", "Whatever", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    shown = outcome.out.splitlines()
    assert shown[:2] == CREATED.splitlines()[:2]
    assert re.fullmatch(r"   create  whatever\.py +\d+ lines", shown[2])
    assert re.fullmatch(r"   create  test_whatever\.py +\d+ lines", shown[3])
    assert shown[4:] == ["Nothing was written: this was a dry run."]


def test_diff_is_the_same_plan(harmless: Scaffold, scaffold: Scaffold, here: Path) -> None:
    diff = harmless("layer", "Whatever", "--diff")
    plan = harmless("layer", "Whatever", "--dry-run", "--json").answer()["result"]
    both = harmless("layer", "Whatever", "--diff", "--json").answer()["result"]
    assert plan["written"] is both["written"] is False
    assert both.pop("diff") == diff.out
    assert both == without_content(plan)
    assert diff.out == "".join(
        f"--- /dev/null\n+++ b/{change['path']}\n@@ -0,0 +1,{change['content'].count(chr(10))} @@\n"
        + "".join(f"+{line}\n" for line in change["content"].splitlines())
        for change in plan["changes"]
    )
    done = scaffold("layer", "Whatever", "--json").answer()["result"]
    assert {**done, "written": False, "next": ""} == without_content(plan)
    for change in plan["changes"]:
        assert (here / change["path"]).read_text("utf-8") == change["content"]
    again = harmless("layer", "Whatever", "--diff")
    assert (again.code, again.out, again.err) == (0, "", "")


# Conflicts.


@pytest.fixture
def edited(scaffold: Scaffold, here: Path) -> Path:
    """A generated class that was then edited."""
    scaffold("layer", "Whatever")
    path = here / "whatever.py"
    path.write_text(path.read_text("utf-8").replace("import keras\n", "import keras  # mine\n", 1))
    return path


DIFF = "".join(
    f"{line}\n"
    for line in [
        "--- a/whatever.py",
        "+++ b/whatever.py",
        "@@ -1,6 +1,6 @@",
        ' """`Whatever`: TODO, a short description."""',
        " ",
        "-import keras  # mine",
        "+import keras",
        " ",
        " ",
        ' @keras.saving.register_keras_serializable(package="project")',
    ]
)
DIFFERS = "whatever.py already exists with different content; nothing was written."


@pytest.mark.parametrize("flags", [[], ["--on-conflict", "fail"], ["--dry-run"]])
def test_a_conflict_is_shown_and_nothing_written(
    edited: Path, refused: Refused, flags: list[str]
) -> None:
    (edited.parent / "test_whatever.py").unlink()
    assert refused("layer", "Whatever", *flags) == (3, f"{DIFF}Error: {DIFFERS}\n{RETRY}")


def test_the_diff_of_a_conflict_is_the_requested_one(edited: Path, harmless: Scaffold) -> None:
    (edited.parent / "test_whatever.py").unlink()
    outcome = harmless("layer", "Whatever", "--diff")
    assert (outcome.code, outcome.out, outcome.err) == (3, DIFF, f"Error: {DIFFERS}\n{RETRY}")


def test_a_conflict_as_json(edited: Path, harmless: Scaffold) -> None:
    outcome = harmless("layer", "Whatever", "--json")
    assert outcome.code == 3
    assert outcome.answer() == {
        "version": 2,
        "command": "layer",
        "ok": False,
        "result": None,
        "error": {
            "kind": "conflict",
            "exit_code": 3,
            "message": DIFFERS,
            "fix": RETRY.rstrip(),
            "place": None,
            "suggestions": [],
            "conflicts": ["whatever.py"],
            "diff": DIFF,
        },
    }


def test_all_conflicts_at_once(edited: Path, refused: Refused) -> None:
    (edited.parent / "test_whatever.py").write_text("")
    code, said = refused("layer", "Whatever")
    assert code == 3
    assert said.splitlines()[-2:] == [
        "Error: whatever.py, test_whatever.py already exist with different content; "
        "nothing was written.",
        RETRY.rstrip(),
    ]


def test_skip(edited: Path, harmless: Scaffold) -> None:
    outcome = harmless("layer", "Whatever", "--on-conflict", "skip")
    assert outcome.code == 0
    assert re.fullmatch(r"unchanged  test_whatever\.py +\d+ lines", outcome.out.splitlines()[2])
    assert outcome.out.splitlines()[3:] == [
        "  skipped  whatever.py       differs",
        "Next: pytest test_whatever.py",
    ]


def test_overwrite(edited: Path, scaffold: Scaffold) -> None:
    outcome = scaffold("layer", "Whatever", "--on-conflict", "overwrite")
    assert outcome.code == 0
    shown = outcome.out.splitlines()
    assert re.fullmatch(r"  replace  whatever\.py +\d+ lines", shown[2])
    assert re.fullmatch(r"unchanged  test_whatever\.py +\d+ lines", shown[3])
    assert "import keras" in edited.read_text("utf-8").splitlines()
    assert names(edited.parent) == ["test_whatever.py", "whatever.py"]


def test_new(edited: Path, scaffold: Scaffold) -> None:
    mine = edited.read_bytes()
    outcome = scaffold("layer", "Whatever", "--on-conflict", "new")
    assert outcome.code == 0
    shown = outcome.out.splitlines()
    assert re.fullmatch(r"   create  whatever\.py\.new +\d+ lines", shown[2])
    assert edited.read_bytes() == mine
    assert names(edited.parent) == ["test_whatever.py", "whatever.py", "whatever.py.new"]
    beside = edited.with_name("whatever.py.new")
    assert "import keras" in beside.read_text("utf-8").splitlines()
    assert scaffold("layer", "Whatever", "--on-conflict", "new").code == 0
    beside.write_text("other")
    outcome = scaffold("layer", "Whatever", "--on-conflict", "new")
    assert outcome.code == 3
    assert beside.read_text() == "other"


# Folders.


def test_into_packages(scaffold: Scaffold, here: Path) -> None:
    package = here / "src" / "lib" / "layers"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    outcome = scaffold(
        "layer", "Whatever", "--into", "src/lib/layers", "--tests-into", "tests/layers"
    )
    shown = outcome.out.splitlines()
    assert re.fullmatch(r"   create  src/lib/layers/whatever\.py +\d+ lines", shown[2])
    assert re.fullmatch(r"   create  tests/layers/test_whatever\.py +\d+ lines", shown[3])
    assert shown[4] == ("Next: pytest --rootdir=. -o pythonpath=src tests/layers/test_whatever.py")
    test = (here / "tests" / "layers" / "test_whatever.py").read_text("utf-8")
    assert "from lib.layers.whatever import Whatever" in test.splitlines()


def test_a_folder_that_is_not_an_identifier_is_not_a_package(
    scaffold: Scaffold, here: Path
) -> None:
    package = here / "my-lib" / "layers"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    result = scaffold("layer", "Whatever", "--into", "my-lib/layers", "--json").answer()["result"]
    assert result["module"] == "layers.whatever"
    assert result["next"] == "pytest my-lib/layers/test_whatever.py"


def test_from_a_folder_below_the_project(
    scaffold: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "pyproject.toml").write_text("")
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    outcome = scaffold("layer", "Whatever", "--into", "../lib", "--tests-into", "../tests")
    shown = outcome.out.splitlines()
    assert re.fullmatch(r"   create  \.\./lib/whatever\.py +\d+ lines", shown[2])
    assert shown[4] == ("Next: pytest --rootdir=.. -o pythonpath=lib ../tests/test_whatever.py")
    assert names(here) == [
        "lib", "lib/whatever.py", "pyproject.toml", "sub", "tests", "tests/test_whatever.py",
    ]  # fmt: skip


def test_settings(scaffold: Scaffold, here: Path) -> None:
    (here / "pyproject.toml").write_text(
        '[tool.scaffold]\npackage = "mine"\ninto = "src"\ntests-into = "tests"\n'
        'license-header = "Copyright me\\nApache-2.0"\n'
        '[tool.pytest.ini_options]\npythonpath = "src"\n'
    )
    outcome = scaffold("layer", "Whatever")
    assert outcome.out.splitlines()[1] == "registered as mine>Whatever"
    assert outcome.out.splitlines()[-1] == "Next: pytest tests/test_whatever.py"
    for path in (here / "src" / "whatever.py", here / "tests" / "test_whatever.py"):
        assert path.read_text("utf-8").splitlines()[:2] == ["# Copyright me", "# Apache-2.0"]
    result = scaffold("layer", "Other", "--into", ".", "--package", "x", "--json").answer()[
        "result"
    ]
    assert result["registered_name"] == "x>Other"
    assert [change["path"] for change in result["changes"]] == ["other.py", "tests/test_other.py"]


@pytest.mark.parametrize("length", [79, 100, 120])
def test_line_length_of_black(scaffold: Scaffold, here: Path, length: int) -> None:
    (here / "pyproject.toml").write_text(f"[tool.black]\nline-length = {length}\n")
    scaffold("layer", "MyConv", "filters=64", GAIN)
    longest = []
    for name in ("my_conv.py", "test_my_conv.py"):
        text = (here / name).read_text("utf-8")
        assert black_writes(text, line_length=length) == text
        longest.append(max(map(len, text.splitlines())))
    # Prose in a template has up to 88 characters per line.
    assert max(longest) <= max(length, 88)
    assert max(longest) > length - 8


def black_writes(text: str, **mode: object) -> str:
    import black

    return black.format_str(text, mode=black.Mode(**mode))  # type: ignore[arg-type]


def test_other_settings_of_black(scaffold: Scaffold, here: Path) -> None:
    (here / "pyproject.toml").write_text(
        "[tool.black]\nskip-string-normalization = true\nskip-magic-trailing-comma = true\n"
        'target-version = ["py311", "py312"]\n'
    )
    scaffold("layer", "Whatever", "title:str=say \"x\" and 'y'")
    text = (here / "whatever.py").read_text("utf-8")
    [line] = [line for line in text.splitlines() if "title=" in line and "def" in line]
    assert line == "    def __init__(self, title='say \"x\" and \\'y\\'', **kwargs):"
    plain = {"string_normalization": False, "magic_trailing_comma": False}
    assert black_writes(text, **plain) == text


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ('line-length = "x"', "invalid literal for int() with base 10: 'x'"),
        ('target-version = ["py99"]', "'PY99'"),
    ],
)
def test_settings_unknown_to_black(refused: Refused, here: Path, table: str, error: str) -> None:
    (here / "pyproject.toml").write_text(f"[tool.black]\n{table}\n")
    assert refused("layer", "Whatever") == (
        2,
        reports(
            f"[tool.black] has a value that black does not know: {error}.",
            "Fix it in pyproject.toml.",
        ),
    )


# Spec files.


def test_saved_and_read_again(scaffold: Scaffold, here: Path) -> None:
    words = ["MyConv", "filters=8", GAIN, "mode:enum(sum,mean)=sum", "size:ints(2)=3,5{>0}",
             "--option", "rank=3"]  # fmt: skip
    outcome = scaffold("layer", *words, "--save-spec", "spec.toml")
    assert re.fullmatch(r"   create  spec\.toml +\d+ lines", outcome.out.splitlines()[5])
    before = tree(here)
    for name in ("my_conv.py", "test_my_conv.py"):
        (here / name).unlink()
    outcome = scaffold("layer", "--from", "spec.toml", "--save-spec", "spec.toml")
    assert outcome.code == 0
    assert tree(here) == before
    spec = tomllib.loads((here / "spec.toml").read_text("utf-8"))
    assert spec == {
        "version": 1,
        "target": "layer",
        "name": "MyConv",
        "template": "conv",
        "package": "project",
        "options": {"rank": 3},
        "attributes": {
            "filters": 8,
            "gain": {"type": "float", "constraint": ">0", "default": 1.0},
            "mode": {"type": "enum(sum,mean)", "default": "sum"},
            "size": {"type": "ints(2)", "constraint": ">0", "default": [3, 5]},
        },
    }


def test_flags_override_the_file(scaffold: Scaffold, here: Path) -> None:
    (here / "spec.toml").write_text(
        'version = 1\nname = "MyConv"\ntemplate = "conv"\npackage = "file"\n'
        "[options]\nrank = 3\n[attributes]\nfilters = 8\nkernel_size = 5\n"
        '[attributes.gain]\ntype = "float"\ndefault = 1.0\n'
    )
    result = scaffold(
        "layer", "Other", "filters=9", "gain=2", "extra:int=1", "--from", "spec.toml",
        "--package", "flag", "--option", "rank=1", "--json",
    ).answer()["result"]  # fmt: skip
    assert (result["registered_name"], result["template"]) == ("flag>Other", "conv")
    assert (result["options"], result["reason"]) == ({"rank": 1}, "as requested")
    signature = (here / "other.py").read_text("utf-8").partition("def __init__(")[2].splitlines()
    for line in ("        filters=9,", "        kernel_size=5,"):
        assert signature.count(line) == 1
    end = signature.index("        **kwargs,")
    assert signature[end - 2 : end] == ["        gain=2.0,", "        extra=1,"]


def test_spec_files_refused(refused: Refused, here: Path) -> None:
    assert refused("layer", "--from", "none.toml") == (
        5,
        reports("spec file none.toml not found.", "Check the path."),
    )
    (here / "spec.toml").write_text("version = 1\nnmae = 'X'\n")
    assert refused("layer", "--from", "spec.toml") == (
        2,
        reports(
            "spec.toml has the unknown key `nmae`. Did you mean `name`?",
            "The keys are version, target, name, template, package, base, options, attributes, "
            "layers, compile.",
            "spec.toml:2\n  nmae = 'X'",
            "^^^^",
        ),
    )
    (here / "spec.toml").write_text("version = 1\n")
    assert refused("layer", "--from", "spec.toml") == (
        2,
        reports("no class name given.", "Add one, as in `scaffold layer MyConv`."),
    )
    (here / "spec.toml").write_text("version = 1\ntarget = 'model'\n")
    assert refused("layer", "X", "--from", "spec.toml") == (
        2,
        reports(
            "the spec is for a model, not a layer.",
            'Use `scaffold model`, or write `target = "layer"`.',
        ),
    )
    (here / "spec.toml").write_bytes(b"#" * 1_000_001)
    assert refused("layer", "--from", "spec.toml") == (
        4,
        reports(
            "spec.toml has 1,000,001 bytes; the limit is 1,000,000.",
            "Check that it is the right file.",
        ),
    )
    assert refused("layer", "--from", ".") == (
        2,
        reports(
            "Invalid value for '--from': File '.' is a directory.",
            "See `scaffold layer --help`.",
            "--from .",
            "       ^",
        ),
    )


def test_a_spec_file_never_replaces_code(refused: Refused) -> None:
    for path in ("whatever.py", "./test_whatever.py"):
        shown = path.removeprefix("./")
        assert refused("layer", "Whatever", "--save-spec", path) == (
            2,
            reports(
                f"the spec can't be saved to {shown}, which is the path of a generated file.",
                "Use another file, such as spec.toml.",
            ),
        )


# Refusals.


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, reports("no class name given.", "Add one, as in `scaffold layer MyConv`.")),
        (["class"], 2, reports("`class` is not a valid class name: it is a Python keyword.",
                               "Call it `Class`, for example.")),
        (["Dense"], 2, reports("`Dense` is already a Keras class.",
                               "Call it `MyDense`, for example.")),
        (["Json"], 2, reports(
            "`Json` would be written to json.py, which shadows the module `json`.",
            "Call it `MyJson`, for example.")),
        (["my-conv"], 2, reports(
            "`my-conv` is not a valid class name: use only letters, digits and `_`, with no "
            "leading digit.", "Call it `MyConv`, for example.")),
        (["../X"], 2, reports(
            "`../X` is not a valid class name: use only letters, digits and `_`, with no leading "
            "digit.", "Call it `X`, for example.")),
        (["My\x1b[31mX"], 4, reports(
            "the class name `My�[31mX` contains the control character U+001B.",
            "Retype it without invisible characters.")),
        (["X", "a:str=\x1b[31m"], 4, reports(
            "the attribute `a:str=�[31m` contains the control character U+001B.",
            "Retype it without invisible characters.")),
        (["X", "__init__:int=1"], 2, reports(
            "`__init__` is not a valid attribute name: a leading `__` is reserved for Python.",
            "Call it `init`, for example.", "__init__:int=1", "^^^^^^^^")),
        (["X", "lambda:int=1"], 2, reports(
            "`lambda` is not a valid attribute name: it is a Python keyword.",
            "Choose another name.", "lambda:int=1", "^^^^^^")),
        (["X", "a-b:int=1"], 2, reports(
            "`a-b` is not a valid attribute name: use only letters, digits and `_`, with no "
            "leading digit.", "Call it `a_b`, for example.", "a-b:int=1", "^^^")),
        *[(["X", f"{name}:int=1"], 2, reports(
            f"`{name}` is already an attribute of every Keras layer.",
            f"Call it `{name}_value`, for example.", f"{name}:int=1", "^" * len(name)))
          for name in ("name", "dtype", "weights", "losses", "build", "call", "training")],
        (["X", "a:int=1", "a:int=2"], 2, reports(
            "`a` is given twice.", "Remove one of them.", "a:int=2", "^")),
        (["X", "a:int=1", "b:int"], 2, reports(
            "`b` is required, but follows `a`, which has a default.",
            "Give it a default: `b:int=...`.")),
        (["X", "a:int=0{>0}"], 2, reports(
            "invalid default: 0 violates the constraint {>0}.", "", "a:int=0{>0}", "      ^")),
        (["X", "int:units"], 2, reports(
            "`int` is a type, but the name comes first.",
            "Write `units:int`.", "int:units", "^^^")),
        (["X", "gain:float=1.0{"], 2, reports(
            "the constraint is malformed.",
            "Close the brace and quote it for the shell: 'gain:float=1.0{>0}'.",
            "gain:float=1.0{", "              ^")),
        (["X", "gain:flaot=1.0"], 2, reports(
            "unknown type `flaot`. Did you mean `float`?", "", "gain:flaot=1.0", "     ^^^^^")),
        (["MyDense", "untis=3"], 2, reports(
            "the template `dense` has no attribute `untis`. Did you mean `units`?",
            "It has units, activation, use_bias, kernel_initializer, bias_initializer, "
            "kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, "
            "bias_constraint. To add one, write `untis:int=3`.", "untis=3", "^^^^^")),
        (["MyDense", "activation=rleu"], 2, reports(
            "`activation`: 'rleu' is not a Keras activation. Did you mean `relu`?", "",
            "activation=rleu", "           ^^^^")),
        (["X", "--template", "dens"], 2, reports(
            "layer template `dens` not found. Did you mean `dense`?",
            "See `scaffold list`.", "--template dens", "           ^^^^")),
        (["MyConv", "--option", "rank"], 2, reports(
            "Invalid value for '--option' / '-o': `rank` is not key=value, such as `rank=2`.",
            "See `scaffold layer --help`.", "--option rank", "         ^^^^")),
        (["MyConv", "--option", "rank=4"], 2, reports(
            "option `rank=4`: it must be one of 1, 2, 3.", "Use `--option rank=2`, for example.",
            "--option rank=4", "              ^")),
        (["MyConv", "-ornk=2"], 2, reports(
            "template `conv` has no option `rnk`. Did you mean `rank`?",
            "See `scaffold show conv`: it has rank.", "-ornk=2", "  ^^^")),
        (["X", "--package", "a b"], 2, reports(
            "the package `a b` can't be part of a registered name.",
            "Use up to 60 letters, digits, `_`, `-` and `.`, as in `--package my_project`.",
            "--package a b", "          ^^^")),
        (["X", "--no-tests", "--tests-into", "t"], 2, reports(
            "--no-tests and --tests-into can't be used together.", "Remove one of them.")),
        (["X", "--frm", "x"], 2, reports(
            "No such option '--frm'. Did you mean '--from'?", "See `scaffold layer --help`.",
            "--frm", "^^^^^")),
        (["X", "--on-conflict", "ask"], 2, reports(
            "Invalid value for '--on-conflict': 'ask' is not one of 'fail', 'skip', 'overwrite', "
            "'new'.", "See `scaffold layer --help`.",
            "--on-conflict ask", "              ^^^")),
        (["CHANGED", "a:int=1"], 2, reports(
            "`CHANGED` is already used in the generated test.",
            "Call it `MyCHANGED`, for example.")),
    ],
)  # fmt: skip
def test_refused(
    refused: Refused, harmless: Scaffold, words: list[str], code: int, said: str
) -> None:
    assert refused("layer", *words) == (code, said)
    error = harmless("layer", *words, "--json").answer()["error"]
    assert error["exit_code"] == code
    assert error["kind"] == {2: "usage", 4: "unsafe"}[code]
    place = error["place"]
    pointed = ""
    if place:
        pointed = " " * place["start"] + "^" * max(place["end"] - place["start"], 1)
    assert reports(error["message"], error["fix"], (place or {}).get("text", ""), pointed) == said


@pytest.mark.parametrize(
    ("flag", "path"),
    [
        ("--into", "link/x"),
        *(
            (flag, path)
            for flag in ("--tests-into", "--save-spec")
            for path in ("..", "../elsewhere", "a/../../elsewhere", "/", "/tmp", "link/x")
        ),
    ],
)
def test_paths_out_of_the_project(
    refused: Refused, here: Path, tmp_path: Path, flag: str, path: str
) -> None:
    if flag == "--save-spec":
        path = f"{path.rstrip('/')}/spec.toml"
    (tmp_path / "elsewhere").mkdir()
    (here / "link").symlink_to(tmp_path / "elsewhere")
    code, said = refused("layer", "Whatever", flag, path)
    assert code == 4
    assert said.splitlines()[0] == f"Error: {Path(path)} is outside {here}."


def test_a_folder_elsewhere(scaffold: Scaffold, here: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outcome = scaffold("layer", "Whatever", "--into", "../elsewhere")
    assert outcome.out.splitlines()[1:] == [
        "registered as elsewhere>Whatever",
        "   create  ../elsewhere/whatever.py         44 lines",
        "   create  ../elsewhere/test_whatever.py   149 lines",
        "Next: pytest ../elsewhere/test_whatever.py",
    ]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["test_whatever.py", "whatever.py"]
    assert list(here.iterdir()) == []


def test_a_folder_of_another_project(scaffold: Scaffold, here: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/pyproject.toml").write_text(
        '[project]\nname = "other"\n[tool.scaffold]\ntests-into = "tests"\n'
    )
    answer = scaffold("layer", "Whatever", "--into", "../other/new", "--json").answer()["result"]
    assert answer["registered_name"] == "other>Whatever"
    assert [change["path"] for change in answer["changes"]] == [
        "../other/new/whatever.py",
        "../other/tests/test_whatever.py",
    ]
    assert (tmp_path / "other/tests/test_whatever.py").is_file()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--into", "../none"], 5, "folder {}/none not found."),
        (["--into", "../elsewhere/none"], 5, "folder {}/elsewhere/none not found."),
        (["--into", "../elsewhere", "--tests-into", "t"], 4, "t is outside {}/elsewhere."),
        (["--into", "../elsewhere", "--save-spec", "s"], 4, "s is outside {}/elsewhere."),
    ],
)
def test_what_a_folder_elsewhere_does_not_allow(
    refused: Refused, tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    refusal = refused("layer", "Whatever", *words)
    assert refusal[0] == code
    assert refusal[1].splitlines()[0] == f"Error: {message.format(tmp_path)}"


def test_a_file_that_leads_out(refused: Refused, here: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (here / "whatever.py").symlink_to(tmp_path / "secret")
    code, said = refused("layer", "Whatever", "--on-conflict", "overwrite")
    assert code == 4
    assert said.splitlines()[0] == f"Error: {here}/whatever.py is outside {here}."


def test_settings_that_lead_out(refused: Refused, here: Path) -> None:
    for key in ("into", "tests-into"):
        (here / "pyproject.toml").write_text(f'[tool.scaffold]\n{key} = "../elsewhere"\n')
        code, said = refused("layer", "Whatever")
        assert code == 4
        assert said.splitlines()[0] == f"Error: {here}/../elsewhere is outside {here}."


def test_a_folder_with_control_characters(refused: Refused) -> None:
    code, said = refused("layer", "Whatever", "--into", "a\x1b[31mb")
    assert code == 4
    assert "\x1b" not in said
    assert len(said.splitlines()) == 2


def test_another_run_is_writing(refused: Refused, here: Path) -> None:
    from scaffold.workspace import Workspace

    with Workspace(here).transaction():
        assert refused("layer", "Whatever") == (
            3,
            reports(
                f"another scaffold run is writing in {here}.",
                "Wait until it has ended, then run the command again.",
            ),
        )


def test_something_is_in_the_way(refused: Refused, here: Path) -> None:
    (here / "whatever.py").mkdir()
    code, said = refused("layer", "Whatever")
    assert (code, said) == (3, "Error: whatever.py is in the way: it is not a regular file.\n")
    (here / "lib").write_text("")
    assert refused("layer", "Whatever", "--into", "lib") == (
        2,
        reports(
            "Invalid value for '--into': Directory 'lib' is a file.",
            "See `scaffold layer --help`.",
            "--into lib",
            "       ^^^",
        ),
    )


def test_answer_as_json(scaffold: Scaffold, here: Path) -> None:
    answer = scaffold("layer", "MyDense", "units=3", GAIN, "--json").answer()
    assert answer == {
        "version": 2,
        "command": "layer",
        "ok": True,
        "result": {
            "name": "MyDense",
            "registered_name": "project>MyDense",
            "module": "my_dense",
            "template": "dense",
            "reason": "by name: dense",
            "options": {},
            "notes": [],
            "written": True,
            "changes": [
                {"path": "my_dense.py", "action": "create"},
                {"path": "test_my_dense.py", "action": "create"},
            ],
            "skipped": [],
            "next": "pytest test_my_dense.py",
            "deriving": "scaffold layer MyDense --base keras.layers.Dense units=3 "
            "'gain:float=1.0{>0}' --on-conflict overwrite",
        },
        "error": None,
    }


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("MyLSTM", "MyLSTM --base keras.layers.LSTM"),
        (
            "MyConv1D filters=4 --into lib",
            "MyConv1D --base keras.layers.Conv1D filters=4 --into lib",
        ),
        ("MyGlobalMaxPool3D", "MyGlobalMaxPool3D --base keras.layers.GlobalMaxPooling3D"),
        (
            "MyDense --package=a --tests-into=t --no-export",
            "MyDense --base keras.layers.Dense --tests-into t --package a --no-export",
        ),
        ("MyMerge -o kind=gated", ""),
        ("MyWrapper", ""),
        ("MyProjection", ""),
        ("MyConv inner:layer=None", ""),
        ("Mine --base keras.layers.Dense", ""),
    ],
)
def test_the_command_that_derives(scaffold: Scaffold, here: Path, words: str, line: str) -> None:
    given = ["layer", *words.split()]
    shown = scaffold(*given, "--dry-run", "--json").answer()["result"]["deriving"]
    assert shown == (f"scaffold layer {line}" if line else "")
    out = scaffold(*given).out
    assert ("Or derive from" in out) is bool(line)
    if line:
        typed = out.splitlines()[-1].partition(": scaffold ")[2]
        assert typed == f"layer {line} --on-conflict overwrite"
        assert scaffold(*shlex.split(typed)).code == 0


def test_a_recurrent_base_says_where_its_steps_are(scaffold: Scaffold, here: Path) -> None:
    noted = scaffold("layer", "GatedGRU", "--base", "keras.layers.GRU").out.splitlines()[2]
    assert noted.startswith("note: `call` of keras.layers.GRU sees whole sequences only")


@pytest.mark.parametrize("base", ["mine.py:Mine", "keras_hub.layers.RotaryEmbedding"])
def test_only_a_layer_of_keras_can_be_the_base(scaffold: Scaffold, here: Path, base: str) -> None:
    (here / "mine.py").write_text("import keras\n\nclass Mine(keras.layers.Layer):\n    pass\n")
    outcome = scaffold("layer", "Yours", "--base", base)
    assert (outcome.code, outcome.err) == (
        2,
        reports(
            f"`{base}` is not a Keras layer.",
            "Name one, as in `--base keras.layers.Dense`.",
            f"--base {base}",
            f"       {'^' * len(base)}",
        ),
    )
    assert names(here) == ["mine.py"]


def test_nothing_is_left_behind(scaffold: Scaffold, here: Path) -> None:
    old = os.umask(0o022)
    try:
        scaffold("layer", "Whatever", "--into", "a/b")
    finally:
        os.umask(old)
    assert {name: mode & 0o777 for name, (mode, _) in tree(here).items()} == {
        "a": 0o755,
        "a/b": 0o755,
        "a/b/test_whatever.py": 0o644,
        "a/b/whatever.py": 0o644,
    }
