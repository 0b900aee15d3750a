"""Random values of attributes: a clear error, or a class that can be created."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Warm
from drawn_requests import CATALOG, draw, draw_several, templates
from generated_tests import assert_passes
from scaffold.conformance.backends import BACKENDS
from scaffold.errors import UsageError
from scaffold.generation.render import Style, render
from scaffold.generation.resolving import resolve
from scaffold.generation.rules import KINDS
from scaffold.generation.spec import Resolved
from scaffold.generation.template import Template

EVERY = templates()


def named(template: Template) -> str:
    return f"{template.target}-{template.name}"


@settings(max_examples=60)
@pytest.mark.parametrize("template", EVERY, ids=named)
@given(rng=st.randoms(use_true_random=False))
def test_a_refusal_names_what_is_wrong_and_how_to_fix_it(
    template: Template, rng: random.Random
) -> None:
    request = draw(rng, template, "Thing")
    try:
        resolved = resolve(CATALOG, request, "pkg")
    except UsageError as error:
        refusal = error
    else:
        defaults = {a.attribute.name: a.attribute.default for a in resolved.arguments}
        for rule in template.rules_for(resolved.spec.options):
            rule.check(defaults)
        return
    assert refusal.exit_code == 2
    assert "\n" not in refusal.message + refusal.fix
    broken = [rule for rule in template.rules if f"`{rule.names[0]}" in refusal.message]
    assert broken
    assert refusal.fix


def test_each_kind_of_rule_is_broken_by_some_request() -> None:
    """Otherwise all of the above might be accepted."""
    rules = [rule for template in EVERY for rule in template.rules]
    assert {rule.kind for rule in rules} == {*KINDS}
    refused = set()
    for template in EVERY:
        for request in draw_several(0, template, 60 if template.rules else 0):
            try:
                resolve(CATALOG, request, "pkg")
            except UsageError:
                refused.add(template.name)
    assert refused == {template.name for template in EVERY if template.rules}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-backend")
        metafunc.parametrize("backend", BACKENDS if every else ["torch"])


def test_what_is_accepted_can_be_made(
    backend: str,
    warm: Warm,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Create each class with its defaults, and with all of its arguments changed."""
    monkeypatch.setattr("scaffold.generation.render.format_source", lambda source, **_: source)
    number = 8 if pytestconfig.getoption("--every-backend") else 2
    classes = [one for template in EVERY for one in islice(accepted(template), number)]
    for one in classes:
        spec = one.spec
        sources = render(CATALOG, one, Style(), spec.module, [spec.target, "test"])
        (tmp_path / f"{spec.module}.py").write_text(sources[spec.target])
        (tmp_path / f"test_{spec.module}.py").write_text(sources["test"])
    report, chosen = tmp_path / "report.xml", "test_defaults or test_every_argument"
    tested = assert_passes(backend, [tmp_path], report, "-k", chosen, python=warm(backend))
    assert tested.tests >= 2 * len(classes)


def accepted(template: Template) -> Iterator[Resolved]:
    """Yield resolved specs of a template whose class has arguments."""
    for request in draw_several(1, template, 40 if template.attributes else 0):
        with contextlib.suppress(UsageError):
            yield resolve(CATALOG, request, "pkg")
