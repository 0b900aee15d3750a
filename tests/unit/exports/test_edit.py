"""Adding a class to an `__init__.py`: the exact result."""

from __future__ import annotations

import pytest

from scaffold.package_init import NotUnderstoodError, with_export

ABSOLUTE = "from lib.layers.my_conv import MyConv\n"
RELATIVE = "from .my_conv import MyConv\n"


def exported(source: str) -> str:
    """Return the source with `MyConv` added; adding it twice changes nothing."""
    once = with_export(source, "lib.layers.my_conv", "MyConv")
    assert with_export(once, "lib.layers.my_conv", "MyConv") == once
    return once


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{}\n__all__ = ["MyConv"]\n'),
        ("\n\n", '{}\n__all__ = ["MyConv"]\n'),
        ('"""Layers."""\n', '"""Layers."""\n\n{}\n__all__ = ["MyConv"]\n'),
        ('"""Layers."""', '"""Layers."""\n\n{}\n__all__ = ["MyConv"]'),
        ("# Copyright\n", '# Copyright\n\n{}\n__all__ = ["MyConv"]\n'),
        ("# Copyright\n\n", '# Copyright\n\n{}\n__all__ = ["MyConv"]\n'),
        (
            '# Copyright\n\n"""Layers."""\n\n# TODO: more\n',
            '# Copyright\n\n"""Layers."""\n\n{}\n__all__ = ["MyConv"]\n\n# TODO: more\n',
        ),
        (
            '"""Layers."""\n\nfrom __future__ import annotations\n',
            '"""Layers."""\n\nfrom __future__ import annotations\n\n{}\n__all__ = ["MyConv"]\n',
        ),
        (
            '"""Layers."""\n\n__version__ = "1"\n',
            '"""Layers."""\n\n{}\n__all__ = ["MyConv"]\n\n__version__ = "1"\n',
        ),
    ],
)
def test_an_empty_file_gets_a_list(before: str, after: str) -> None:
    assert exported(before) == after.format(ABSOLUTE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # In the order of isort.
        (
            "from .attention import A\nfrom .pool import B\n",
            "from .attention import A\n{}from .pool import B\n",
        ),
        ("from .my_conv2 import A\n", "{}from .my_conv2 import A\n"),
        ("from .my_Conv import A\n", "from .my_Conv import A\n{}"),
        ("from ..base import A\n", "from ..base import A\n{}"),
        ("from . import attention\n", "from . import attention\n{}"),
        ("from .a import *\n", "from .a import *\n{}"),
        ("from .my_conv import *\n", "from .my_conv import *\n{}"),
        # Without an order, at the end.
        (
            "from .pool import B\nfrom .attention import A\n",
            "from .pool import B\nfrom .attention import A\n{}",
        ),
        # In its section.
        (
            "import os\n\nimport keras\n\nfrom .a import A\n\nx = os, keras\n",
            "import os\n\nimport keras\n\nfrom .a import A\n{}\nx = os, keras\n",
        ),
        (
            "from __future__ import annotations\n\nfrom .pool import B\n",
            "from __future__ import annotations\n\n{}from .pool import B\n",
        ),
        # In the block of similar imports.
        (
            "import os\n\nx = os\n\nfrom .a import A\n",
            "import os\n\nx = os\n\nfrom .a import A\n{}",
        ),
        ("from .a import A\nx = 1\n", "from .a import A\n{}x = 1\n"),
        # Comments stay with what they describe: at the top, that is the block.
        ("# Ours\nfrom .pool import B  # pools\n", "# Ours\n{}from .pool import B  # pools\n"),
        (
            '"""Layers."""\n\n# Ours\nfrom .pool import B\n',
            '"""Layers."""\n\n# Ours\n{}from .pool import B\n',
        ),
        (
            "from .a import A\n\n# About pools\nfrom .pool import B\n",
            "from .a import A\n{}\n# About pools\nfrom .pool import B\n",
        ),
        (
            "import keras\n\n# About pools\nfrom .pool import B\n",
            "import keras\n\n{}\n# About pools\nfrom .pool import B\n",
        ),
        # Most of them are relative.
        (
            "from lib.base import C\n\nfrom .a import A\nfrom .pool import B\n",
            "from lib.base import C\n\nfrom .a import A\n{}from .pool import B\n",
        ),
        # Conditional imports don't affect unconditional ones.
        (
            "from .a import A\n\ntry:\n    from .b import B\nexcept ImportError:\n    B = None\n",
            "from .a import A\n{}\ntry:\n    from .b import B\nexcept ImportError:\n    B = None\n",
        ),
    ],
)
def test_relative(before: str, after: str) -> None:
    assert exported(before) == after.format(RELATIVE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from lib.layers.a import A\n", "from lib.layers.a import A\n{}"),
        (
            "import lib.base\nfrom lib.pool import A\n",
            "import lib.base\n{}from lib.pool import A\n",
        ),
        (
            "import lib\nfrom lib.layers.pool import B\n",
            "import lib\n{}from lib.layers.pool import B\n",
        ),
        (
            "from lib.base import C\n\nfrom .a import A\n",
            "from lib.base import C\n{}\nfrom .a import A\n",
        ),
        ('__all__ = ["A"]\n', '{}\n__all__ = ["A", "MyConv"]\n'),
    ],
)
def test_absolute(before: str, after: str) -> None:
    assert exported(before) == after.format(ABSOLUTE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Like all others.
        (
            "from .a import A as A\nfrom .pool import B as B\n",
            "from .a import A as A\nfrom .my_conv import MyConv as MyConv\n"
            "from .pool import B as B\n",
        ),
        (
            "from .a import A as A\nfrom .pool import B\n",
            "from .a import A as A\nfrom .my_conv import MyConv\nfrom .pool import B\n",
        ),
        (
            "from .a import A as A\nfrom .pool import B  # noqa: F401\n",
            "from .a import A as A\nfrom .my_conv import MyConv as MyConv\n"
            "from .pool import B  # noqa: F401\n",
        ),
        (
            "from .a import A  # noqa: F401\nfrom .pool import B  # noqa: F401\n",
            "from .a import A  # noqa: F401\nfrom .my_conv import MyConv  # noqa: F401\n"
            "from .pool import B  # noqa: F401\n",
        ),
        (
            "from .a import A  # noqa: F401\nfrom .pool import B\n",
            "from .a import A  # noqa: F401\nfrom .my_conv import MyConv\nfrom .pool import B\n",
        ),
        (
            "from .a import A  # one\nfrom .pool import B  # one\n",
            "from .a import A  # one\nfrom .my_conv import MyConv\nfrom .pool import B  # one\n",
        ),
        (
            "from .a import (\n    A,  # noqa: F401\n    B,  # noqa: F401\n)\n",
            "from .a import (\n    A,  # noqa: F401\n    B,  # noqa: F401\n)\n"
            "from .my_conv import MyConv  # noqa: F401\n",
        ),
        # A file that exports nothing by importing: this import has another purpose.
        (
            "import keras\n\nx = keras\n",
            "import keras\n\nfrom lib.layers.my_conv import MyConv as MyConv\n\nx = keras\n",
        ),
        (
            '"""Layers."""\n\n\nclass A:\n    pass\n',
            '"""Layers."""\n\nfrom lib.layers.my_conv import MyConv as MyConv\n\n\n'
            "class A:\n    pass\n",
        ),
        (
            "from .base import A\n\n\nclass B(A):\n    pass\n",
            "from .base import A\nfrom .my_conv import MyConv as MyConv\n\n\n"
            "class B(A):\n    pass\n",
        ),
        # One line for each module, like isort.
        ("from .my_conv import helper\n", "from .my_conv import MyConv, helper\n"),
        ("from .my_conv import b, a\n", "from .my_conv import b, a, MyConv\n"),
        (
            "from .my_conv import (\n    ALPHA,  # a\n    # help\n    helper,\n)\n",
            "from .my_conv import (\n    ALPHA,  # a\n    MyConv,\n    # help\n    helper,\n)\n",
        ),
        (
            "from .my_conv import (\n    A,\n    B  # b\n)\n",
            "from .my_conv import (\n    A,\n    B,  # b\n    MyConv\n)\n",
        ),
        (
            "from .my_conv import helper as own\n",
            "from .my_conv import MyConv\nfrom .my_conv import helper as own\n",
        ),
        (
            "from .my_conv import MyConv as Own\n",
            "from .my_conv import MyConv\nfrom .my_conv import MyConv as Own\n",
        ),
    ],
)  # fmt: skip
def test_in_the_style_of_the_file(before: str, after: str) -> None:
    assert exported(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]", '["MyConv"]'),
        ("()", '("MyConv",)'),
        ('["A"]', '["A", "MyConv"]'),
        ("['A']", "['A', 'MyConv']"),
        ('["Z"]', '["MyConv", "Z"]'),
        ('["A", "Z"]', '["A", "MyConv", "Z"]'),
        ('["CONSTANT", "MyConv2", "my_conv"]', '["CONSTANT", "MyConv", "MyConv2", "my_conv"]'),
        ('["Z", "A"]', '["Z", "A", "MyConv"]'),
        ('["MyConv"]', '["MyConv"]'),
        ('["A",]', '["A", "MyConv"]'),
        ('["A", "B",]', '["A", "B", "MyConv",]'),
        ('("A",)', '("A", "MyConv")'),
        ('("A", "Z")', '("A", "MyConv", "Z")'),
        ('"A", "Z"', '"A", "MyConv", "Z"'),
        ('"A",', '"A", "MyConv"'),
        ('(["A"])', '(["A", "MyConv"])'),
        ('["A",\n           "Z"]', '["A",\n           "MyConv",\n           "Z"]'),
        ('[\n    "A",\n]', '[\n    "A",\n    "MyConv",\n]'),
        ('[\n    "A"\n]', '[\n    "A",\n    "MyConv"\n]'),
        ('[\n    "Z",\n]', '[\n    "MyConv",\n    "Z",\n]'),
        ('(\n    "A",\n    "Z",\n)', '(\n    "A",\n    "MyConv",\n    "Z",\n)'),
        ("[\n]", '[\n    "MyConv",\n]'),
        ("[  # none yet\n]", '[  # none yet\n    "MyConv",\n]'),
        # Comments stay in place: after, above, at the top and at the end.
        (
            '[\n    "A",  # a\n    # about z\n    "Z",  # z\n]',
            '[\n    "A",  # a\n    "MyConv",\n    # about z\n    "Z",  # z\n]',
        ),
        (
            '[  # noqa\n    # Layers\n    "Z",\n]',
            '[  # noqa\n    # Layers\n    "MyConv",\n    "Z",\n]',
        ),
        (
            '[\n    "A",  # a\n    # more to come\n]',
            '[\n    "A",  # a\n    "MyConv",\n    # more to come\n]',
        ),
        ('[\n    "A",\n    "B"  # b\n]', '[\n    "A",\n    "B",  # b\n    "MyConv"\n]'),
    ],
)
def test_the_list(before: str, after: str) -> None:
    for target in ("__all__", "__all__: Sequence[str]"):
        assert exported(f"from .a import A\n\n{target} = {before}\n") == (
            f"from .a import A\n{RELATIVE}\n{target} = {after}\n"
        )


