"""The tables of docs/models.md, written from the manifests: `make goldens` regenerates them."""

from __future__ import annotations

import re
from pathlib import Path

from scaffold.generation.catalog import Catalog
from scaffold.generation.template import Template

PAGE = Path(__file__).parents[2] / "docs/models.md"
_TABLE = re.compile(r"(?<=<!-- table -->\n\n).*?(?=\n\n<!-- end -->)", re.S)
_HEADING = (
    "| Template | What it is | Styles | Heads | Other options |\n| --- | --- | --- | --- | --- |",
    "| Template | Learns from | Metric | Bound |\n| --- | --- | --- | --: |",
)


def written(page: str) -> str:
    """Return the page with its two tables updated from the manifests."""
    templates = Catalog.builtin().templates("model")
    tables = iter(
        (
            "\n".join([_HEADING[0], *map(_row, templates)]),
            "\n".join([_HEADING[1], *(row for one in templates for row in _tasks(one))]),
        )
    )
    return _TABLE.sub(lambda _: next(tables), page)


def _row(template: Template) -> str:
    values = {option.name: ", ".join(map(str, option.values)) for option in template.options}
    others = (f"`{name}`: {text}" for name, text in values.items() if name not in ("style", "head"))
    cells = [
        f"`{template.name}`",
        template.summary,
        values.get("style", "subclass"),
        values.get("head", ""),
        "; ".join(others),
    ]
    return f"| {' | '.join(cells)} |"


def _tasks(template: Template) -> list[str]:
    return [
        f"| `{template.name}` {_when(task.when)} | `{task.data}` | {task.metric} "
        f"| {'under' if task.lower else 'over'} {task.bound:g} |"
        for task in template.training
    ]


def _when(when: object) -> str:
    assert isinstance(when, dict)
    return "; ".join(f"{name}={' or '.join(map(str, values))}" for name, values in when.items())


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
