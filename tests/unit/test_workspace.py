from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scaffold
from scaffold.changes import Change
from scaffold.errors import ConflictError, MissingError, ScaffoldError, UnsafeError
from scaffold.workspace import Workspace

JOURNAL = ".scaffold-journal"
REPOSITORY = Path(scaffold.__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
Tree = dict[str, tuple[int, bytes | None]]

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="forks, kills, or makes links")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


def tree(folder: Path) -> Tree:
    """Return everything in a folder, by name: mode, and bytes of a file or target of a link."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = None
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = os.fsencode(path.readlink())
        found[path.relative_to(folder).as_posix()] = (status.st_mode, content)
    return found


def without_helpers(found: Tree) -> Tree:
    return {name: what for name, what in found.items() if "/.scaffold-" not in f"/{name}"}


def change(path: str, before: str | None, after: str) -> Change:
    return Change(PurePosixPath(path), None if before is None else before.encode(), after.encode())


def commit(root: Path, *changes: Change) -> None:
    with Workspace(root).transaction() as transaction:
        transaction.commit(changes)


def recover(root: Path) -> None:
    commit(root)


# Confining paths.


def test_root_must_be_a_folder(root: Path) -> None:
    (root / "file").write_text("")
    for path in (root / "nothing", root / "file", root / "\0", root / "file" / "below"):
        with pytest.raises(MissingError, match=r"^folder .* not found$"):
            Workspace(path)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a.py", "sub/a.py"),
        ("./x/../a.py", "sub/a.py"),
        ("../a.py", "a.py"),
        ("../../root/a.py", "a.py"),
        ("..", "."),
        ("my layer/größe 層.py", "sub/my layer/größe 層.py"),
        ("~/a.py", "sub/~/a.py"),
        ("a:b\\c*.py", "sub/a:b\\c*.py"),
    ],
)
@needs_posix
def test_paths_inside(
    root: Path, monkeypatch: pytest.MonkeyPatch, typed: str, expected: str
) -> None:
    (root / "sub").mkdir()
    monkeypatch.chdir(root / "sub")
    assert Workspace(root).confine(Path(typed)) == PurePosixPath(expected)
    assert Workspace(root).confine(root / "sub" / typed) == PurePosixPath(expected)


@pytest.mark.parametrize(
    "typed", ["..", "../a.py", "x/../../a.py", "../root-2/a.py", "/a.py", "//"]
)
def test_paths_outside(root: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(UnsafeError, match="is outside") as caught:
        Workspace(root).confine(Path(typed))
    assert caught.value.exit_code == 4
    assert caught.value.fix


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\x1b[31m", "a\x7f", "a\x85", "\ud800"])
def test_control_characters(root: Path, name: str) -> None:
    for path in (root / name, root / name / "a.py"):
        with pytest.raises(UnsafeError) as caught:
            Workspace(root).confine(path)
        assert caught.value.message.isprintable()


@pytest.mark.parametrize("name", [JOURNAL, "x/../.Scaffold-Journal"])
def test_journal_is_not_a_target(root: Path, name: str) -> None:
    with pytest.raises(UnsafeError, match="own journal"):
        Workspace(root).confine(root / name)


@pytest.fixture
def linked(root: Path) -> Path:
    """A root with all kinds of links in it."""
    outside = root.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "secret").write_text("secret")
    (outside / "back").symlink_to(root)
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "sub" / "a.py").write_text("a")
    for name, target in {
        "in": "sub/deep",
        "in.py": "sub/a.py",
        "new.py": "sub/not yet.py",
        "out": "../outside",
        "absolute": str(outside),
        "out.py": "../outside/secret",
        "dangling": "../outside/nothing",
        "loop": "loop",
        "ping": "pong",
        "pong": "ping",
        "chain": "out",
    }.items():
        (root / name).symlink_to(target)
    return root


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("in", "sub/deep"),
        ("in/b.py", "sub/deep/b.py"),
        ("in/../b.py", "sub/b.py"),
        ("in.py", "sub/a.py"),
        ("new.py", "sub/not yet.py"),
    ],
)
@needs_posix
def test_links_inside(linked: Path, typed: str, expected: str) -> None:
    workspace = Workspace(linked)
    assert workspace.confine(linked / typed) == PurePosixPath(expected)
    before = workspace.read(PurePosixPath(typed)) if typed.endswith(".py") else None
    if typed.endswith(".py"):
        commit(linked, Change(PurePosixPath(typed), before, b"written"))
        assert (linked / expected).read_bytes() == b"written"
        assert (linked / typed.partition("/")[0]).is_symlink()


@pytest.mark.parametrize(
    "typed",
    [
        "out",
        "out/b.py",
        "absolute/b.py",
        "out.py",
        "dangling",
        "chain/b.py",
        "out/back/b.py",
        "out/../root/b.py",
        "out/deep/../../root/b.py",
        "loop",
        "loop/b.py",
        "ping",
        "pong/x/y",
    ],
)
@needs_posix
def test_links_outside(linked: Path, typed: str) -> None:
    workspace, before = Workspace(linked), tree(linked.parent)
    with pytest.raises(UnsafeError):
        workspace.confine(linked / typed)
    with pytest.raises(UnsafeError):
        workspace.read(PurePosixPath(typed))
    with pytest.raises(UnsafeError):
        commit(linked, change("good.py", None, "good"), change(typed, None, "bad"))
    assert tree(linked.parent) == before


@needs_posix
def test_root_reached_through_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert Workspace(link).root == root
    assert Workspace(link).confine(link / "a.py") == PurePosixPath("a.py")
    assert Workspace(root).confine(link / "a.py") == PurePosixPath("a.py")


@needs_posix
def test_root_that_becomes_a_link(root: Path) -> None:
    workspace = Workspace(root)
    elsewhere = root.parent / "elsewhere"
    root.rename(elsewhere)
    root.symlink_to(elsewhere)
    with pytest.raises(UnsafeError), workspace.transaction():
        pass
    assert tree(elsewhere) == {}


def attempt(confine: Callable[[], PurePosixPath]) -> tuple[PurePosixPath | None, object]:
    try:
        return confine(), None
    except ScaffoldError as error:
        return None, error


PIECES = st.sampled_from(["..", ".", "", "/", "in", "out", "sub", "deep", "back", "loop", "root"])
TEXTS = st.lists(PIECES | st.text(st.characters(), max_size=8), max_size=6).map("/".join)


@needs_posix
def test_no_path_leads_out(linked: Path) -> None:
    workspace = Workspace(linked)

    @given(TEXTS)
    def holds(text: str) -> None:
        inside, failure = attempt(lambda: workspace.confine(linked / text))
        if inside is None:
            assert isinstance(failure, UnsafeError) or "File name too long" in str(failure)
            assert str(failure).isprintable()
            return
        assert not inside.is_absolute()
        assert ".." not in inside.parts
        assert (linked / inside).resolve() == linked / inside
        assert workspace.confine(linked / inside) == inside

    holds()


# Reading.


def test_read(root: Path) -> None:
    content = bytes(range(256)) * 10_000
    (root / "a.py").write_bytes(content)
    workspace, before = Workspace(root), tree(root)
    assert workspace.read(PurePosixPath("a.py")) == content
    assert workspace.read(PurePosixPath("nothing.py")) is None
    assert workspace.read(PurePosixPath("no/folder/nothing.py")) is None
    assert tree(root) == before


@needs_posix
def test_read_what_is_not_a_file(root: Path) -> None:
    (root / "folder").mkdir()
    (root / "file").write_text("")
    os.mkfifo(root / "pipe")
    for name in ("folder", ".", "pipe", "file/below", "file/far/below"):
        with pytest.raises(ConflictError, match="in the way"):
            Workspace(root).read(PurePosixPath(name))
        with pytest.raises(ConflictError, match="in the way"):
            commit(root, change(name, None, "new"))
    assert sorted(tree(root)) == ["file", "folder", "pipe"]


# Writing.


@needs_posix
def test_commit_keeps_modes_and_leaves_nothing_else(root: Path) -> None:
    (root / "old.py").write_text("old")
    (root / "old.py").chmod(0o751)
    (root / "read only.py").write_text("old")
    (root / "read only.py").chmod(0o400)
    mask = os.umask(0o027)
    try:
        commit(
            root,
            change("old.py", "old", "new"),
            change("read only.py", "old", "new"),
            change("x/y/new.py", None, "new"),
            change("x/empty.py", None, ""),
        )
    finally:
        os.umask(mask)
    assert tree(root) == {
        "old.py": (stat.S_IFREG | 0o751, b"new"),
        "read only.py": (stat.S_IFREG | 0o400, b"new"),
        "x": (stat.S_IFDIR | 0o750, None),
        "x/empty.py": (stat.S_IFREG | 0o640, b""),
        "x/y": (stat.S_IFDIR | 0o750, None),
        "x/y/new.py": (stat.S_IFREG | 0o640, b"new"),
    }
    assert (root / "x/y/new.py").stat().st_nlink == 1


def test_several_commits_in_a_transaction(root: Path) -> None:
    with Workspace(root).transaction() as transaction:
        transaction.commit([change("a.py", None, "1")])
        transaction.commit([change("a.py", "1", "2"), change("b.py", None, "2")])
    assert {name: text for name, (_, text) in tree(root).items()} == {"a.py": b"2", "b.py": b"2"}


def test_longest_names(root: Path) -> None:
    name = "x" * 252 + ".py"
    commit(root, change(name, None, "old"))
    commit(root, change(name, "old", "new"))
    assert (root / name).read_text() == "new"


def test_kept_files_are_not_written(root: Path) -> None:
    (root / "a.py").write_text("same")
    before, written = tree(root), (root / "a.py").stat().st_mtime_ns
    with Workspace(root).transaction() as transaction:
        transaction.commit([change("a.py", "same", "same")])
        assert sorted(tree(root)) == [JOURNAL, "a.py"]
        assert (root / JOURNAL).stat().st_size == 0
    assert tree(root) == before
    commit(root, change("a.py", "same", "same"), change("b.py", None, "new"))
    assert (root / "a.py").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "stale",
    [
        change("a.py", "planned", "new"),
        change("a.py", "planned", "planned"),
        change("a.py", None, "new"),
        change("gone.py", "planned", "new"),
    ],
)
def test_file_changed_after_planning(root: Path, stale: Change) -> None:
    (root / "a.py").write_text("edited")
    before = tree(root)
    with pytest.raises(ConflictError, match="changed while") as caught:
        commit(root, change("x/b.py", None, "new"), stale)
    assert caught.value.exit_code == 3
    assert tree(root) == before


def test_commit_after_one_whose_undoing_failed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Workspace(root).transaction() as transaction:
        with monkeypatch.context() as patch:
            for name in ("link", "rename", "unlink"):
                patch.setattr(os, name, fail)
            with pytest.raises(ScaffoldError, match="undoing it failed too"):
                transaction.commit([change("x/a.py", None, "1")])
        transaction.commit([change("b.py", None, "2")])
    assert [*tree(root)] == ["b.py"]


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_same_file_twice(root: Path) -> None:
    with pytest.raises(ConflictError, match="twice"):
        commit(root, change("a.py", None, "1"), change("x/../a.py", None, "2"))
    assert tree(root) == {}


def intrude(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int, intrusion: Callable[[], object]
) -> None:
    """Do something just before the n-th call of a function of `os`."""
    real, calls = getattr(os, name), []

    def intruded(*args: Any, **options: Any) -> Any:
        calls.append(name)
        if len(calls) == number:
            intrusion()
        return real(*args, **options)

    monkeypatch.setattr(os, name, intruded)


@pytest.mark.parametrize("text", ["somebody's", "new"])
@pytest.mark.parametrize(("function", "number"), [("write", 2), ("write", 3), ("link", 2)])
def test_new_file_overwrites_none_that_appears_meanwhile(
    root: Path, monkeypatch: pytest.MonkeyPatch, text: str, function: str, number: int
) -> None:
    theirs = root / "b.py"
    intrude(monkeypatch, function, number, lambda: theirs.write_text(text))
    with pytest.raises(ConflictError, match=r"b\.py changed while"):
        commit(root, change("a.py", None, "a"), change("b.py", None, "new"))
    assert [*tree(root)] == ["b.py"]
    assert theirs.read_text() == text


@pytest.mark.parametrize("number", [2, 3])
def test_edit_while_staging(root: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    (root / "b.py").write_text("old")
    intrude(monkeypatch, "write", number, lambda: (root / "b.py").write_text("edited"))
    with pytest.raises(ConflictError, match=r"b\.py changed while"):
        commit(root, change("a.py", None, "a"), change("b.py", "old", "new"))
    assert [*tree(root)] == ["b.py"]
    assert (root / "b.py").read_text() == "edited"


@pytest.mark.parametrize("elsewhere", ["../outside", "inside"])
@needs_posix
def test_folder_becomes_a_link_while_staging(
    root: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    (root / "x").mkdir()
    (root / elsewhere).mkdir()

    def swap() -> None:
        (root / "x").rename(root / "moved")
        (root / "x").symlink_to(elsewhere)

    intrude(monkeypatch, "write", 2, swap)
    with pytest.raises(ScaffoldError, match=r"is outside|changed while"):
        commit(root, change("x/a.py", None, "a"))
    assert tree(root / elsewhere) == {}
    assert not [*root.rglob("a.py")]


@needs_posix
def test_journal_becomes_a_link_while_locking(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = root.parent / "victim"
    victim.write_text("")
    intrude(monkeypatch, "open", 1, lambda: (root / JOURNAL).symlink_to(victim))
    with pytest.raises(ScaffoldError, match="could not lock"):
        commit(root, change("a.py", None, "a"))
    assert [*tree(root)] == [JOURNAL]


@needs_posix
def test_file_appears_without_hard_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_: object, **__: object) -> None:
        (root / "a.py").write_text("somebody's")
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    with pytest.raises(ConflictError, match=r"a\.py changed while"):
        commit(root, change("a.py", None, "a"))
    assert [*tree(root)] == ["a.py"]
    assert (root / "a.py").read_text() == "somebody's"


@needs_posix
def test_lock_file_of_another_run_is_not_removed(root: Path) -> None:
    with Workspace(root).transaction():
        (root / JOURNAL).unlink()
        (root / JOURNAL).touch()
    assert [*tree(root)] == [JOURNAL]


def test_write_error_says_what_failed_where(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if bytes(data).endswith(b"new"):
            real(descriptor, data[:1])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ScaffoldError) as caught:
        commit(root, change("x/my_conv.py", None, "new"))
    assert str(caught.value) == "could not write x/my_conv.py: No space left on device"
    assert caught.value.exit_code == 1
    assert tree(root) == {}


def test_short_writes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    commit(root, change("a.py", None, "a long text"))
    assert (root / "a.py").read_text() == "a long text"


def test_an_error_of_the_body_is_not_changed(root: Path) -> None:
    with pytest.raises(ZeroDivisionError), Workspace(root).transaction():
        raise ZeroDivisionError
    assert tree(root) == {}


def test_cold_start() -> None:
    code = "import sys, scaffold.workspace; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    heavy = {"hashlib", "json", "logging", "random", "shutil", "subprocess", "tempfile"}
    assert not heavy & set(done.stdout.split())


# Two runs.

HOLD = """
import sys; from pathlib import Path; from scaffold.workspace import Workspace
with Workspace(Path(sys.argv[1])).transaction():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_two_runs_at_once(root: Path) -> None:
    (root / "a.py").write_text("a")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        assert other.stdout.readline().split() == [b"locked"]
        with pytest.raises(ConflictError, match="another scaffold run is writing in"):
            commit(root, change("b.py", None, "b"))
        assert Workspace(root).read(PurePosixPath("a.py")) == b"a"
        other.kill()
    assert sorted(tree(root)) == [JOURNAL, "a.py"]
    commit(root, change("b.py", None, "b"))
    assert sorted(tree(root)) == ["a.py", "b.py"]


