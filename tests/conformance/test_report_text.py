from __future__ import annotations

from dataclasses import replace

import click
import pytest

from conformance.few_checks import BROKEN, CLEAN, HERE, MISSING, at, few_checks, outcome
from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.report.text import Look, described, group_text, summary
from scaffold.conformance.report.view import opening

__all__ = ["few_checks"]
pytestmark = pytest.mark.usefixtures("few_checks")
LOOK = Look(HERE, 60)
GROUP = """\
my_layers:MyConv on tensorflow
     with  filters=4 input=2,8,8,3
     note  `filters=4` was chosen by its name; no input was
           given: `2,6,8` fail, `2,8,8,3` works.

   failed  config-complete: Every argument is in the config.
           my_layers.py:31
           expected  `strides` in the config
           got       only filters, name
           why       A saved model is its config and its
                     weights. What is left out comes back as
                     its default.
           fix       Write each argument into the dict that
                     `get_config` returns.

 expected  items-independent fails: tagged `mixes-batch`
  not run  config-round-trip: needs config-complete
  not run  1 check: not applicable (--verbose shows why)
   passed  1 check
"""
VERBOSE = """\
 expected  items-independent fails: tagged `mixes-batch`
  not run  config-round-trip: needs config-complete
  not run  model-summary: applies to models only
   passed  constructs (0.25 s)
"""
NOTE = "`filters=4` was chosen by its name; no input was given: `2,6,8` fail, `2,8,8,3` works"


def plain(*outcomes: object, **settings: object) -> str:
    return click.unstyle(group_text(outcomes, **{"look": LOOK, **settings}))  # type: ignore[arg-type]


def test_one_class() -> None:
    assert plain(*BROKEN, notes=[NOTE]) == GROUP


def test_verbose() -> None:
    text = plain(*BROKEN, notes=[NOTE], look=replace(LOOK, verbose=True))
    head, _, _ = GROUP.partition(" expected  items")
    assert text == head + VERBOSE


def test_nothing_found() -> None:
    assert plain(*CLEAN) == (
        "my_layers:Double on tensorflow\n     with  input=2,6\n   passed  2 checks\n"
    )


def test_colors() -> None:
    text = group_text(BROKEN, look=replace(LOOK, style=click.style))
    lines = {click.unstyle(line): line for line in text.splitlines()}
    label = click.style("   failed", fg="red")
    name = click.style("config-complete", bold=True)
    assert f"{label}  {name}: Every argument is in the config." in text
    assert lines["   passed  1 check"] == click.style("   passed", fg="green") + "  1 check"
    assert click.style("my_layers.py:31", underline=True) in text


def test_what_another_backend_found_is_not_repeated() -> None:
    on_jax = [replace(o, backend="jax") for o in BROKEN]
    assert plain(*on_jax, earlier=BROKEN) == (
        "my_layers:MyConv on jax\n"
        "     with  filters=4 input=2,8,8,3\n"
        "   failed  config-complete: same as on tensorflow\n"
        " expected  items-independent fails: tagged `mixes-batch`\n"
        "  not run  config-round-trip: needs config-complete\n"
        "  not run  1 check: not applicable (--verbose shows why)\n"
        "   passed  1 check\n"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"findings": (replace(MISSING, got="nothing"),)},
        {"case": "filters=5"},
        {"subject": "my_layers:YourConv"},
    ],
)
def test_what_differs_is_shown(other: dict[str, object]) -> None:
    on_jax = replace(BROKEN[1], backend="jax", **other)  # type: ignore[arg-type]
    assert "same as" not in plain(on_jax, earlier=BROKEN)


def test_places() -> None:
    findings = [
        MISSING,
        replace(MISSING, expected="`padding` in the config"),
        replace(MISSING, where=Where("/elsewhere/base.py", 7)),
        replace(MISSING, where=None),
    ]
    text = plain(outcome("config-complete", "failed", *findings))
    assert text.splitlines()[4:13] == [
        "           my_layers.py:31",
        "           expected  `strides` in the config",
        "           got       only filters, name",
        "           expected  `padding` in the config",
        "           got       only filters, name",
        "           /elsewhere/base.py:7",
        "           expected  `strides` in the config",
        "           got       only filters, name",
        "           expected  `strides` in the config",
    ]


def test_many_findings() -> None:
    findings = [Finding(f"`a{i}` in the config", "none", at(31)) for i in range(8)]
    shown = plain(outcome("config-complete", "failed", *findings)).splitlines()
    assert [line for line in shown if "in the config" in line][1:] == [
        f"           expected  `a{i}` in the config" for i in range(5)
    ]
    assert "                     and 3 more (--verbose shows all)" in shown
    verbose = plain(
        outcome("config-complete", "failed", *findings), look=replace(LOOK, verbose=True)
    )
    assert "`a7` in the config" in verbose
    assert "more" not in verbose


