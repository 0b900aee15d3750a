from __future__ import annotations

import keyword
import sys
import tomllib
from string import ascii_letters, ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from command_line import ROOT
from scaffold.errors import ScaffoldError, UnsafeError, UsageError
from scaffold.project import load_questions
from scaffold.project.names import (
    check_package,
    check_plain,
    check_project,
    check_seen,
    check_text,
)

TAKEN = {one.key: one.taken for one in load_questions(ROOT / "templates/project")}
MARKS = (
    "use only letters, digits, `-`, `_` and `.`, "
    "beginning with a letter and ending with a letter or digit."
)
SMALL = "use only lowercase letters, digits and `_`, beginning with a letter."
NONE = "Choose another name."


def use(key: str, name: str) -> str:
    return f"Use `{key}={name}`, for example."


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("", "`` is not a valid project name: it is empty.", use("project", "my_project")),
        ("3net", f"`3net` is not a valid project name: {MARKS}", use("project", "my_3net")),
        ("net-", f"`net-` is not a valid project name: {MARKS}", use("project", "net")),
        ("_net", f"`_net` is not a valid project name: {MARKS}", use("project", "net")),
        ("my net", f"`my net` is not a valid project name: {MARKS}", use("project", "my_net")),
        ("../net", f"`../net` is not a valid project name: {MARKS}", use("project", "net")),
        ("größe", f"`größe` is not a valid project name: {MARKS}", use("project", "gr_e")),
        ("x" * 31, f"`{'x' * 31}` is not a valid project name: it has more than 30 characters.",
         use("project", "x" * 30)),
        ("Con", "`Con` is not a valid project name: Windows reserves that name.",
         use("project", "my_Con")),
        ("lpt1.net", "`lpt1.net` is not a valid project name: Windows reserves that name.",
         use("project", "lpt1_net")),
        *((name, f"a project `{name}` would be installed in place of its dependency `{name}`.",
           use("project", fix))
          for name, fix in [("keras", "my_keras"), ("Torch", "my_Torch"),
                             ("scikit-learn", "my_scikit_learn"),
                             ("Keras_Scaffold", "my_Keras_Scaffold")]),
    ],
)  # fmt: skip
def test_refused_projects(name: str, message: str, fix: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_project(name, TAKEN["project"])
    assert (refused.value.message, refused.value.fix) == (message, fix)


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("", "`` is not a valid package name: it is empty.", use("package", "my_package")),
        ("My_net", f"`My_net` is not a valid package name: {SMALL}", use("package", "my_net")),
        ("my-net", f"`my-net` is not a valid package name: {SMALL}", use("package", "my_net")),
        ("my.net", f"`my.net` is not a valid package name: {SMALL}", use("package", "my_net")),
        ("_net", f"`_net` is not a valid package name: {SMALL}", use("package", "net")),
        ("3net", f"`3net` is not a valid package name: {SMALL}", use("package", "my_3net")),
        ("größe", f"`größe` is not a valid package name: {SMALL}", use("package", "gr_e")),
        ("x" * 31, f"`{'x' * 31}` is not a valid package name: it has more than 30 characters.",
         use("package", "x" * 30)),
        *((name, f"`{name}` is not a valid package name: it is a Python keyword.",
           use("package", f"my_{name}"))
          for name in ("class", "match", "case", "type")),
        ("nul", "`nul` is not a valid package name: Windows reserves that name.",
         use("package", "my_nul")),
        *((name, f"a package `{name}` would shadow Python's module `{name}`.",
           use("package", f"my_{name}"))
          for name in ("random", "test", "string")),
        *((name, f"a package `{name}` would shadow the `{name}` that the project uses.",
           use("package", f"my_{name}"))
          for name in ("keras", "tensorflow", "jax", "torch", "numpy", "sklearn", "click",
                       "tensorboard", "onnx", "pytest", "black", "scaffold", "matplotlib",
                       "tests", "src", "layers", "models", "conftest")),
    ],
)  # fmt: skip
def test_refused_packages(name: str, message: str, fix: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_package(name, TAKEN["package"])
    assert (refused.value.message, refused.value.fix) == (message, fix)


@pytest.mark.parametrize("name", ["net", "my-net", "My.Net_2", "N", "x" * 30, "connect", "random"])
def test_a_project(name: str) -> None:
    check_project(name, TAKEN["project"])


@pytest.mark.parametrize("name", ["net", "my_net2", "n", "x" * 30, "connect", "keras_nets"])
def test_a_package(name: str) -> None:
    check_package(name, TAKEN["package"])


@pytest.mark.parametrize(
    ("key", "text", "message", "fix"),
    [
        ("author", "", "`author` is empty.", "Write a few words."),
        ("author", "x" * 101, "`author` takes 101 columns.", "The limit is 100."),
        ("description", "x" * 91, "`description` takes 91 columns.", "The limit is 90."),
        ("description", "x" + "图" * 45, "`description` takes 91 columns.", "The limit is 90."),
        ("other", "x" * 101, "`other` takes 101 columns.", "The limit is 100."),
        ("author", 'Ada "A"', '`author` contains `"`, which the project\'s files would have to '
         "escape.", "Remove it."),
        ("author", "a\\b", "`author` contains `\\`, which the project's files would have to "
         "escape.", "Remove it."),
    ],
)  # fmt: skip
def test_refused_texts(key: str, text: str, message: str, fix: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_text(key, text)
    assert (refused.value.message, refused.value.fix) == (message, fix)


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "\x1b[31m", "a\u202eb", "\u2028", "\udcff"])
def test_what_cannot_be_seen(text: str) -> None:
    with pytest.raises(
        UnsafeError, match=r"^`author` contains the control character U\+[0-9A-F]{4}"
    ):
        check_seen("author", text)


