"""The workflows, the action and the hook are valid; each job runs make once."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are in another package
import pytest
from ruamel.yaml import YAML

from scaffold.conformance.backends import BACKENDS
from tools.examples.listing import load_examples
from tools.examples.shard import Shard

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
CALL = re.compile(r"make ([a-z][a-z-]*)((?: [A-Z]+=[\w./-]+)*)")
TEXT, REGEX, FLAG = {"type": "string"}, {"type": "string", "format": "regex"}, {"type": "boolean"}
TEXTS = {"type": "array", "items": TEXT}
# check-jsonschema has no JSON schema for pre-commit hooks.
HOOKS_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "required": ["id", "name", "entry", "language"],
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(("id", "name", "description", "entry"), TEXT),
            **dict.fromkeys(("files", "exclude"), REGEX),
            **dict.fromkeys(("types", "types_or", "args", "stages"), TEXTS),
            **dict.fromkeys(("pass_filenames", "require_serial", "verbose"), FLAG),
            "language": {"const": "python"},
        },
    },
}


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield f"{path.stem}: {name}", job


def runs(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job.get("steps", ()) if "run" in step]


def calls(job: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each make target of a job, with its variables, for every cell of its matrix."""
    matrix = job.get("strategy", {}).get("matrix", {})
    for cell in itertools.product(*matrix.values()):
        values = {f"matrix.{key}": str(value) for key, value in zip(matrix, cell, strict=True)}
        for run in runs(job):
            text = run
            for expression in EXPRESSION.findall(run):
                text = EXPRESSION.sub(values.get(expression, "any"), text, count=1)
            call = CALL.fullmatch(text.strip())
            assert call, f"`{run}` is not a single call of make"
            yield call[1], dict(word.split("=") for word in shlex.split(call[2]))


def targets_of_make() -> set[str]:
    lines = re.findall(r"^([a-z][\w -]*):(?!=)", MAKEFILE, re.M)
    return {target for line in lines for target in line.split()}


def validated(schema: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


JOBS = dict(jobs())


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-actions", [ACTION]),
    ],
)
def test_files_keep_their_schema(schema: str, paths: list[Path]) -> None:
    assert paths
    done = validated(schema, *paths)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_finds_faults(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text("utf-8").replace("runs-on", "run-on"), "utf-8")
    assert validated("vendor.github-workflows", broken).returncode == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_only_read_permission_and_limited_concurrency(workflow: Path) -> None:
    data = read(workflow)
    assert data["permissions"] == {"contents": "read"}
    assert data["concurrency"]["group"]
    assert data["env"] == {"PYTHON": "python"}


def test_who_may_write() -> None:
    assert {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job} == {
        "keras: report": {"contents": "read", "issues": "write"},
        "release: publish": {"id-token": "write"},
        "tests: deploy": {"pages": "write", "id-token": "write"},
    }


@pytest.mark.parametrize("name", JOBS)
def test_a_job_runs_one_target_of_the_makefile(name: str) -> None:
    job = JOBS[name]
    none = ("release: publish", "tests: deploy", "tests: gpu")
    assert len(runs(job)) == (0 if name in none else 1)
    for target, variables in calls(job):
        assert target in targets_of_make()
        for variable in variables:
            assert f"$({variable})" in MAKEFILE


@pytest.mark.parametrize("name", JOBS)
def test_only_the_matrix_and_fixed_words_reach_the_shell(name: str) -> None:
    fixed = r"(matrix\.\w+|'[\w./-]+'|==|&&|\|\||\s)+"
    for expression in EXPRESSION.findall("\n".join(runs(JOBS[name]))):
        assert re.fullmatch(fixed, expression)


def test_actions_are_pinned_by_their_major_version() -> None:
    steps = [step for job in JOBS.values() for step in job.get("steps", ())]
    steps += read(ACTION)["runs"]["steps"]
    for uses in (step["uses"] for step in steps if "uses" in step):
        assert re.search(r"@(release/)?v\d+$", uses), uses