def test_many_that_were_not_run() -> None:
    blocked = [
        outcome(
            f"check-{i}", "blocked", reason="needs constructs" if i else "needs config-complete"
        )
        for i in range(7)
    ]
    none = [outcome(f"none-{i}", "not_applicable", reason="no weights") for i in range(3)]
    other = outcome("none", "not_applicable", reason="no masks")
    assert plain(outcome("constructs"), *blocked, other, *none).splitlines()[2:] == [
        "  not run  6 checks: needs constructs",
        "  not run  check-0: needs config-complete",
        "  not run  4 checks: not applicable (--verbose shows why)",
        "   passed  1 check",
    ]


def test_what_was_not_run_names_what_failed() -> None:
    blocked = [
        outcome("first", "blocked", reason="needs constructs"),
        outcome("second", "blocked", reason="needs first"),
        outcome("third", "blocked", reason="needs second"),
        outcome("other", "blocked", reason="needs config-complete"),
    ]
    assert plain(*blocked).splitlines()[2:] == [
        "  not run  first, second, third: needs constructs",
        "  not run  other: needs config-complete",
    ]
    verbose = plain(*blocked, look=replace(LOOK, verbose=True)).splitlines()
    assert verbose[4] == "  not run  third: needs second"


def test_a_failure_with_a_reason_says_that_and_not_the_page() -> None:
    pointless = Finding("a failure, as declared (slow)", "none")
    text = plain(outcome("config-complete", "failed", pointless, reason="remove the declaration"))
    assert text.splitlines()[2:] == [
        "",
        "   failed  config-complete: Every argument is in the config.",
        "           expected  a failure, as declared (slow)",
        "           got       none",
        "           fix       Remove the declaration.",
        "",
    ]


@pytest.mark.parametrize("width", [*range(50, 101, 7), 80, 100])
def test_no_line_is_longer_than_the_width(width: int) -> None:
    text = plain(*BROKEN, notes=[NOTE], look=Look(HERE, width))
    assert max(map(len, text.splitlines())) <= width
    assert " ".join(text.split()) == " ".join(GROUP.split())


def test_what_cannot_be_seen_is_not_printed() -> None:
    odd = Finding("a\x1b[31m\nb", "c\u202ed", at(1, f"{HERE}/x\x1b\n.py"))
    text = plain(outcome("config-complete", "failed", odd, case="x\x1b"), notes=["n\x07"])
    assert text.splitlines()[:8] == [
        "my_layers:MyConv on tensorflow",
        "     with  x�",
        "     note  N�.",
        "",
        "   failed  config-complete: Every argument is in the config.",
        "           x��.py:1",
        "           expected  a�[31m b",
        "           got       c�d",
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (CLEAN, "No findings: 1 class, 2 checks on tensorflow."),
        (
            [*BROKEN, *CLEAN],
            "1 finding: 2 classes, 5 checks on tensorflow.\n"
            "Learn more: scaffold check --explain config-complete",
        ),
        (
            [replace(o, backend=b) for b in ("tensorflow", "jax", "torch") for o in BROKEN[:2]],
            "3 findings: 1 class, 6 checks on tensorflow, jax and torch.\n"
            "Learn more: scaffold check --explain config-complete",
        ),
        (
            [replace(BROKEN[1], findings=(MISSING,) * 2, subject="my_layers", case="")],
            "2 findings: 0 classes, 1 check on tensorflow.\n"
            "Learn more: scaffold check --explain config-complete",
        ),
    ],
)
def test_summary(outcomes: list[object], expected: str) -> None:
    assert click.unstyle(summary(outcomes)) == expected  # type: ignore[arg-type]


def test_described() -> None:
    assert described(BROKEN[1]) == (
        "my_layers:MyConv on tensorflow\n"
        "     with  filters=4 input=2,8,8,3\n"
        "\n"
        "   failed  config-complete: Every argument is in the config.\n"
        f"           {HERE}/my_layers.py:31\n"
        "           expected  `strides` in the config\n"
        "           got       only filters, name\n"
        "           why       A saved model is its config and its weights. What is left out comes "
        "back as its\n"
        "                     default.\n"
        "           fix       Write each argument into the dict that `get_config` returns."
    )
    assert described(BROKEN[2]) == (
        "my_layers:MyConv on tensorflow: config-round-trip: blocked needs config-complete"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two. Three.", "One. Two."),
        ("Is it? `a` is.", "Is it? `a` is."),
        ("In 3.15 it is, e.g. so. Two goes on", "In 3.15 it is, e.g. so. Two goes on"),
        ("Only one.\n\nAnother paragraph.", "Only one."),
        ("No end", "No end"),
        ("", ""),
    ],
)
def test_opening(text: str, expected: str) -> None:
    assert opening(text) == expected