def test_two_transactions_in_a_process(root: Path) -> None:
    with Workspace(root).transaction() as first:
        with pytest.raises(ConflictError), Workspace(root).transaction():
            pass
        first.commit([change("a.py", None, "a")])
    assert [*tree(root)] == ["a.py"]


@needs_posix
def test_lock_file_removed_while_waiting_to_lock(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    real, calls = fcntl.flock, []

    def late(descriptor: int, operation: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            (root / JOURNAL).unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with Workspace(root).transaction(), pytest.raises(ConflictError), Workspace(root).transaction():
        pass
    assert tree(root) == {}


# Faults: each file operation fails, or is the last one before the process is killed.

Scenario = tuple[dict[str, tuple[str, int]], list[tuple[str, str | None, str]]]
BYSTANDERS = {"README.md": ("read me", 0o644), "x/other.py": ("other", 0o600)}
SCENARIOS: dict[str, Scenario] = {
    "two new in a new folder": (
        BYSTANDERS,
        [("new/deep/a.py", None, "new a"), ("new/deep/b.py", None, "new b")],
    ),
    "one replaced, one new": (
        {**BYSTANDERS, "x/a.py": ("old a", 0o640)},
        [("x/a.py", "old a", "new a"), ("x/b.py", None, "")],
    ),
    "two replaced": (
        {**BYSTANDERS, "a.py": ("old a", 0o640), "x/b.py": ("old b", 0o755)},
        [("a.py", "old a", "new a"), ("README.md", "read me", "read me"), ("x/b.py", "old b", "b")],
    ),
}
MIXED = SCENARIOS["one replaced, one new"]
Outcome = dict[str, Any]


def crash(
    folder: Path,
    scenario: Scenario,
    fault: str,
    *,
    links: bool = True,
    gaps: tuple[int, ...] = (0,),
    killed_at: int = 0,
    only: int = 0,
) -> list[Outcome]:
    files, changes = scenario
    job: dict[str, object] = {"folder": str(folder), "files": files, "changes": changes}
    job |= {"fault": fault, "links": links, "gaps": gaps, "killed_at": killed_at, "only": only}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(Path(__file__).with_name("workspace_crash.py"))],
        env=ENVIRONMENT,
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    outcomes: list[Outcome] = json.loads(done.stdout)
    return outcomes


def trees(folder: Path, scenario: Scenario) -> tuple[Tree, Tree]:
    """Return the tree of a scenario's root before and after the commit."""
    files, changes = scenario
    root = folder / "model"
    for name, (text, mode) in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
        (root / name).chmod(mode)
    before = tree(root)
    for name, _, text in changes:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return before, tree(root)


def expect_healing(root: Path, scenario: Scenario, before: Tree, after: Tree) -> None:
    with Workspace(root).transaction() as transaction:
        healed = tree(root)
        assert healed.pop(JOURNAL)[1] == b""
        assert healed in (before, after)
        if healed == before:
            transaction.commit(change(*parts) for parts in scenario[1])
    assert tree(root) == after


def is_released(outcome: Outcome) -> bool:
    message: str = outcome["message"]
    return message.startswith(f"could not remove {Path(outcome['root']) / JOURNAL}")


def expect_old_or_new_files(found: Tree, before: Tree, after: Tree) -> None:
    for name in {*before, *after, *found}:
        assert found.get(name) in (before.get(name), after.get(name)), name


@pytest.mark.parametrize(
    ("name", "fault", "links"),
    [
        *((name, fault, True) for name in SCENARIOS for fault in ("fail", "interrupt after")),
        *(("one replaced, one new", fault, False) for fault in ("fail after", "interrupt")),
    ],
)
def test_every_single_failure(tmp_path: Path, name: str, fault: str, links: bool) -> None:
    scenario = SCENARIOS[name]
    before, after = trees(tmp_path, scenario)
    outcomes = crash(tmp_path, scenario, fault, links=links)
    assert len(outcomes) > 80
    seen = set()
    for outcome in outcomes:
        root = Path(outcome["root"])
        found = tree(root)
        seen.add(without_helpers(found) == after)
        assert not outcome["leaks"]
        if not outcome["error"]:
            assert found == after
        elif without_helpers(found) == before:
            assert found.pop(JOURNAL, (0, b""))[1] == b""
            assert found == before
        else:
            assert without_helpers(found) == after
            if fault.startswith("fail"):
                assert "all files were written" in outcome["message"] or is_released(outcome)
        expect_healing(root, scenario, before, after)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("name", "fault", "links"),
    [
        *((name, fault, True) for name in SCENARIOS for fault in ("kill before", "kill after")),
        ("one replaced, one new", "kill before", False),
    ],
)
@needs_posix
def test_every_single_kill(tmp_path: Path, name: str, fault: str, links: bool) -> None:
    scenario = SCENARIOS[name]
    before, after = trees(tmp_path, scenario)
    outcomes = crash(tmp_path, scenario, fault, links=links)
    assert len(outcomes) > 80
    for outcome in outcomes:
        root = Path(outcome["root"])
        expect_old_or_new_files(without_helpers(tree(root)), before, after)
        expect_healing(root, scenario, before, after)


