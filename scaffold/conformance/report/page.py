"""The page of a check as Markdown."""

from __future__ import annotations

from scaffold.conformance.registry import Check
from scaffold.conformance.report.view import sentence


def page(check: Check) -> str:
    """Return the page of one check."""
    return f"# {check.id}\n\n{check.title}\n\n{body(check)}\n"


def body(check: Check) -> str:
    """Return a page below its title: why, the fix, an example, how to run it."""
    example = f"```diff\n{check.example.rstrip()}\n```"
    run = f"```sh\nscaffold check my_layers.py:MyLayer --only {check.id}\n```"
    parts = [check.why, f"**Fix:** {sentence(check.fix)}", "## Example", example,
             "## Run only this check", run, *_remarks(check)]  # fmt: skip
    return "\n\n".join(parts)


def family(check: Check) -> str:
    """Return the family in words."""
    return check.family.replace("_", " ")


def _remarks(check: Check) -> list[str]:
    found = []
    if check.target != "any":
        found.append(f"It applies to {check.target}s only.")
    if check.needs:
        needs = ", ".join(f"`{need}`" for need in check.needs)
        found.append(f"It runs only if {needs} {'passes' if len(check.needs) == 1 else 'pass'}.")
    if check.tag:
        found.append(
            f"The tag `{check.tag}` declares that a layer is meant to fail it: `--tag {check.tag}`."
        )
    return found
