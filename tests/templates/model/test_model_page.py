from __future__ import annotations

from model_page import PAGE, written


def test_the_tables_are_those_of_the_manifests() -> None:
    page = PAGE.read_text("utf-8")
    assert written(page) == page
