from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.errors import ScaffoldError, UnsafeError, UsageError
from scaffold.pyproject import nearest_project
from scaffold.settings import Settings, load_settings

KEYS = "The keys are package, into, models-into, tests-into, scripts-into, license-header, check."


def settings(folder: Path, text: str) -> Settings:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return load_settings(folder, folder)


def refusal(folder: Path, text: str) -> tuple[type[ScaffoldError], str, str]:
    with pytest.raises(ScaffoldError) as caught:
        settings(folder, text)
    path = str(folder / "pyproject.toml")
    return type(caught.value), caught.value.message.replace(path, "PATH"), caught.value.fix


def test_all_of_them(here: Path) -> None:
    read = settings(
        here,
        """
        [project]
        name = "other"
        [tool.scaffold]
        package = "mine"
        into = "src/mine/layers"
        models-into = "src/mine/models"
        tests-into = "tests/layers"
        scripts-into = "scripts"
        license-header = "Copyright 2026\\nApache-2.0"
        [tool.black]
        line-length = 100
        [tool.pytest.ini_options]
        pythonpath = ["src", "."]
        addopts = "-q --import-mode=importlib"
        [build-system]
        requires = ["hatchling"]
        """,
    )
    assert read == Settings(
        folder=here,
        package="mine",
        into="src/mine/layers",
        models_into="src/mine/models",
        tests_into="tests/layers",
        scripts_into="scripts",
        license_header="Copyright 2026\nApache-2.0",
        black={"line-length": 100},
        pytest_paths=("src", "."),
        imports_by_path=True,
        exports=True,
        is_built=True,
    )


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("", "project"),
        ('[project]\nname = "my-nice.project"', "my_nice_project"),
        ("[project]\nname = 3", "project"),
        ('[project]\nname = "层"', "my_layers"),
        ('[tool.scaffold]\npackage = ""', "project"),
        ('[project]\nname = "a"\n[tool.scaffold]\npackage = "b.c-d"', "b.c-d"),
        (f'[project]\nname = "{"a" * 70}"', "a" * 60),
    ],
)
def test_package(here: Path, text: str, package: str) -> None:
    exports = "[tool.scaffold]" in text
    assert settings(here, text) == Settings(here, package, exports=exports)


def test_a_table_of_settings_has_packages_export(here: Path) -> None:
    assert not settings(here, "[project]\nname = 'x'\n[tool.black]\n").exports
    assert settings(here, "[tool.scaffold]\n").exports
    assert settings(here, "[[tool.scaffold.check.MyConv]]\n").exports


def test_folders_of_targets(here: Path) -> None:
    assert Settings(here, "x").into_for("model") is None
    for target in ("layer", "model"):
        assert Settings(here, "x", into="a").into_for(target) == "a"
    both = Settings(here, "x", into="a", models_into="b")
    assert (both.into_for("layer"), both.into_for("model")) == ("a", "b")
    only = Settings(here, "x", models_into="b")
    assert (only.into_for("layer"), only.into_for("model")) == (None, "b")


def test_without_a_project(here: Path) -> None:
    assert nearest_project(here) is None
    assert load_settings(here, here) == Settings(here, "project")
    assert load_settings(here / "my layers", here) == Settings(here, "my_layers")
    assert load_settings(Path("/"), here) == Settings(here, "my_layers")


def test_the_nearest_project(here: Path) -> None:
    inner = here / "a" / "b"
    inner.mkdir(parents=True)
    (here / "pyproject.toml").write_text('[tool.scaffold]\npackage = "outer"')
    assert nearest_project(inner) == here
    assert load_settings(inner, inner) == Settings(here, "outer", exports=True)
    (here / "a" / "pyproject.toml").write_text("")
    assert nearest_project(inner) == here / "a"
    assert load_settings(inner, inner) == Settings(here / "a", "a")
    (inner / "pyproject.toml").mkdir()
    assert nearest_project(inner) == here / "a"


@pytest.mark.parametrize(
    ("value", "paths"),
    [('"src lib"', ("src", "lib")), ('["a b"]', ("a b",)), ('""', ()), ("[]", ())],
)
def test_paths_of_pytest(here: Path, value: str, paths: tuple[str, ...]) -> None:
    read = settings(here, f"[tool.pytest.ini_options]\npythonpath = {value}")
    assert read.pytest_paths == paths