@pytest.mark.parametrize("part", [0.6, 0.75, 0.9])
@needs_posix
def test_every_kill_while_recovering(tmp_path: Path, part: float) -> None:
    before, after = trees(tmp_path, MIXED)
    operations = len(crash(tmp_path / "count", MIXED, "fail")) - 1
    killed_at = int(operations * part)
    outcomes = crash(tmp_path / "runs", MIXED, "kill before", killed_at=killed_at)
    assert len(outcomes) > 50
    for outcome in outcomes:
        root = Path(outcome["root"])
        expect_old_or_new_files(without_helpers(tree(root)), before, after)
        expect_healing(root, MIXED, before, after)


@pytest.mark.parametrize("name", SCENARIOS)
def test_failure_that_lasts(tmp_path: Path, name: str) -> None:
    scenario = SCENARIOS[name]
    before, after = trees(tmp_path, scenario)
    messages = set()
    for outcome in crash(tmp_path, scenario, "fail from here"):
        root = Path(outcome["root"])
        expect_old_or_new_files(without_helpers(tree(root)), before, after)
        if "undoing it failed too" in outcome["message"]:
            assert (root / JOURNAL).exists()
        elif without_helpers(tree(root)) == after and outcome["error"]:
            assert "all files were written" in outcome["message"] or is_released(outcome)
        messages.add(outcome["message"].partition(": ")[2])
        expect_healing(root, scenario, before, after)
    assert any("undoing it failed too" in message for message in messages)


