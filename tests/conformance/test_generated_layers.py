"""What the templates give keeps the contract, on each backend and between them."""

from __future__ import annotations

import pytest

from goldens import FOLDERS
from scaffold.conformance import Outcome, checks
from scaffold.conformance.backends import BACKENDS
from scaffold.conformance.finding import failed
from scaffold.conformance.process.session import Request, run_session


@pytest.mark.parametrize("template", FOLDERS)
def test_nothing_is_found(template: str) -> None:
    ids = tuple(check.id for check in checks())
    request = Request(tuple(map(str, FOLDERS[template])), BACKENDS, ids)
    outcomes = [event for event in run_session(request) if isinstance(event, Outcome)]
    assert failed(outcomes) == []
    for backend in BACKENDS:
        classes = {outcome.subject for outcome in outcomes if outcome.backend == backend}
        assert len(classes) >= len(FOLDERS[template])
    assert {outcome.status for outcome in outcomes} == {"passed", "not_applicable"}
