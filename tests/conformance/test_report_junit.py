from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conformance.few_checks import BROKEN, CLEAN, HERE, MISSING, few_checks, outcome
from scaffold.conformance.finding import Finding, Outcome
from scaffold.conformance.report.junit import junit

__all__ = ["few_checks"]
pytestmark = pytest.mark.usefixtures("few_checks")
XML = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites name="scaffold check">
  <testsuite name="my_layers:MyConv filters=4 input=2,8,8,3 tensorflow" errors="0" failures="1" \
skipped="3" tests="5" time="1.250">
    <testcase classname="my_layers.MyConv" name="constructs[filters=4 input=2,8,8,3 tensorflow]" \
time="0.250" />
    <testcase classname="my_layers.MyConv" \
name="config-complete[filters=4 input=2,8,8,3 tensorflow]" time="0.250">
      <failure message="expected `strides` in the config, got only filters, name">\
Every argument is in the config.
my_layers.py:31: expected `strides` in the config, got only filters, name
A saved model is its config and its weights. What is left out comes back as its default.

Nothing says so.
Write each argument into the dict that `get_config` returns.</failure>
    </testcase>
    <testcase classname="my_layers.MyConv" \
name="config-round-trip[filters=4 input=2,8,8,3 tensorflow]" time="0.250">
      <skipped type="scaffold.blocked" message="needs config-complete" />
    </testcase>
    <testcase classname="my_layers.MyConv" \
name="items-independent[filters=4 input=2,8,8,3 tensorflow]" time="0.250">
      <skipped type="scaffold.expected" message="tagged `mixes-batch`" />
    </testcase>
    <testcase classname="my_layers.MyConv" \
name="model-summary[filters=4 input=2,8,8,3 tensorflow]" time="0.250">
      <skipped type="scaffold.not_applicable" message="applies to models only" />
    </testcase>
  </testsuite>
  <testsuite name="my_layers:Double input=2,6 tensorflow" errors="0" failures="0" skipped="0" \
tests="2" time="0.500">
    <testcase classname="my_layers.Double" name="constructs[input=2,6 tensorflow]" time="0.250" />
    <testcase classname="my_layers.Double" name="config-complete[input=2,6 tensorflow]" \
time="0.250" />
  </testsuite>
</testsuites>
"""
PYTEST = """\
import pytest

def test_passes(): pass
def test_fails(): assert False
def test_is_skipped(): pytest.skip("a reason")
"""


def read(outcomes: Sequence[Outcome]) -> ElementTree.Element:
    return ElementTree.fromstring(junit(outcomes, HERE).encode("utf-8"))


def test_text() -> None:
    assert junit([*BROKEN, *CLEAN], HERE) == XML


def test_shape_is_that_of_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(PYTEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=x.xml"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    theirs = ElementTree.parse(tmp_path / "x.xml").getroot()
    ours = read(BROKEN)
    varying = {"timestamp", "hostname"}
    assert (ours.tag, [e.tag for e in ours]) == (theirs.tag, [e.tag for e in theirs])
    for path in ("testsuite", ".//testcase", ".//failure", ".//skipped"):
        mine, pytests = ours.find(path), theirs.find(path)
        assert mine is not None
        assert pytests is not None
        assert set(mine.attrib) == set(pytests.attrib) - varying


def test_names_are_unique() -> None:
    outcomes = [replace(o, backend=b) for b in ("tensorflow", "jax") for o in [*BROKEN, *CLEAN]]
    cases = read(outcomes).findall(".//testcase")
    names = {(case.get("classname"), case.get("name")) for case in cases}
    assert len(names) == len(cases) == 14


def test_several_findings_without_a_place() -> None:
    findings = [replace(MISSING, where=None), Finding('1 < 2 & "3"', "'4'", MISSING.where)]
    [failure] = read([outcome("constructs", "failed", *findings)]).findall(".//failure")
    assert failure.get("message") == (
        "expected `strides` in the config, got only filters, name; "
        "expected 1 < 2 & \"3\", got '4'"
    )
    assert failure.text is not None
    assert failure.text.splitlines()[1:3] == [
        "expected `strides` in the config, got only filters, name",
        "my_layers.py:31: expected 1 < 2 & \"3\", got '4'",
    ]


def test_what_xml_cannot_hold() -> None:
    odd = Finding("a\x1b[31m\x00\nb", "\ufffe", MISSING.where)
    [failure] = read([outcome("constructs", "failed", odd, case="\x07")]).findall(".//failure")
    assert failure.get("message") == "expected a�[31m� b, got �"


def test_no_case() -> None:
    found = outcome("constructs", subject="my_layers", case="")
    suite = read([found])[0]
    assert suite.get("name") == "my_layers tensorflow"
    assert (suite[0].get("classname"), suite[0].get("name")) == (
        "my_layers",
        "constructs[tensorflow]",
    )