@pytest.mark.parametrize("value", ['"--import-mode=importlib"', '["--import-mode", "importlib"]'])
def test_import_mode_of_pytest(here: Path, value: str) -> None:
    assert settings(here, f"[tool.pytest.ini_options]\naddopts = {value}").imports_by_path


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("[tool.scaffold]\npakage = 'x'",
         "[tool.scaffold] in PATH has the unknown key `pakage`. Did you mean `package`?",
         KEYS),
        ("[tool.scaffold]\ntests_into = 'x'",
         "[tool.scaffold] in PATH has the unknown key `tests_into`. Did you mean `tests-into`?",
         KEYS),
        ("[tool.scaffold]\n'a\\u001b' = 'x'\n'zzzzz' = 1",
         "[tool.scaffold] in PATH has the unknown key `a\\u001b`.",
         KEYS),
        ('[tool.scaffold]\n"q\\u001bq" = 1',
         "[tool.scaffold] in PATH has the unknown key `q�q`.",
         KEYS),
        ("[tool.scaffold]\npackage = 3", "[tool.scaffold] in PATH: `package` must be a string.",
         'Write `package = "..."`.'),
        ("[tool.scaffold]\ninto = ['x']", "[tool.scaffold] in PATH: `into` must be a string.",
         'Write `into = "..."`.'),
        ("[tool]\nscaffold = 3", "`tool.scaffold` in PATH must be a table.",
         "Write it as `[tool.scaffold]` with keys below it."),
        ("tool = 3", "`tool` in PATH must be a table.", "Write it as `[tool]` with keys below it."),
        ("project = 'x'", "`project` in PATH must be a table.",
         "Write it as `[project]` with keys below it."),
        ("[tool]\nblack = []", "`tool.black` in PATH must be a table.",
         "Write it as `[tool.black]` with keys below it."),
        ("[tool]\npytest = 1", "`tool.pytest` in PATH must be a table.",
         "Write it as `[tool.pytest]` with keys below it."),
        ("[tool", "PATH is not valid TOML: Expected ']' at the end of a table declaration "
         "(at end of document).", "Fix the file."),
    ],
)  # fmt: skip
def test_refused(here: Path, text: str, message: str, fix: str) -> None:
    assert refusal(here, text) == (UsageError, message, fix)


def test_not_text(here: Path) -> None:
    (here / "pyproject.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError) as caught:
        load_settings(here, here)
    assert caught.value.message == (
        f"{here}/pyproject.toml is not valid TOML: "
        "'utf-8' codec can't decode byte 0xff in position 0: "
        "invalid start byte."
    )


@pytest.mark.parametrize(
    ("header", "code"),
    [("a\\tb", "U+0009"), ("a\\u001b", "U+001B"), ("x\\n\\u202E", "U+202E")],
)
def test_license_header_that_cannot_be_seen(here: Path, header: str, code: str) -> None:
    assert refusal(here, f'[tool.scaffold]\nlicense-header = "{header}"') == (
        UnsafeError,
        f"`license-header` contains the control character {code}.",
        "Write it without invisible characters.",
    )


@pytest.mark.parametrize(
    "line", ["-*- coding: latin-1 -*-", "vim: fileencoding=cp1252", "Coding:x"]
)
def test_license_header_that_names_an_encoding(here: Path, line: str) -> None:
    for header in (line, f"Copyright\n{line}"):
        text = f"[tool.scaffold]\nlicense-header = '''{header}'''"
        assert refusal(here, text) == (
            UnsafeError,
            f"Python would read `{line}` in `license-header` as an encoding.",
            "Avoid `coding:` and `coding=` in the first two lines.",
        )


@pytest.mark.parametrize(
    "header", ["-*- coding: utf-8 -*-", "Copyright\n\ncoding: latin-1", "decoding it is fun", ""]
)
def test_license_headers(here: Path, header: str) -> None:
    read = settings(here, f"[tool.scaffold]\nlicense-header = '''{header}'''")
    assert read.license_header == header
