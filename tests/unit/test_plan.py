from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.changes import Change, ChangeSet, FilesDifferError, OnConflict, make_plan

A, B, NEW = PurePosixPath("a.py"), PurePosixPath("sub/b.py"), PurePosixPath("a.py.new")


def plan(disk: dict[PurePosixPath, bytes], on_conflict: OnConflict = "fail") -> ChangeSet:
    return make_plan({A: b"new\n", B: b"b\n"}, disk.get, on_conflict)


def test_actions() -> None:
    assert Change(A, None, b"").action == "create"
    assert Change(A, b"x", b"x").action == "keep"
    assert Change(A, b"x", b"y").action == "replace"
    assert Change(A, b"x", b"xy", edits=True).action == "edit"
    assert Change(A, b"x", b"x", edits=True).action == "keep"


@pytest.mark.parametrize("on_conflict", ["fail", "skip", "overwrite", "new"])
def test_without_a_conflict(on_conflict: OnConflict) -> None:
    expected = ChangeSet((Change(A, None, b"new\n"), Change(B, b"b\n", b"b\n")))
    assert plan({B: b"b\n"}, on_conflict) == expected


def test_all_conflicts_are_found() -> None:
    with pytest.raises(FilesDifferError) as caught:
        plan({A: b"old\n", B: b"old\n"})
    error = caught.value
    assert error.plan == ChangeSet((Change(A, b"old\n", b"new\n"), Change(B, b"old\n", b"b\n")))
    assert error.exit_code == 3
    assert error.message == (
        "a.py, sub/b.py already exist with different content; nothing was written."
    )
    assert error.fix == ("Use --on-conflict skip, overwrite, or new (writes to a .new file).")


def test_one_conflict() -> None:
    with pytest.raises(FilesDifferError) as caught:
        plan({A: b"old\n"})
    assert (
        caught.value.message == "a.py already exists with different content; nothing was written."
    )
    assert caught.value.plan == ChangeSet((Change(A, b"old\n", b"new\n"),))


def test_skip() -> None:
    left = (Change(A, b"old\n", b"new\n"),)
    assert plan({A: b"old\n"}, "skip") == ChangeSet((Change(B, None, b"b\n"),), skipped=left)


def test_overwrite() -> None:
    expected = ChangeSet((Change(A, b"old\n", b"new\n"), Change(B, None, b"b\n")))
    assert plan({A: b"old\n"}, "overwrite") == expected


def test_new() -> None:
    expected = ChangeSet((Change(NEW, None, b"new\n"), Change(B, None, b"b\n")))
    assert plan({A: b"old\n"}, "new") == expected
    kept = ChangeSet((Change(NEW, b"new\n", b"new\n"), Change(B, None, b"b\n")))
    assert plan({A: b"old\n", NEW: b"new\n"}, "new") == kept


def test_new_that_already_exists() -> None:
    with pytest.raises(FilesDifferError) as caught:
        plan({A: b"old\n", NEW: b"other\n"}, "new")
    assert (
        caught.value.message
        == "a.py.new already exists with different content; nothing was written."
    )


def test_diff() -> None:
    changes = (
        Change(A, b"one\ntwo\n", b"one\n2\n"),
        Change(B, None, b"b\n"),
        Change(PurePosixPath("c"), b"same\n", b"same\n"),
    )
    assert ChangeSet(changes).diff() == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
        "--- /dev/null\n+++ b/sub/b.py\n@@ -0,0 +1 @@\n+b\n"
    )


def test_diff_of_binary_data_or_without_a_final_newline() -> None:
    assert ChangeSet((Change(A, b"old\xff", b"new"),)).diff() == (
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n"
        "-old�\n\\ No newline at end of file\n+new\n\\ No newline at end of file\n"
    )