@pytest.mark.parametrize("mark", ["{{", "{%", "{#"])
def test_no_templates(mark: str) -> None:
    with pytest.raises(UnsafeError) as refused:
        check_plain("author", f"Ada {mark} 1 }}")
    assert refused.value.message == f"`author` contains `{mark}`, which would be run as a template."


def accepted(check: object, *words: object) -> bool:
    try:
        check(*words)  # type: ignore[operator]
    except ScaffoldError:
        return False
    return True


names = st.one_of(
    st.text(ascii_letters + digits + "-_.", min_size=1, max_size=42),
    st.sampled_from([*sys.stdlib_module_names, *keyword.kwlist, "keras", "my.net", "Net-2"]),
    st.text(max_size=5),
)


@given(names)
def test_a_project_that_is_accepted_can_be_written_and_read(name: str) -> None:
    if accepted(check_project, name, TAKEN["project"]):
        assert tomllib.loads(f'[project]\nname = "{name}"')["project"]["name"] == name
        assert Environment().from_string(name).render() == name
        assert not {"/", "\\", ":"} & set(name)


@given(st.one_of(names, st.text(ascii_lowercase + digits + "_", min_size=1, max_size=42)))
def test_a_package_that_is_accepted_can_be_imported(name: str) -> None:
    if accepted(check_package, name, TAKEN["package"]):
        compile(f"import {name}\nfrom {name}.layers import x\n{name} = 1", "x.py", "exec")
        assert name.isidentifier()
        assert name not in sys.stdlib_module_names
        assert tomllib.loads(f'[project.scripts]\n{name} = "{name}.cli:main"')


@given(st.text(max_size=210))
def test_an_accepted_text_is_unchanged_wherever_it_is_written(text: str) -> None:
    checks = [(check_seen, "author"), (check_plain, "author"), (check_text, "author")]
    if all(accepted(check, key, text) for check, key in checks):
        assert tomllib.loads(f'author = "{text}"') == {"author": text}
        namespace: dict[str, object] = {}
        exec(compile(f'x = """{text}"""', "x.py", "exec"), namespace)
        assert namespace["x"] == text
        assert Environment().from_string(text).render() == text
