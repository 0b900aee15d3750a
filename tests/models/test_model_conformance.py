"""Generated models keep Keras's contract, on each backend and between them."""

from __future__ import annotations

import pytest

from models.proof import GOLDENS, first_goldens, proofs
from scaffold.conformance import Outcome, checks
from scaffold.conformance.backends import BACKENDS
from scaffold.conformance.finding import failed
from scaffold.conformance.process.session import Request, run_session

SHARDS = [first_goldens()[start::4] for start in range(min(4, len(proofs())))]


@pytest.mark.parametrize("goldens", SHARDS, ids=", ".join)
def test_nothing_is_found(goldens: list[str]) -> None:
    folders = tuple(str(GOLDENS / name) for name in goldens)
    request = Request(folders, BACKENDS, tuple(check.id for check in checks()))
    outcomes = [event for event in run_session(request) if isinstance(event, Outcome)]
    assert failed(outcomes) == []
    for backend in BACKENDS:
        classes = {outcome.subject for outcome in outcomes if outcome.backend == backend}
        assert len(classes) >= len(folders)
    # What a manifest's case declares by a tag is expected, and nothing else.
    statuses = {outcome.status for outcome in outcomes} - {"expected"}
    assert statuses == {"passed", "not_applicable"}
