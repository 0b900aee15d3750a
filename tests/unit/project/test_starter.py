"""The initial layer and model of a project are what the templates generate now."""

from __future__ import annotations

from tools.starter import PROJECT, starter


def test_is_up_to_date() -> None:
    files = starter()
    assert len(files) == 4
    for path, text in files.items():
        assert (PROJECT / path).read_text("utf-8") == text, "`make goldens` regenerates it"