def test_pairs_of_failures(tmp_path: Path) -> None:
    before, after = trees(tmp_path, MIXED)
    for outcome in crash(tmp_path, MIXED, "fail", gaps=(1, 2, 5, 13, 34)):
        root = Path(outcome["root"])
        found = without_helpers(tree(root))
        expect_old_or_new_files(found, before, after)
        if found not in (before, after):
            assert "undoing it failed too" in outcome["message"]
            assert (root / JOURNAL).stat().st_size
        expect_healing(root, MIXED, before, after)


# Manual edits between a kill and the next run.


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[bool, bool], int]:
    """The last operation with all files in place, by whether links work and the commit is done."""
    found = {}
    for links in (True, False):
        folder = tmp_path_factory.mktemp("placed")
        after = trees(folder, MIXED)[1]
        for number, outcome in enumerate(crash(folder, MIXED, "kill after", links=links), 1):
            journal = Path(outcome["root"]) / JOURNAL
            text = journal.read_bytes() if journal.exists() else b""
            if text and without_helpers(tree(journal.parent)) == after:
                found[links, text.endswith(b"done\n")] = number
    return found


HalfWay = Callable[..., Path]


@pytest.fixture
def half_way(tmp_path: Path, placed: Mapping[tuple[bool, bool], int]) -> HalfWay:
    """Creates a root of a run killed with all files in place, before or after it was done."""

    def make(*, links: bool = True, done: bool = False) -> Path:
        number = placed[links, done]
        trees(tmp_path, MIXED)
        (outcome,) = crash(tmp_path, MIXED, "kill after", links=links, only=number)
        return Path(outcome["root"])

    return make