@pytest.mark.parametrize(
    "source",
    [
        "from .my_conv import MyConv\n",
        "from lib.layers.my_conv import MyConv\n",
        "from ..layers.my_conv import MyConv as MyConv\n",
        "from .my_conv import A, MyConv\n\n__all__ = []\n",
        "if True:\n    from .my_conv import MyConv\n",
        "from .my_conv import MyConv\n\n__all__ = []\n__all__ += ['MyConv']\n",
    ],
)
def test_existing_imports_are_unchanged(source: str) -> None:
    assert exported(source) == source


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = (\n", "line 1 is not valid Python"),
        ("x = 1\nprint 'x'\n", "line 2 is not valid Python"),
        ("x = 1\ry = 2\r", "its line endings are not those of Python"),
        ("from .other import MyConv\n", "line 1 binds `MyConv` to something else"),
        ("\nimport MyConv\n", "line 2 binds `MyConv` to something else"),
        ("from .my_conv import Conv as MyConv\n", "line 1 binds `MyConv` to something else"),
        ("class MyConv:\n    pass\n", "line 1 binds `MyConv` to something else"),
        ("if 1:\n    MyConv = 1\n", "line 2 binds `MyConv` to something else"),
        ("x = 1\nfor MyConv in []:\n    pass\n", "line 2 binds `MyConv` to something else"),
        *(
            (f"from .a import A\n\n{statements}", f"its `__all__` is not a plain list of names"
             f" (line {line})")
            for statements, line in [
                ('__all__ = ["A"]\n__all__ += ["B"]\n', 4),
                ('__all__ = ["A"]\n__all__.append("B")\n', 3),
                ('__all__ = ["A"]\n__all__ = ["B"]\n', 4),
                ('__all__ = ["A"] + ["B"]\n', 3),
                ("__all__ = [*A.__all__]\n", 3),
                ("__all__ = [n for n in dir()]\n", 3),
                ('__all__ = ["A" "B"]\n', 3),
                ('__all__ = [b"A"]\n', 3),
                ("__all__ = [A]\n", 3),
                ('__all__ = {"A"}\n', 3),
                ('__all__ = ("A")\n', 3),
                ('__all__ = names = ["A"]\n', 3),
                ('__all__, x = ["A"], 1\n', 3),
                ('if A:\n    __all__ = ["A"]\n', 4),
                ("__all__: list[str]\n", 3),
                ("from .a import __all__\n", 3),
            ]
        ),
        ('from .a import *\n__all__ += ["B"]\n', "its `__all__` is not a plain list of names"
         " (line 2)"),
        ('from .a import *\n__all__.append("B")\n', "its `__all__` is not a plain list of names"),
        (
            "try:\n    from .a import A\nexcept ImportError:\n    A = None\n",
            "line 2 imports inside an `if` or `try`",
        ),
        (
            "import x\n\nif x:\n    from lib.layers.a import A\n",
            "line 4 imports inside an `if` or `try`",
        ),
        (
            "def __getattr__(name):\n    return name\n",
            "line 1 defines `__getattr__`, which may import",
        ),
        (
            "import lazy\n\n__getattr__, __dir__, __all__ = lazy.attach(__name__)\n",
            "line 3 defines `__getattr__`, which may import",
        ),
    ],
)  # fmt: skip
def test_not_understood(source: str, why: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        exported(source)
    assert str(caught.value) == why


def test_names_in_functions_are_not_names_of_the_module() -> None:
    source = "from .a import A\n\n\ndef f():\n    from .b import MyConv\n\n    return MyConv\n"
    assert exported(source) == source.replace("A\n", f"A\n{RELATIVE}", 1)


def test_a_separate_package() -> None:
    assert with_export("from .a import A\n", "lib.my_conv", "MyConv") == (
        "from .a import A\nfrom .my_conv import MyConv\n"
    )
    assert with_export("from lib import x\n", "lib.my_conv", "MyConv") == (
        "from lib import x\nfrom lib.my_conv import MyConv\n"
    )
