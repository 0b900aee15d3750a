from __future__ import annotations

import json

import pytest

from conformance.few_checks import BROKEN, CHECKS, CLEAN, HERE, at, few_checks, outcome
from scaffold.conformance.finding import Finding
from scaffold.conformance.report.json import listed_data, page_data, run_data

__all__ = ["few_checks"]
pytestmark = pytest.mark.usefixtures("few_checks")


def test_run() -> None:
    data = run_data([*BROKEN, *CLEAN], ["my_layers:MyConv: a note"], ["tensorflow"], HERE)
    assert json.loads(json.dumps(data)) == data
    outcomes = data.pop("outcomes")
    assert data == {
        "clean": False,
        "backends": ["tensorflow"],
        "subjects": ["my_layers:MyConv", "my_layers:Double"],
        "notes": ["my_layers:MyConv: a note"],
    }
    assert [(o["subject"], o["check"], o["status"]) for o in outcomes] == [
        ("my_layers:MyConv", "constructs", "passed"),
        ("my_layers:MyConv", "config-complete", "failed"),
        ("my_layers:MyConv", "config-round-trip", "blocked"),
        ("my_layers:MyConv", "items-independent", "expected"),
        ("my_layers:MyConv", "model-summary", "not_applicable"),
        ("my_layers:Double", "constructs", "passed"),
        ("my_layers:Double", "config-complete", "passed"),
    ]
    assert outcomes[1] == {
        "subject": "my_layers:MyConv",
        "case": "filters=4 input=2,8,8,3",
        "backend": "tensorflow",
        "check": "config-complete",
        "title": "Every argument is in the config.",
        "status": "failed",
        "reason": "",
        "seconds": 0.25,
        "findings": [
            {
                "expected": "`strides` in the config",
                "got": "only filters, name",
                "path": "my_layers.py",
                "line": 31,
                "why": "A saved model is its config and its weights. What is left out comes back "
                "as its default.\n\nNothing says so.",
                "fix": "Write each argument into the dict that `get_config` returns.",
            }
        ],
    }
    assert outcomes[2]["reason"] == "needs config-complete"
    assert outcomes[2]["findings"] == []


def test_clean() -> None:
    assert run_data(CLEAN, [], ["jax"], HERE)["clean"] is True
    expected_only = [one for one in BROKEN if one.status != "failed"]
    assert run_data(expected_only, [], ["jax"], HERE)["clean"] is True


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"{HERE}/sub/a b.py", "sub/a b.py"),
        ("/elsewhere/a.py", "/elsewhere/a.py"),
        ("a.py", "a.py"),
    ],
)
def test_paths(path: str, shown: str) -> None:
    found = outcome("constructs", "failed", Finding("a", "b", at(3, path)))
    [finding] = run_data([found], [], ["jax"], HERE)["outcomes"][0]["findings"]
    assert (finding["path"], finding["line"]) == (shown, 3)


def test_no_place() -> None:
    found = outcome("constructs", "failed", Finding("a", "b"))
    [finding] = run_data([found], [], ["jax"], HERE)["outcomes"][0]["findings"]
    assert (finding["path"], finding["line"]) == (None, None)


def test_list_and_page() -> None:
    listed = listed_data(CHECKS)["checks"]
    assert [check["id"] for check in listed] == [check.id for check in CHECKS]
    assert listed[3] == {
        "id": "items-independent",
        "family": "training_state",
        "title": "No sample of a batch changes the output for another.",
        "target": "any",
        "tag": "mixes-batch",
        "needs": ["constructs"],
    }
    assert listed[0]["tag"] is None
    check = CHECKS[3]
    assert page_data(check) == listed[3] | {
        "why": check.why,
        "fix": check.fix,
        "example": check.example,
    }