def rewrite(path: Path) -> None:
    path.write_text("edited")


def exchange(path: Path) -> None:
    path.with_name("draft").write_text("edited")
    path.with_name("draft").replace(path)


def remove(path: Path) -> None:
    path.unlink()


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("../../model/x/a.py")


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("edit", [rewrite, exchange, remove, become_folder, become_link])
@needs_posix
def test_edit_after_a_kill_is_kept(
    half_way: HalfWay, edit: Callable[[Path], None], done: bool, links: bool
) -> None:
    root = half_way(links=links, done=done)
    edit(root / "x/a.py")
    edit(root / "x/b.py")
    before = without_helpers(tree(root))
    model = tree(root.parent / "model")
    recover(root)
    assert tree(root) == before
    assert tree(root.parent / "model") == model


@needs_posix
def test_edit_of_one_file_undoes_the_other(half_way: HalfWay) -> None:
    root = half_way()
    rewrite(root / "x/b.py")
    recover(root)
    assert (root / "x/a.py").read_text() == "old a"
    assert (root / "x/b.py").read_text() == "edited"


@needs_posix
def test_folder_gone_after_a_kill(half_way: HalfWay) -> None:
    root = half_way()
    (root / "x").rename(root / "y")
    (root / "x").write_text("a file now")
    recover(root)
    assert (root / "x").read_text() == "a file now"
    assert not (root / JOURNAL).exists()


