"""The steps of a unit: what each one runs, and how it judges the outcome."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaffold.generation.template import Training
from scaffold.processes import kill_group
from tools.examples.build import Built
from tools.examples.verify.devices import variables
from tools.examples.verify.result import Step
from tools.examples.verify.run_report import read_report

# Have XLA compile quickly: most of what tests compile runs once, on small data.
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
_SCORE = re.compile(
    r"^(?P<metric>.+): (?P<score>[\d.]+) \((?P<baseline>.+): (?P<trivial>[\d.]+)\)$"
)
_PICTURE = re.compile(r'HERE / "(\w+\.png)"')
_TESTS = Path("tests.xml")
_LAST_WORDS = 1500  # characters of the output of a process
# How far the baseline must be from a bound.
_HIGHER, _LOWER = 1.2, 0.9


def threads(at_once: int) -> Mapping[str, str]:
    """Return environment variables that divide the cores between processes.

    Otherwise threads spin while waiting for a core, and take ten times as long.

    Args:
        at_once: The number of processes that run at a time.
    """
    share = str(max(1, (os.cpu_count() or 1) // at_once))
    return {"OMP_NUM_THREADS": share, "TF_NUM_INTRAOP_THREADS": share}


class StepError(Exception):
    """A step failed; the message is for the user."""


@dataclass(frozen=True)
class Setting:
    """The environment in which the steps of a unit run.

    Args:
        python: The interpreter.
        folder: The unit's folder, with the example's files.
        backend: The backend.
        device: `cpu` or `gpu`.
        timeout: The time limit of a step, in seconds.
        compiled: The compilation cache of JAX, shared by all units.
        at_once: The number of units that run at a time.
    """

    python: str
    folder: Path
    backend: str
    device: str
    timeout: float
    compiled: Path
    at_once: int

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment variables of a step's process."""
        return {
            **{name: value for name, value in os.environ.items() if name != "XLA_FLAGS"},
            **variables(self.device),
            "KERAS_BACKEND": self.backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONDONTWRITEBYTECODE": "1",
            "JAX_COMPILATION_CACHE_DIR": str(self.compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            **threads(self.at_once),
            **more,
        }

    def run(self, words: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the unit's folder.

        Raises:
            subprocess.TimeoutExpired: If it takes too long; it is killed with its children.
        """
        command = [self.python, *words]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=self.timeout)
            except BaseException:
                _end(process)
                raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)


def _end(process: subprocess.Popen[str]) -> None:
    kill_group(process.pid)
    process.kill()


def imports(built: Built, setting: Setting) -> Mapping[str, Any]:
    """Import each module, in order."""
    names = ", ".join(one.module for one in built.classes)
    _done(setting.run(["-W", "error::UserWarning", "-c", f"import {names}"]))
    return {}


def tests(built: Built, setting: Setting) -> Mapping[str, Any]:
    """Run the generated tests; none may be skipped except what this processor can't run."""
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={setting.folder}"]
    words = ["-m", "pytest", *options, f"--junitxml={_TESTS}", "."]
    ran = setting.run(words, XLA_FLAGS=QUICK)
    report = setting.folder / _TESTS
    if ran.returncode < 0 or not report.exists():
        _done(ran)
    tested = read_report(report, setting.backend)
    if tested.bad or ran.returncode:
        raise StepError(f"{', '.join(tested.bad) or 'pytest'}\n{_last_words(ran.stdout)}")
    return {"tests": tested.tests, "not_here": len(tested.not_here)}


def check(built: Built, setting: Setting) -> Mapping[str, Any]:
    """Run `scaffold check`, which must find nothing."""
    files = [f"{one.module}.py" for one in built.classes]
    words = ["-m", "scaffold", "check", *files, "--backend", setting.backend, "--json"]
    ran = setting.run(words, XLA_FLAGS=QUICK)
    try:
        answer = json.loads(ran.stdout)
    except ValueError:
        raise StepError(_last_words(ran.stdout + ran.stderr)) from None
    if answer["error"]:
        raise StepError(answer["error"]["message"])
    outcomes = answer["result"]["outcomes"]
    failed = [one for one in outcomes if one["status"] == "failed"]
    if failed or not answer["ok"]:
        raise StepError("\n".join(f"{one['subject']}: {one['check']}" for one in failed))
    return {"checks": sum(one["status"] == "passed" for one in outcomes)}


def train(built: Built, setting: Setting) -> Mapping[str, Any]:
    """Run the training script; its score must pass a bound that is far from the baseline."""
    if built.task is None:
        raise StepError("there is nothing to train: give its layer a `network` and an `accuracy`")
    words = ["-m", "tools.examples.verify.trained", built.script, setting.device]
    ran = setting.run(["-W", "error::UserWarning", *words])
    _done(ran)
    found = next(filter(None, map(_SCORE.match, reversed(ran.stdout.splitlines()))), None)
    if found is None:
        raise StepError(f"the script printed no score\n{_last_words(ran.stdout)}")
    task, score, trivial = built.task, float(found["score"]), float(found["trivial"])
    known = {
        "metric": found["metric"],
        "score": score,
        "bound": task.bound,
        "lower": task.lower,
        "baseline": found["baseline"],
        "trivial": trivial,
    }
    if found["metric"] != task.metric or not _is_far(task, score, trivial):
        raise StepError(
            f"{found[0]}; required: {task.metric} {'below' if task.lower else 'over'} "
            f"{task.bound}, far from the baseline"
        )
    module = built.script.removeprefix("train_").removesuffix(".py")
    script = (setting.folder / built.script).read_text(encoding="utf-8")
    for picture in (f"{module}.png", *_PICTURE.findall(script)):
        path = setting.folder / picture
        if not path.is_file() or not path.read_bytes().startswith(b"\x89PNG"):
            raise StepError(f"{picture} is not a PNG")
    facts = json.loads((setting.folder / "facts.json").read_text(encoding="utf-8"))
    return {**known, **facts}


def _is_far(task: Training, score: float, trivial: float) -> bool:
    """Return whether the score passes the bound, and the bound is far from the baseline."""
    if task.lower:
        return score < task.bound < _LOWER * trivial
    return score > task.bound > _HIGHER * trivial


def reload(built: Built, setting: Setting) -> Mapping[str, Any]:
    """Load the saved model in a fresh process; it must give the same predictions."""
    module = built.script.removeprefix("train_").removesuffix(".py")
    modules = [one.module for one in built.classes]
    words = ["-m", "tools.examples.verify.reloaded", f"{module}.keras", *modules]
    _done(setting.run(words))
    return {}


def _done(ran: subprocess.CompletedProcess[str]) -> None:
    if ran.returncode:
        words = _last_words(ran.stderr.strip() or ran.stdout)
        if ran.returncode < 0:
            words = f"it was killed by {signal.Signals(-ran.returncode).name}\n{words}".strip()
        raise StepError(words)


def _last_words(text: str) -> str:
    return text.strip()[-_LAST_WORDS:]


Run = Callable[[Built, Setting], Mapping[str, Any]]
STEPS: Sequence[Run] = (imports, tests, check, train, reload)


def take(step: Run, built: Built, setting: Setting) -> Step:
    """Run a step; a failure of its process is its result."""
    begun = time.monotonic()
    try:
        facts = step(built, setting)
    except subprocess.TimeoutExpired:
        message = f"timed out after {setting.timeout:g} s"
        return Step(step.__name__, "late", time.monotonic() - begun, message)
    except StepError as error:
        return Step(step.__name__, "failed", time.monotonic() - begun, str(error))
    return Step(step.__name__, "passed", time.monotonic() - begun, facts=facts)
