"""The Python code names no template, head or style: they are data. Lines of templates are short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.flags import flags
from scaffold.generation.template import Template

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "scaffold"
FOLDERS = ("generation", "cli")
# Words of templates that the code uses for something else.
OTHERWISE = {
    "activation": "the type of an attribute",
    "add": "how branches are merged, in a spec file",
    "all": "every backend, in `--backend all`",
    "average": "how branches are merged, in a spec file",
    "concatenate": "how branches are merged, in a spec file",
    "layer": "a target, the type of an attribute, and a key of spec files",
    "merge": "a key of spec files",
    "residual": "a key of spec files",
    "tokens": "a fact about a layer, in a table of the composing template",
}


def templates() -> list[Template]:
    catalog = Catalog.builtin()
    return [template for target in TARGETS for template in catalog.templates(target)]


def words() -> set[str]:
    """Return the names of all templates, the options with a flag, and the values of all options."""
    values = {v for t in templates() for option in t.options for v in option.values}
    flagged = {name for target in ("model",) for name in flags(target)}
    return {t.name for t in templates()} | flagged | {v for v in values if isinstance(v, str)}


def literals() -> Iterator[tuple[str, str]]:
    """Yield the strings in the code, each with its place."""
    for folder in FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def test_python_code_names_no_template_head_or_style() -> None:
    named = words() - OTHERWISE.keys()
    assert {"dense", "style", "sequential", "head", "classification"} <= named
    assert [(place, word) for place, word in literals() if word in named] == []


def test_every_exception_is_needed() -> None:
    assert {word for _, word in literals()} & words() == OTHERWISE.keys()


def test_flags_tell_the_values_of_their_options() -> None:
    options = [option for t in templates() if t.target == "model" for option in t.options]
    for name, text in flags("model").items():
        values = {value for option in options if option.name == name for value in option.values}
        assert set(text.partition(": ")[2].replace(" or ", ", ").split(", ")) == values


def test_no_line_of_a_template_is_over_120_columns() -> None:
    long = []
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(ROOT).as_posix()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                # The project template is the files of a user, where tags take no place.
                in_project = name.startswith("templates/project/")
                shown = re.sub(r"\{([{%]).*?[%}]\}", "", line) if in_project else line
                long += [f"{name}:{number}"] * (len(shown) > 120)
    assert long == []