@needs_posix
def test_user_fills_a_new_folder_after_a_kill(tmp_path: Path) -> None:
    scenario = SCENARIOS["two new in a new folder"]
    before, _ = trees(tmp_path, scenario)
    for outcome in crash(tmp_path, scenario, "kill before"):
        root = Path(outcome["root"])
        if not (root / "new").exists() or not outcome["error"]:
            continue
        (root / "new" / "mine").write_text("mine")
        recover(root)
        found = tree(root)
        if "new/deep/a.py" not in found:
            assert sorted(found) == sorted([*before, "new", "new/mine"])


# Journals that no run has written here.


def forge(root: Path, files: object, **parts: Any) -> Path:
    """Write a journal like a run would, with the given changes."""
    journal = root / JOURNAL
    journal.touch()
    token = parts.get("token", "0123456789abcdef")
    inode = parts.get("inode", journal.stat().st_ino)
    record = json.dumps([token, inode, parts.get("folders", []), files]).encode()
    journal.write_bytes(b"scaffold-journal 1\n" + record + b"\n" + parts.get("marks", b""))
    return journal


def sha256(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def expect_refusal(root: Path) -> None:
    before = tree(root.parent)
    with pytest.raises(UnsafeError, match="does not fit this folder") as caught:
        recover(root)
    assert str(root / JOURNAL) in caught.value.fix
    assert tree(root.parent) == before
    assert Workspace(root).read(PurePosixPath("mine.py")) == b"mine"


@pytest.fixture
def baited(root: Path) -> Path:
    outside = root.parent / "outside"
    outside.mkdir()
    for folder in (root, outside):
        (folder / "mine.py").write_text("mine")
        (folder / "empty").mkdir()
        (folder / ".scaffold-0123456789abcdef-0.old").write_text("bad")
        (folder / ".scaffold-0123456789abcdef-0.new").write_text("bad")
    return root


@pytest.mark.parametrize("marks", [b"", b"done\n"])
@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "OUTSIDE/mine.py",
        "../outside/mine.py",
        "link/mine.py",
        "empty/../../outside/mine.py",
        "./mine.py",
        "empty/../mine.py",
        "empty//mine.py",
        "/mine.py",
        "..",
        ".",
        "",
        "empty/..",
        "mine.py\x00",
        "a\nb",
        JOURNAL,
        7,
        None,
        ["mine.py"],
        "\ud800",
    ],
)
@needs_posix
def test_journal_with_a_bad_path(baited: Path, path: object, replaces: bool, marks: bytes) -> None:
    outside = baited.parent / "outside"
    (baited / "link").symlink_to(outside)
    named = path.replace("OUTSIDE", str(outside)) if isinstance(path, str) else path
    forge(baited, [[named, replaces, sha256("mine")]], marks=marks)
    expect_refusal(baited)
    forge(baited, [["mine.py", replaces, sha256("")]], folders=[named], marks=marks)
    expect_refusal(baited)


