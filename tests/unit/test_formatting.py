from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from scaffold.errors import ScaffoldError
from scaffold.generation.formatting import format_source


@pytest.fixture(params=[True, False], ids=["collecting", "not_collecting"])
def collecting(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the garbage collector is enabled."""
    (gc.enable if request.param else gc.disable)()
    yield request.param
    gc.enable()


def test_garbage_is_collected_as_before(collecting: bool) -> None:
    assert format_source("x=1") == "x = 1\n"
    assert gc.isenabled() is collecting
    with pytest.raises(ScaffoldError):
        format_source("x=(")
    assert gc.isenabled() is collecting
