"""What the commands that write files by a plan share: options, the plan, its views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from scaffold.changes import Change, ChangeSet

if TYPE_CHECKING:
    from scaffold.workspace import Workspace

OPTIONS = (
    click.option("--dry-run", is_flag=True, help="Show what would be written, without writing it."),
    click.option(
        "--diff",
        "show_diff",
        is_flag=True,
        help="Show the changes as a diff, without writing them.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option(
        "--on-conflict",
        type=click.Choice(["fail", "skip", "overwrite", "new"]),
        default="fail",
        show_default=True,
        help="If a file differs: stop, keep it, replace it, or write a .new file.",
    ),
)
_WORDS = {"keep": "unchanged"}
_COLORS = {"create": "green", "replace": "yellow", "edit": "yellow", "skipped": "yellow"}
# The action, the path as shown, and the size.
Row = tuple[str, str, str]


def with_options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Add these options to a command, in order."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def done(plan: ChangeSet) -> list[tuple[str, Change]]:
    """Return each change with the word for its action."""
    rows = [(_WORDS.get(change.action, change.action), change) for change in plan.changes]
    return rows + [("skipped", change) for change in plan.skipped]


def row(workspace: Workspace, word: str, change: Change) -> Row:
    """Return what is shown for one file."""
    lines = change.after.count(b"\n")
    what = "differs" if word == "skipped" else f"{lines:>4} lines"
    return word, workspace.as_typed(change.path), what


def show_rows(rows: Sequence[Row]) -> None:
    """Print a line for each row."""
    width = max(len(path) for _, path, _ in rows)
    for word, path, what in rows:
        action = click.style(f"{word:>9}", fg=_COLORS.get(word))
        click.echo(f"{action}  {path:<{width}}  {what}")


def facts(workspace: Workspace, plan: ChangeSet, *, with_content: bool) -> dict[str, Any]:
    """Return what a JSON answer says about a plan."""

    def described(change: Change) -> dict[str, str]:
        known = {"path": workspace.as_typed(change.path), "action": change.action}
        return known | ({"content": change.after.decode("utf-8")} if with_content else {})

    return {
        "changes": [described(change) for change in plan.changes],
        "skipped": [workspace.as_typed(change.path) for change in plan.skipped],
    }