def test_the_shards_cover_every_example_once() -> None:
    names = [*load_examples(ROOT / "generated_examples")]
    shards: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, job in JOBS.items():
        for target, variables in calls(job):
            if shard := variables.pop("SHARD", None):
                shards[name, target, variables.get("BACKEND", "")].append(shard)
    examples = itertools.product(("tests: examples", "gpu: examples"), ["examples"], BACKENDS)
    assert {*shards} == {*examples, ("tests: matrix", "matrix", "")}
    for words in shards.values():
        dealt = [name for word in words for name in Shard.parse(word).of(names)]
        assert Counter(dealt) == Counter(names)
        assert {Shard.parse(word).count for word in words} == {len(words)}


@pytest.mark.parametrize("target", ["examples-oldest", "examples-newest"])
def test_both_ends_of_keras_have_every_backend(target: str) -> None:
    made = [v for job in JOBS.values() for name, v in calls(job) if name == target]
    assert made == [{"BACKEND": backend} for backend in BACKENDS]


@pytest.mark.parametrize("end", ["oldest", "newest"])
def test_both_ends_of_keras_have_the_classes_of_base_and_the_drop_ins(end: str) -> None:
    assert [*calls(JOBS[f"keras: layers-{end}"])] == [(f"layers-{end}", {})]
    assert JOBS[f"keras: layers-{end}"]["if"] == JOBS[f"keras: {end}"]["if"]
    made = subprocess.run(
        ["make", "--dry-run", f"layers-{end}", f"VENV=.venv-{end}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for file in ("test_base_layers", "layer/test_drop_in"):
        assert f"tests/templates/{file}.py" in made


def test_a_new_keras_that_breaks_is_reported() -> None:
    assert JOBS["keras: report"]["needs"] == ["newest", "layers-newest"]


def test_the_oldest_keras_is_the_documented_one() -> None:
    (oldest,) = re.findall("KERAS='keras==(.*)'", MAKEFILE)
    floors = re.findall('"keras>=(.*?)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert {f"{floor}.0" for floor in floors} == {oldest}


def test_the_hook_is_valid() -> None:
    checker = jsonschema.FormatChecker()
    jsonschema.validate(read(HOOKS), HOOKS_SCHEMA, format_checker=checker)


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("my_conv.py", True),
        ("src/layers/latest_conv.py", True),
        ("bin/scaffold", False),
        ("setup.py", False),
        ("tests/test_my_conv.py", False),
        ("src/my_conv_test.py", False),
        ("conftest.py", False),
    ],
)
def test_the_hook_matches_files_that_may_have_layers(path: str, taken: bool) -> None:
    (hook,) = read(HOOKS)
    found = re.search(hook["files"], path) and not re.search(hook["exclude"], path)
    assert bool(found) == taken


def test_no_input_of_the_action_is_read_by_a_shell() -> None:
    action = read(ACTION)
    steps = [step for step in action["runs"]["steps"] if "run" in step]
    assert not any("${{" in step["run"] for step in steps)
    told = {EXPRESSION.sub(r"\1", value) for step in steps for value in step["env"].values()}
    inputs = {f"inputs.{name}" for name in action["inputs"] if name != "python-version"}
    assert told == {*inputs, "github.action_path"}


def action_check(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the check step of the action, with these inputs and the others empty."""
    *_, step = read(ACTION)["runs"]["steps"]
    assert step["shell"] == "python"
    words = [sys.executable, "-c", step["run"]]
    environment = {**os.environ, **dict.fromkeys(step["env"], ""), **inputs}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_action_splits_targets_like_a_shell(tmp_path: Path) -> None:
    inputs = {"TARGETS": "'no such.py'\n$(touch it)", "BACKEND": "jax", "ARGUMENTS": "--timeout 60"}
    done = action_check(tmp_path, **inputs)
    assert done.returncode == 5
    assert "file `no such.py` not found" in done.stderr
    assert not [*tmp_path.iterdir()]


def test_the_action_passes_arguments_and_the_report(tmp_path: Path) -> None:
    inputs = {"TARGETS": "my.py", "BACKEND": "jax", "ARGUMENTS": "--junit 'a b'", "SARIF": "a b"}
    done = action_check(tmp_path, **inputs)
    assert done.returncode == 2
    assert "--sarif and --junit name the same file" in done.stderr
