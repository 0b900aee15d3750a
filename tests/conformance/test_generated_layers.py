"""What the templates generate keeps the contract, on Torch.

With `--every-backend`, on all three, compared; `make examples` checks them on each, too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.table import CHECKS
from goldens import KINDS, SHARDS
from scaffold.conformance import Outcome, checks
from scaffold.conformance.backends import BACKENDS
from scaffold.conformance.finding import failed
from scaffold.conformance.process.session import Request, run_session

# Where `scaffold check` finds the cases of a generated class.
CASES = ("scaffold/generation", "templates/layer/*/template.toml", "templates/_manifests")


def checked(templates: list[str]) -> list[Path]:
    return [folder for template in templates for folder in KINDS[template]]


@pytest.mark.proof(*CHECKS, *CASES, checked)
@pytest.mark.parametrize("templates", SHARDS, ids=", ".join)
def test_nothing_is_found(templates: list[str], pytestconfig: pytest.Config) -> None:
    backends = BACKENDS if pytestconfig.getoption("--every-backend") else ("torch",)
    folders = [*map(str, checked(templates))]
    ids = tuple(check.id for check in checks())
    request = Request(tuple(folders), backends, ids)
    outcomes = [event for event in run_session(request) if isinstance(event, Outcome)]
    assert failed(outcomes) == []
    for backend in backends:
        classes = {outcome.subject for outcome in outcomes if outcome.backend == backend}
        assert len(classes) >= len(folders)
    # Only what a manifest's case declares by a tag is expected.
    statuses = {outcome.status for outcome in outcomes} - {"expected"}
    assert statuses == {"passed", "not_applicable"}
