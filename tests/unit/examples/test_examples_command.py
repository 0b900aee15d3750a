"""`python -m tools.examples`: its files, output and exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from conftest import Scaffold
from scaffold.cli.generation import read
from scaffold.errors import UsageError
from tools.examples.changed import changed_since
from tools.examples.command import main
from tools.examples.listing import load_examples

Refused = Callable[..., tuple[int, str]]

LIST = """
[mine]
generate = ["layer MyDense units=3"]
network = '''
return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), MyDense(10)])
'''
accuracy = 0.5

[other]
generate = ["layer Other --template=projection"]
"""


@pytest.fixture
def program() -> Callable[[Sequence[str]], NoReturn]:
    return main


@pytest.fixture
def listed(here: Path) -> Path:
    folder = here / "generated_examples"
    folder.mkdir()
    (folder / "examples.toml").write_text(LIST)
    return folder


def test_builds_and_then_has_nothing_to_do(scaffold: Scaffold, listed: Path) -> None:
    first, second = scaffold("build"), scaffold("build")
    assert (first.code, first.out) == (0, "2 examples, 5 files: 5 written\n")
    assert (second.code, second.out) == (0, "2 examples, 5 files: 0 written\n")
    assert sorted(path.name for path in (listed / "mine").iterdir()) == [
        *("my_dense.py", "test_my_dense.py", "train_my_dense.py"),
    ]
    assert scaffold("build", "--check").code == 0


def test_check_shows_what_would_change(scaffold: Scaffold, listed: Path) -> None:
    scaffold("build", "other")
    assert not (listed / "mine").exists()
    file = listed / "other/other.py"
    good = file.read_text()
    file.write_text(good.replace("import keras\n", "import keras  # mine\n", 1))
    (listed / "other/old.py").touch()
    checked = scaffold("build", "--check", "other")
    assert checked.code == 1
    assert "-import keras  # mine\n+import keras\n" in checked.out
    assert checked.err.splitlines() == [
        "not part of any example: generated_examples/other/old.py",
        "1 file would change",
    ]
    answer = scaffold("build", "--check", "other", "--json").answer()
    assert answer["ok"] is False
    assert answer["result"]["written"] is False
    assert answer["result"]["left_over"] == ["generated_examples/other/old.py"]
    actions = {one["path"]: one["action"] for one in answer["result"]["changes"]}
    assert actions == {
        "generated_examples/other/other.py": "replace",
        "generated_examples/other/test_other.py": "keep",
    }
    assert scaffold("build", "other").code == 1
    assert file.read_text() == good


def test_verifies_and_writes_reports(scaffold: Scaffold, listed: Path, here: Path) -> None:
    scaffold("build")
    run = scaffold("verify", "--backend", "torch", "--jobs", "1")
    lines = run.out.splitlines()
    assert run.code == 1
    assert lines[0].startswith("[3/4] mine torch: proved (30 tests, 56 checks, accuracy 0.9")
    assert lines[1:3] == [
        "[4/4] other torch: train failed",
        "there is nothing to train: give its layer a `network` and an `accuracy`",
    ]
    assert lines[-1] == (
        "3 proved, 1 failed: .examples/reports/verify.json and .examples/reports/verify.xml"
    )
    report = json.loads((here / ".examples/reports/verify.json").read_text())
    assert [one["proved"] for one in report["results"]] == [True, True, True, False]

    again = scaffold("verify", "--backend", "torch", "mine", "--json").answer()
    assert again["ok"] is True
    assert again["result"]["results"][1] == report["results"][2]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["build", "mines"], 2, "example `mines` not found. Did you mean `mine`?"),
        (["verify", "--shard", "3/2"], 2, "invalid shard `3/2`."),
        (["verify", "--jobs", "0"], 2, "Invalid value for '--jobs'"),
        (["verify", "--backend", "numpy"], 2, "Invalid value for '--backend'"),
        (["verify", "--device", "gpu", "--backend", "torch"], 5, "torch sees no GPU"),
    ],
)
def test_a_mistake_writes_nothing(
    words: list[str],
    code: int,
    message: str,
    listed: Path,
    harmless: Scaffold,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    outcome = harmless(*words)
    assert outcome.code == code
    assert outcome.err.removeprefix("Error: ").startswith(message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lyaer X", "`lyaer X`: `lyaer` does not generate a class."),
        ("project x", "`project x`: `project` does not generate a class."),
        ("layer X --base", "`layer X --base`: Option '--base' requires an argument."),
    ],
)
def test_a_line_that_generates_nothing(
    line: str, message: str, refused: Refused, listed: Path
) -> None:
    (listed / "examples.toml").write_text(f'[bad]\ngenerate = ["{line}"]\n')
    code, said = refused("build")
    assert (code, said.splitlines()[0]) == (2, f"Error: {message}")


def test_help_generates_nothing() -> None:
    with pytest.raises(UsageError, match=r"^the command only shows help$"):
        read(["layer", "--help"])


def test_without_a_list(harmless: Scaffold) -> None:
    outcome = harmless("build")
    assert outcome.code == 5
    assert outcome.err.startswith("Error: generated_examples/examples.toml not found.")


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(*words: str) -> str:
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    words = ("git", *identity, *words)
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@needs_git
def test_only_what_has_changed_since_a_commit_is_verified(scaffold: Scaffold, listed: Path) -> None:
    scaffold("build")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message=first")
    first = git("rev-parse", "HEAD")
    examples = [*load_examples().values()]
    assert changed_since(first, examples) == []
    assert scaffold("verify", f"--since={first}").out.startswith("0 proved, 0 failed: ")

    file = listed / "other/other.py"
    file.write_text(file.read_text() + "# mine\n")
    git("commit", "--quiet", "--all", "--message=second")
    assert [one.name for one in changed_since(first, examples)] == ["other"]
    (listed / "examples.toml").write_text(LIST.replace("accuracy = 0.5", "accuracy = 0.6"))
    assert [one.name for one in changed_since(first, examples)] == ["mine", "other"]
    assert [one.name for one in changed_since("HEAD", examples)] == ["mine"]


@needs_git
def test_an_unknown_commit_is_reported(refused: Refused, listed: Path) -> None:
    git("init", "--quiet")
    assert refused("verify", "--since=nonsense") == (
        2,
        "Error: --since: git can't find generated_examples at `nonsense`.\n"
        "Name a commit of this repository, or omit --since to verify all examples.\n",
    )


def test_without_git_it_says_what_is_missing(
    refused: Refused, listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert refused("verify", "--since=HEAD") == (
        5,
        "Error: --since needs git, which is not installed.\nInstall git.\n",
    )