@pytest.mark.parametrize(
    "files",
    [
        7,
        None,
        {},
        "mine.py",
        [7],
        [[]],
        [["mine.py"]],
        [["mine.py", 1, "0"]],
        [["mine.py", True, 0]],
        [["mine.py", True, "0", "more"]],
    ],
)
def test_journal_with_bad_files(baited: Path, files: object) -> None:
    forge(baited, files)
    expect_refusal(baited)


@pytest.mark.parametrize(
    "parts",
    [
        {"token": "../../outside/xx"},
        {"token": "0123456789ABCDEF"},
        {"token": "0"},
        {"token": "01 23456789abcdef"},
        {"token": 7},
        {"inode": 1},
        {"inode": "1"},
        {"folders": ["empty"]},
        {"folders": 7},
        {"marks": b"undone\n"},
        {"marks": b"one\n"},
        {"marks": b"done\nmore"},
    ],
)
def test_journal_with_other_bad_parts(baited: Path, parts: Mapping[str, Any]) -> None:
    forge(baited, [["mine.py", True, sha256("mine")]], **parts)
    expect_refusal(baited)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"9" * 5_000, b"{}", b"null", b"\xff", b""])
def test_journal_with_bad_text(baited: Path, text: bytes) -> None:
    (baited / JOURNAL).write_bytes(b"scaffold-journal 1\n" + text + b"\n")
    expect_refusal(baited)


