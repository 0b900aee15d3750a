"""`scaffold check --list` and `--explain`: descriptions of the checks, without importing Keras."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import click

from scaffold.cli.answer import print_answer
from scaffold.cli.failure import colored_diff
from scaffold.conformance.registry import Check
from scaffold.conformance.report.json import listed_data, page_data
from scaffold.conformance.report.page import family
from scaffold.conformance.report.view import sentence


def show_list(checks: Sequence[Check], width: int, *, as_json: bool) -> None:
    """Print the checks by family, each with its title."""
    if as_json:
        print_answer("check", result=listed_data(checks))
        return
    column = max(len(check.id) for check in checks) + 4
    for name, members in groupby(checks, key=family):
        click.echo(click.style(name, bold=True))
        for check in members:
            tag = f" (tag: {check.tag})" if check.tag else ""
            first, *rest = _wrapped(check.title + tag, width - column)
            click.echo(f"  {click.style(check.id.ljust(column - 4), fg='cyan')}  {first}")
            for line in rest:
                click.echo(" " * column + line)
    click.echo("\nMore: scaffold check --explain ID")


def show_page(check: Check, width: int, *, as_json: bool) -> None:
    """Print the page of one check, with its example as a diff."""
    if as_json:
        print_answer("check", result={"page": page_data(check)})
        return
    heading = "\n".join(_wrapped(f"{check.id} ({family(check)}): {check.title}", width))
    click.echo(click.style(check.id, bold=True) + heading.removeprefix(check.id))
    for paragraph in check.why.split("\n\n"):
        click.echo("\n" + "\n".join(_wrapped(paragraph, width)))
    click.echo("\n" + "\n".join(_wrapped(f"Fix: {sentence(check.fix)}", width)))
    click.echo(f"\n{colored_diff(check.example)}")
    if check.tag:
        click.echo(f"If intentional: scaffold check TARGET --tag {check.tag}")
    click.echo(f"This one only:  scaffold check TARGET --only {check.id}")


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
