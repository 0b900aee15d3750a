"""A proof is taken from the store only while nothing that it depends on has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.proof_store import VARIABLE, ProofStore, stores

ROOT = Path(__file__).parents[2]
CONFTEST = """\
from pathlib import Path

from proof_marks import Proofs
from tools.proof_store import ProofStore, stores


def pytest_addoption(parser):
    parser.addoption("--every-backend", action="store_true")


def pytest_configure(config):
    config.pluginmanager.register(Proofs(Path(__file__).parent, ProofStore(stores())), "proofs")
"""
TESTS = """\
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.proof("judge.py", lambda name, **_: [HERE / name])
@pytest.mark.parametrize(("name", "backend"), [("one", "tensorflow"), ("two", "jax")])
def test_holds(name, backend):
    assert "good" in (HERE / name / "code.py").read_text()


def test_of_another_kind():
    pass
"""
Ran = Callable[..., str]


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """Run the tests of a folder, and return pytest's last lines: what was taken, and the counts."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_them.py").write_text(TESTS)
    (tmp_path / "judge.py").write_text("strict = True")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text("good")

    def run(*words: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words, str(tmp_path)],
            env=environment(tmp_path, variables),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stdout.replace(str(tmp_path), "HERE").splitlines()
        counts = lines[-1].strip("= ").partition(" in ")[0]
        return "; ".join([*(line for line in lines if " taken from " in line), counts])

    return run


def environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if "ONEDNN" not in name}
    search = os.pathsep.join(map(str, [ROOT / "tests/support", ROOT]))
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": search}
    return {**plain, **alone, VARIABLE: str(folder / "proofs"), **variables}


@pytest.mark.parametrize(
    "words", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "in two processes"]
)
def test_what_was_proved_is_taken(ran: Ran, words: tuple[str, ...]) -> None:
    assert ran(*words) == "3 passed"
    taken = "1 passed" if words else "1 passed, 2 deselected"
    assert ran(*words) == f"2 proofs taken from HERE/proofs; {taken}"


@pytest.mark.parametrize("changed", ["judge.py", "test_them.py"])
def test_all_is_proved_again_by_another_judge(ran: Ran, tmp_path: Path, changed: str) -> None:
    ran()
    with (tmp_path / changed).open("a") as file:
        file.write("\n# Changed.\n")
    assert ran() == "3 passed"


def test_a_changed_file_is_proved_again(ran: Ran, tmp_path: Path) -> None:
    ran()
    (tmp_path / "two/code.py").write_text("also good")
    assert ran() == "1 proofs taken from HERE/proofs; 2 passed, 1 deselected"
    (tmp_path / "two/more.py").write_text("")
    assert ran() == "1 proofs taken from HERE/proofs; 2 passed, 1 deselected"


def test_a_failure_is_never_kept(ran: Ran, tmp_path: Path) -> None:
    (tmp_path / "two/code.py").write_text("bad")
    assert ran() == "1 failed, 2 passed"
    assert ran() == "1 proofs taken from HERE/proofs; 1 failed, 1 passed, 1 deselected"


def test_another_processor_proves_all(ran: Ran) -> None:
    ran()
    assert ran(XLA_FLAGS="--xla_cpu_use_mkl_dnn=false") == "3 passed"


def test_tensorflow_proves_again_what_one_dnn_would_compute(ran: Ran) -> None:
    ran()
    with_one_dnn = {"TF_ENABLE_ONEDNN_OPTS": "1"}
    assert ran(**with_one_dnn) == "1 proofs taken from HERE/proofs; 2 passed, 1 deselected"
    assert ran(**with_one_dnn) == "2 proofs taken from HERE/proofs; 1 passed, 2 deselected"


def test_every_backend_is_another_proof(ran: Ran) -> None:
    ran()
    assert ran("--every-backend") == "3 passed"
    assert ran("--every-backend").startswith("2 proofs taken")


def test_a_store_that_keeps_nothing_proves_all(ran: Ran) -> None:
    ran()
    assert ran(**{VARIABLE: os.devnull}) == "3 passed"
    assert ran(**{VARIABLE: os.devnull}) == "3 passed"


def test_a_store_that_cannot_be_written_proves_all(ran: Ran, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for _ in range(2):
        assert ran(**{VARIABLE: str(tmp_path / "file/proofs")}) == "3 passed"


def test_all_stores_are_read_and_the_first_is_written(tmp_path: Path) -> None:
    first, second = tmp_path / "new/first", tmp_path / "second"
    second.write_text("b 2026-01-01 something proved elsewhere\n\n")
    ProofStore([first, second]).add("a", "one thing")
    assert ProofStore([first, second]).keys == {"a", "b"}
    assert [line.split(maxsplit=2)[::2] for line in first.read_text().splitlines()] == [
        ["a", "one thing"]
    ]


def test_what_is_taken_from_another_store_is_copied(ran: Ran, tmp_path: Path) -> None:
    ran()
    both = {VARIABLE: os.pathsep.join([str(tmp_path / "new"), str(tmp_path / "proofs")])}
    assert ran(**both) == "2 proofs taken from HERE/new, HERE/proofs; 1 passed, 2 deselected"
    assert ran(**{VARIABLE: str(tmp_path / "new")}).startswith("2 proofs taken from HERE/new;")
    assert len((tmp_path / "new").read_text().splitlines()) == 2


def test_the_stores_are_those_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, os.pathsep.join(["a", "b/c"]))
    assert stores() == [Path("a"), Path("b/c")]
    monkeypatch.delenv(VARIABLE)
    (store,) = stores()
    assert store.parts[-2:] == ("keras-scaffold", "proofs")