@pytest.mark.parametrize("head", [b"", b"scaffold-journal 2\n", b" scaffold-journal 1\n"])
def test_journal_with_a_bad_head(baited: Path, head: bytes) -> None:
    journal = forge(baited, [["mine.py", True, sha256("mine")]])
    journal.write_bytes(head + journal.read_bytes().partition(b"\n")[2])
    expect_refusal(baited)


@needs_posix
def test_journal_that_was_copied(half_way: HalfWay) -> None:
    root = half_way()
    journal = root / JOURNAL
    text = journal.read_bytes()
    journal.rename(root / "aside")
    journal.write_bytes(text)
    before = tree(root)
    with pytest.raises(UnsafeError, match="does not fit this folder"):
        recover(root)
    assert tree(root) == before


@needs_posix
def test_backup_that_became_a_link(half_way: HalfWay) -> None:
    root = half_way()
    (backup,) = (root / "x").glob(".scaffold-*.old")
    backup.unlink()
    backup.symlink_to("../../model/README.md")
    recover(root)
    assert not (root / "x/a.py").is_symlink()
    assert (root / "x/a.py").read_text() == "new a"


@needs_posix
def test_journal_cut_anywhere(tmp_path: Path, root: Path) -> None:
    (root / "mine.py").write_text("mine")
    text = forge(root, [["mine.py", True, sha256("mine")]]).read_bytes()
    for size in range(len(text)):
        (root / JOURNAL).write_bytes(text[:size])
        recover(root)
        assert {name: content for name, (_, content) in tree(root).items()} == {"mine.py": b"mine"}


def test_any_bytes_as_journal(baited: Path) -> None:
    before = tree(baited.parent)

    @given(st.binary(max_size=40), st.booleans())
    def holds(text: bytes, begun: bool) -> None:
        (baited / JOURNAL).write_bytes(b"scaffold-journal 1\n" * begun + text)
        try:
            recover(baited)
        except UnsafeError:
            (baited / JOURNAL).unlink()
        assert tree(baited.parent) == before

    holds()


@needs_posix
def test_journal_that_is_not_a_file(root: Path) -> None:
    journal, victim = root / JOURNAL, root.parent / "victim"
    victim.write_text("")
    makers: list[Callable[[], object]] = [
        lambda: journal.symlink_to(victim),
        lambda: os.mkfifo(journal),
        journal.mkdir,
    ]
    for make in makers:
        make()
        with pytest.raises(UnsafeError, match="not a regular file"):
            commit(root, change("a.py", None, "a"))
        assert [*tree(root)] == [JOURNAL]
        assert victim.read_text() == ""
        journal.rmdir() if journal.is_dir() else journal.unlink()
