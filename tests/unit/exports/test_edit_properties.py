"""What an edit leaves unchanged, whatever an `__init__.py` contains."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import black
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.package_init import with_export, with_exports

MODULE, NAME = "lib.layers.my_conv", "MyConv"
NAMES = ["A", "ALPHA", "Conv2", "Conv10", "MyConv2", "MyDense", "My_Conv", "Z", "helper", "x2"]
MODULES = ["a", "base", "my", "my_conv", "my_conv2", "my_conv10", "my_conv_2", "z"]
COMMENTS = ["", "", "", "  # it", "  # noqa: F401"]


@st.composite
def imports(draw: st.DrawFn, names: Sequence[str]) -> str:
    """Draw lines that import these names in one style, or in several."""
    lines = []
    prefixes = draw(st.sampled_from([["."], ["lib.layers."], ["lib."], [".", "..", "lib.layers."]]))
    doubled = draw(st.sampled_from([[""], [" as {}"], ["", " as {}", " as {}_"]]))
    for name in names:
        where = draw(st.sampled_from(prefixes)) + draw(st.sampled_from(MODULES))
        rest = name + draw(st.sampled_from(doubled)).format(name)
        above = draw(st.sampled_from(["", "", "", "# About it.\n", "\n# About it.\n"]))
        if draw(st.booleans()):
            rest = draw(st.sampled_from(["({},)", "(\n    {},\n)", "({})"])).format(rest)
        lines.append(f"{above}from {where} import {rest}{draw(st.sampled_from(COMMENTS))}\n")
    return "".join(lines)


@st.composite
def listed(draw: st.DrawFn, names: Sequence[str]) -> str:
    """Draw an `__all__` of these names."""
    opening, closing = draw(st.sampled_from([("[", "]"), ("(", ")")]))
    quote = draw(st.sampled_from("'\""))
    texts = [f"{quote}{name}{quote}" for name in names]
    if draw(st.booleans()) or not texts:
        comma = "," if len(texts) == 1 or draw(st.booleans()) else ""
        return f"__all__ = {opening}{', '.join(texts)}{comma if texts else ''}{closing}\n"
    lines = [
        draw(st.sampled_from(["", "", "    # About it.\n"]))
        + f"    {text},{draw(st.sampled_from(COMMENTS))}\n"
        for text in texts
    ]
    return f"__all__ = {opening}\n{''.join(lines)}{closing}\n"


@st.composite
def sources(draw: st.DrawFn) -> str:
    """Draw an `__init__.py` that can be edited."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    parts = [
        draw(st.sampled_from(["", "# Copyright\n", "# Copyright\n\n"])),
        draw(st.sampled_from(["", '"""Layers."""\n', '"""Layers."""\n\n'])),
        draw(st.sampled_from(["", "", "from __future__ import annotations\n"])),
        draw(st.sampled_from(["", "", "import os\n\nimport keras\n\n"])),
        draw(imports(names)),
        draw(st.sampled_from(["", "\n", "\n\n"])),
        draw(listed(names)) if draw(st.sampled_from([True, True, False])) else "",
        draw(st.sampled_from(["", "", "# The end.\n", "\n\ndef f():\n    return 1\n"])),
    ]
    source = "".join(parts)
    if draw(st.booleans()):
        source = black.format_str(source, mode=black.Mode())
    return source


def statements(source: str) -> list[str]:
    """Return the syntax of all statements, with imports and `__all__` split by name."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            found += [ast.dump(ast.ImportFrom(node.module, [n], node.level)) for n in node.names]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.Tuple):
            found += ["__all__", type(node.value).__name__, *map(ast.dump, node.value.elts)]
        else:
            found.append(ast.dump(node))
    return found


def comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def is_within(some: Sequence[str], more: Sequence[str]) -> bool:
    rest = iter(more)
    return all(one in rest for one in some)


@settings(max_examples=60)
@given(sources())
def test_everything_else_is_unchanged(source: str) -> None:
    after = with_export(source, MODULE, NAME)
    assert with_export(after, MODULE, NAME) == after
    added = Counter(statements(after)) - Counter(statements(source))
    assert is_within(statements(source), statements(after))
    assert [one for one in added if "ImportFrom" in one and f"name='{NAME}'" in one] != []
    assert set(added) - {"__all__", "List"} == {one for one in added if f"'{NAME}'" in one}
    assert is_within(comments(source), comments(after))
    assert set(comments(after)) <= {*comments(source), "# noqa: F401"}
    lines = after.splitlines()
    assert is_within([line for line in source.splitlines() if line.startswith("    #")], lines)


@settings(max_examples=40)
@given(sources())
def test_bytes(source: str) -> None:
    def exported(text: str) -> str:
        return with_exports(text.encode(), [(MODULE, NAME)], {}, "__init__.py").decode()

    after = exported(source)
    assert exported(after) == after
    if black.format_str(source, mode=black.Mode()) == source:
        assert black.format_str(after, mode=black.Mode()) == after
    else:
        assert after == with_export(source, MODULE, NAME)
    windows = exported(source.replace("\n", "\r\n"))
    assert windows.replace("\r\n", "\n") == after


def ruff(folder: Path, *words: str) -> list[tuple[str, str]]:
    """Return the findings of ruff in a folder: the file and the rule."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet"]
    select = ["--select", "I,F,RUF022", "--ignore", "F403,F405", "--output-format", "json"]
    done = subprocess.run(
        [*command, *select, *words, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    root = folder.resolve()
    found = json.loads(done.stdout)
    return [
        (Path(one["filename"]).resolve().relative_to(root).parts[0], one["code"]) for one in found
    ]


def test_a_file_that_passes_ruff_still_passes(tmp_path: Path) -> None:
    drawn: list[str] = []

    @settings(max_examples=100)
    @given(sources())
    def draw(source: str) -> None:
        drawn.append(source)

    draw()
    files = []
    for number, source in enumerate(dict.fromkeys(drawn)):
        file = tmp_path / str(number) / "lib/layers/__init__.py"
        file.parent.mkdir(parents=True)
        file.write_text(black.format_str(source, mode=black.Mode()), "utf-8")
        (tmp_path / str(number) / "lib/__init__.py").touch()
        (tmp_path / str(number) / "pyproject.toml").write_text("[project]\nname = 'lib'\n")
        files.append(file)
    ruff(tmp_path, "--fix", "--unsafe-fixes")
    unclean = {number for number, _ in ruff(tmp_path)}
    clean = [
        file
        for file in files
        if file.parents[2].name not in unclean
        # isort sorts imports from one module by their first name, which an edit may change.
        and file.read_text("utf-8").count(".my_conv import") < 2
    ]
    assert len(clean) > len(files) / 4
    for file in clean:
        file.write_bytes(with_exports(file.read_bytes(), [(MODULE, NAME)], {}, "__init__.py"))
    found = [(tmp_path / n / "lib/layers/__init__.py", rule) for n, rule in ruff(tmp_path)]
    assert [(file.read_text(), rule) for file, rule in found if file in clean] == []
