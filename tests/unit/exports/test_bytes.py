"""The bytes of an `__init__.py`: line endings, encodings, black, and errors."""

from __future__ import annotations

import pytest

from scaffold.errors import ConflictError
from scaffold.package_init import with_exports

CLASSES = [("lib.layers.my_conv", "MyConv"), ("lib.layers.my_conv_block", "MyConvBlock")]
ONE = CLASSES[:1]


def exported(source: str, **black: object) -> str:
    data = with_exports(source.encode(), ONE, black, "lib/__init__.py")
    assert with_exports(data, ONE, black, "lib/__init__.py") == data
    return data.decode()


def refusal(data: bytes, classes: list[tuple[str, str]] = ONE) -> tuple[str, str]:
    with pytest.raises(ConflictError) as caught:
        with_exports(data, classes, {}, "lib/__init__.py")
    return caught.value.message, caught.value.fix


def test_several() -> None:
    data = with_exports(b'"""Layers."""\n', CLASSES, {}, "lib/__init__.py")
    assert data == (
        b'"""Layers."""\n\nfrom lib.layers.my_conv import MyConv\n'
        b"from lib.layers.my_conv_block import MyConvBlock\n\n"
        b'__all__ = ["MyConv", "MyConvBlock"]\n'
    )


@pytest.mark.parametrize("source", ["", '"""Layers."""\r\n', "from .a import A\r\n\r\nx = 1\r\n"])
def test_windows_line_endings_are_kept(source: str) -> None:
    assert exported(source) == exported(source.replace("\r\n", "\n")).replace(
        "\n", "\r\n" if source else "\n"
    )


def test_mixed_line_endings_are_kept() -> None:
    assert exported("from .a import A\r\nfrom .z import Z\nx = 1\r\n") == (
        "from .a import A\r\nfrom .my_conv import MyConv\r\nfrom .z import Z\nx = 1\r\n"
    )


def test_the_mark_of_utf_8_is_kept() -> None:
    assert exported("\ufefffrom .a import A\n") == (
        "\ufefffrom .a import A\nfrom .my_conv import MyConv\n"
    )


def test_letters_of_all_kinds() -> None:
    source = "# -*- coding: utf-8 -*-\nfrom .a import Ä  # é層🎉\n"
    assert exported(source) == f"{source}from .my_conv import MyConv\n"


NAMES = ", ".join(f'"Attention{number}"' for number in range(5))
LONG = f"from .a import A\n\n__all__ = [{NAMES}]\n"


def test_a_formatted_file_stays_formatted() -> None:
    exploded = NAMES.replace(", ", ",\n    ")
    assert exported(LONG) == (
        "from .a import A\nfrom .my_conv import MyConv\n\n"
        f'__all__ = [\n    {exploded},\n    "MyConv",\n]\n'
    )
    assert exported(LONG, **{"line-length": 100}) == (
        f'from .a import A\nfrom .my_conv import MyConv\n\n__all__ = [{NAMES}, "MyConv"]\n'
    )
    imported = exported("from .a import A\n", **{"line-length": 26})
    assert imported == "from .a import A\nfrom .my_conv import (\n    MyConv,\n)\n"


@pytest.mark.parametrize("source", [LONG.replace('"', "'"), LONG.replace("\n\n", "\n")])
def test_an_unformatted_file_is_not_formatted(source: str) -> None:
    quote = source[-3]
    assert exported(source) == source.replace(
        "import A\n", "import A\nfrom .my_conv import MyConv\n"
    ).replace("]", f", {quote}MyConv{quote}]")


def test_newer_python_than_black_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    from black.parsing import InvalidInput

    def refuses(*_: object, **__: object) -> str:
        raise InvalidInput("new")

    monkeypatch.setattr("black.format_str", refuses)
    assert exported("from .a import A\n") == "from .a import A\nfrom .my_conv import MyConv\n"


@pytest.mark.parametrize(
    "data",
    [
        b"x = '\xff'\n",
        b"\xff",
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        b"# coding: latin-1\n",
        b"# coding: nonsense\n",
        "x = 1\n".encode("utf-16"),
    ],
)
def test_not_in_utf_8(data: bytes) -> None:
    assert refusal(data) == (
        "can't edit lib/__init__.py: it is not UTF-8; nothing was written.",
        "Use --no-export and add `from lib.layers.my_conv import MyConv` by hand.",
    )


def test_what_to_do_by_hand() -> None:
    assert refusal(b"__all__ = names()\n", CLASSES) == (
        "can't edit lib/__init__.py: its `__all__` is not a plain list of names "
        "(line 1); nothing was written.",
        "Use --no-export and add `from lib.layers.my_conv import MyConv`, "
        "`from lib.layers.my_conv_block import MyConvBlock` "
        'and "MyConv", "MyConvBlock" to its `__all__` by hand.',
    )
    assert refusal(b"MyConv = 1\n") == (
        "can't edit lib/__init__.py: line 1 binds `MyConv` to something else; "
        "nothing was written.",
        "Use another name, or --no-export and add "
        "`from lib.layers.my_conv import MyConv` by hand.",
    )
