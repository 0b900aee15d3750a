"""Writes the pages of the checks as Markdown: `python -m tools.check_pages`."""

from __future__ import annotations

from pathlib import Path

from scaffold.conformance.registry import Check, checks
from scaffold.conformance.report.page import family, page

DOCS = Path(__file__).parents[1] / "docs"
_INDEX = """\
# The checks

`scaffold check` runs each of these on a layer or model, in this order.
A check that builds on another is skipped if that one fails.
A tag declares that a layer is meant to fail a check: `scaffold check --tag TAG`.

| Check | Family | What it asserts | Tag |
| --- | --- | --- | --- |
"""


def pages() -> dict[Path, str]:
    """Return the text of each page, by its path in `docs`."""
    found = {Path("checks.md"): _INDEX + "".join(map(_row, checks()))}
    return found | {Path("checks", f"{check.id}.md"): page(check) for check in checks()}


def write(docs: Path) -> None:
    """Write all pages into `docs`, and remove those of removed checks."""
    (docs / "checks").mkdir(exist_ok=True)
    for old in (docs / "checks").glob("*.md"):
        old.unlink()
    for path, text in pages().items():
        (docs / path).write_text(text, encoding="utf-8")


def _row(check: Check) -> str:
    tag = f"`{check.tag}`" if check.tag else ""
    title = check.title.replace("|", "\\|")
    return f"| [{check.id}](checks/{check.id}.md) | {family(check)} | {title} | {tag} |\n"


if __name__ == "__main__":
    write(DOCS)
