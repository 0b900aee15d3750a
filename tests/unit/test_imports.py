from __future__ import annotations

from scaffold.generation.imports import Imports


def test_sorted_in_sections() -> None:
    imports = Imports("my_pkg.my_conv")
    assert imports.add("my_pkg.my_conv", "MyConv") == ""
    assert imports.add("numpy", alias="np") == ""
    imports.add("keras", "ops")
    imports.add("keras")
    imports.add("sys")
    imports.add("json")
    imports.add("os.path", "join", "abspath")
    assert str(imports).split("\n") == [
        "import json",
        "import sys",
        "from os.path import abspath, join",
        "",
        "import keras",
        "import numpy as np",
        "from keras import ops",
        "",
        "from my_pkg.my_conv import MyConv",
    ]


def test_names_are_in_the_order_of_isort() -> None:
    imports = Imports("mine")
    imports.add("mine", "make", "FeatureTokenizer", "FeaturesNet", "TIMES", "B")
    assert str(imports) == "from mine import TIMES, B, FeaturesNet, FeatureTokenizer, make"


def test_numbers_in_names_are_numbers() -> None:
    imports = Imports("mine")
    imports.add("mine", "Conv10", "Conv2", "conv2", "Conv02")
    assert str(imports) == "from mine import Conv02, Conv2, Conv10, conv2"


def test_own_modules_are_last() -> None:
    imports = Imports("mine")
    imports.add("beside", "Layer", own=True)
    imports.add("numpy", alias="np")
    assert str(imports) == "import numpy as np\n\nfrom beside import Layer"


def test_twice_is_once() -> None:
    imports = Imports()
    for name in ("ops", "random", "ops"):
        imports.add("keras")
        imports.add("keras", name)
    assert str(imports) == "import keras\nfrom keras import ops, random"


def test_none() -> None:
    assert str(Imports("my_conv")) == ""
