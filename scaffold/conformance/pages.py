"""The pages of the checks as Markdown; `python -m scaffold.conformance.pages` writes them."""

from __future__ import annotations

from pathlib import Path

from scaffold.conformance.registry import Check, checks
from scaffold.conformance.report.view import sentence

DOCS = Path(__file__).parent.parent.parent / "docs"
_INDEX = """\
# The checks

`scaffold check` runs each of these on a layer or model, in this order.
A check that builds on another says nothing where that one fails.
A tag declares that a layer is meant to fail a check: `scaffold check --tag TAG`.

| Check | Family | What it holds | Tag |
| --- | --- | --- | --- |
"""


def pages() -> dict[Path, str]:
    """Each page's text, by its path below `docs`."""
    found = {Path("checks.md"): _INDEX + "".join(map(_row, checks()))}
    return found | {Path("checks", f"{check.id}.md"): page(check) for check in checks()}


def page(check: Check) -> str:
    """The page of one check."""
    return f"# {check.id}\n\n{check.title}\n\n{body(check)}\n"


def body(check: Check) -> str:
    """What a page says below its title: why, the mend, an example, how to run it."""
    example = f"```diff\n{check.example.rstrip()}\n```"
    run = f"```sh\nscaffold check my_layers.py:MyLayer --only {check.id}\n```"
    parts = [check.why, f"**Mend:** {sentence(check.mend)}", "## Example", example,
             "## This check alone", run, *_remarks(check)]  # fmt: skip
    return "\n\n".join(parts)


def write(docs: Path) -> None:
    """Write all pages below `docs`, and remove those of checks that are no more."""
    (docs / "checks").mkdir(exist_ok=True)
    for old in (docs / "checks").glob("*.md"):
        old.unlink()
    for path, text in pages().items():
        (docs / path).write_text(text, encoding="utf-8")


def _row(check: Check) -> str:
    tag = f"`{check.tag}`" if check.tag else ""
    title = check.title.replace("|", "\\|")
    return f"| [{check.id}](checks/{check.id}.md) | {family(check)} | {title} | {tag} |\n"


def family(check: Check) -> str:
    """The family in words."""
    return check.family.replace("_", " ")


def _remarks(check: Check) -> list[str]:
    found = []
    if check.target != "any":
        found.append(f"It is for {check.target}s only.")
    if check.needs:
        needs = ", ".join(f"`{need}`" for need in check.needs)
        found.append(f"It runs where {needs} {'has' if len(check.needs) == 1 else 'have'} passed.")
    if check.tag:
        found.append(
            f"The tag `{check.tag}` declares that a layer is meant to fail it: `--tag {check.tag}`."
        )
    return found


if __name__ == "__main__":
    write(DOCS)
