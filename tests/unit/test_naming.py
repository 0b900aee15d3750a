from __future__ import annotations

import builtins
import keyword
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import Place, ScaffoldError, UnsafeError, UsageError
from scaffold.generation.naming import (
    check_attribute_name,
    check_class_name,
    check_package,
    module_name,
)
from scaffold.keras_source.taken_names import LAYER_ATTRIBUTES, LAYERS, MODELS

RULE = "use only letters, digits and `_`, with no leading digit"
DUNDER = "a leading `__` is reserved for Python"
OTHER = "Python would read it as another name (it is not in Unicode's NFKC form)"


@pytest.mark.parametrize(
    "name",
    ["MyConv", "VGGBlock", "Conv2DBlock", "X", "My_Conv", "Größe", "Äpfel", "Match", "A" * 60],
)
def test_class_names(name: str) -> None:
    check_class_name(name)


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("", "`` is not a valid class name: it is empty.", "Choose another name."),
        ("_", "`_` is not a valid class name: it has no letters.", "Choose another name."),
        ("my-conv", f"`my-conv` is not a valid class name: {RULE}.",
         "Call it `MyConv`, for example."),
        ("My Conv", f"`My Conv` is not a valid class name: {RULE}.",
         "Call it `MyConv`, for example."),
        ("3D", f"`3D` is not a valid class name: {RULE}.", "Choose another name."),
        ("../X", f"`../X` is not a valid class name: {RULE}.", "Call it `X`, for example."),
        ("a.b", f"`a.b` is not a valid class name: {RULE}.", "Call it `AB`, for example."),
        ("de-nse", f"`de-nse` is not a valid class name: {RULE}.", "Call it `DeNse`, for example."),
        ("-dense", f"`-dense` is not a valid class name: {RULE}.",
         "Call it `MyDense`, for example."),
        ("None", "`None` is not a valid class name: it is a Python keyword.",
         "Choose another name."),
        ("class", "`class` is not a valid class name: it is a Python keyword.",
         "Call it `Class`, for example."),
        ("__X", f"`__X` is not a valid class name: {DUNDER}.", "Call it `X`, for example."),
        ("ﬁlter", f"`ﬁlter` is not a valid class name: {OTHER}.", "Call it `FIlter`, for example."),
        ("A" * 61, f"`{'A' * 60}…` is not a valid class name: it has more than 60 characters.",
         "Choose another name."),
        ("conv", "the class name `conv` is not in CamelCase.", "Call it `Conv`."),
        ("dense", "the class name `dense` is not in CamelCase.", "Call it `MyDense`."),
        ("_X", "the class name `_X` is not in CamelCase.", "Call it `X`."),
        ("层", "the class name `层` is not in CamelCase.", "Call it `My层`."),
        ("Dense", "`Dense` is already a Keras class.", "Call it `MyDense`, for example."),
        ("Conv2D", "`Conv2D` is already a Keras class.", "Call it `MyConv2D`, for example."),
        ("Model", "`Model` is already a Keras class.", "Call it `MyModel`, for example."),
        ("Class", "`Class` would be written to class.py, which Python can't import.",
         "Call it `MyClass`, for example."),
        ("Json", "`Json` would be written to json.py, which shadows the module `json`.",
         "Call it `MyJson`, for example."),
        ("Keras", "`Keras` would be written to keras.py, which shadows the module `keras`.",
         "Call it `MyKeras`, for example."),
        ("Conftest", "`Conftest` would be written to conftest.py, which shadows the module "
         "`conftest`.", "Call it `MyConftest`, for example."),
        ("TestLayer", "pytest would collect `TestLayer` as a test.",
         "Choose a name that doesn't begin with Test."),
    ],
)  # fmt: skip
def test_class_names_refused(name: str, message: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_class_name(name)
    assert (caught.value.message, caught.value.fix) == (message, fix)
    assert caught.value.exit_code == 2


def test_no_class_shadows_a_layer() -> None:
    for name in sorted(LAYERS | MODELS):
        with pytest.raises(UsageError) as caught:
            check_class_name(name)
        assert caught.value.message == f"`{name}` is already a Keras class."


def test_no_class_shadows_a_module() -> None:
    refused = 0
    for module in sorted([*sys.stdlib_module_names, *keyword.kwlist]):
        name = module.strip("_").title()
        try:
            check_class_name(name)
        except UsageError:
            refused += 1
        else:
            assert module_name(name) not in {*sys.stdlib_module_names, *keyword.kwlist}
    assert refused > 200


@pytest.mark.parametrize("name", ["Con\x00v", "Con\nv", "Con\u202ev", "C\x1b[31m"])
def test_class_names_that_cannot_be_seen(name: str) -> None:
    with pytest.raises(UnsafeError) as caught:
        check_class_name(name)
    seen = "".join("�" if ord(c) < 32 or c == "\u202e" else c for c in name)
    [hidden] = {c for c in name if seen.count(c) < name.count(c)}
    assert caught.value.message == (
        f"the class name `{seen}` contains the control character U+{ord(hidden):04X}."
    )
    assert caught.value.fix == "Retype it without invisible characters."
    assert caught.value.exit_code == 4


def test_every_capital_letter_gives_a_module_that_can_be_imported() -> None:
    accepted = 0
    for code in range(sys.maxunicode + 1):
        name = chr(code) + "b"
        try:
            check_class_name(name)
        except ScaffoldError:
            continue
        module = module_name(name)
        assert module.isidentifier()
        assert unicodedata.normalize("NFKC", module) == module
        accepted += 1
    assert accepted > 500


@given(st.text(max_size=70) | st.from_regex(r"[A-Z][A-Za-z0-9_]{0,61}", fullmatch=True))
def test_any_class_name_is_usable_or_refused(name: str) -> None:
    try:
        check_class_name(name)
    except ScaffoldError:
        return
    namespace: dict[str, object] = {}
    exec(f"class {name}: pass", namespace)
    assert name in namespace
    module = module_name(name)
    assert f"{module}.py".encode()
    assert module.isidentifier()
    assert not keyword.iskeyword(module)
    assert unicodedata.normalize("NFKC", module) == module


@pytest.mark.parametrize("name", ["units", "gain", "_hidden", "größe", "层", "kernel", "value"])
def test_attribute_names(name: str) -> None:
    check_attribute_name(name, ())


@pytest.mark.parametrize(
    ("name", "message", "fix"),
    [
        ("", "`` is not a valid attribute name: it is empty.", "Choose another name."),
        ("a b", f"`a b` is not a valid attribute name: {RULE}.", "Call it `a_b`, for example."),
        ("1a", f"`1a` is not a valid attribute name: {RULE}.", "Choose another name."),
        ("class", "`class` is not a valid attribute name: it is a Python keyword.",
         "Choose another name."),
        ("True", "`True` is not a valid attribute name: it is a Python keyword.",
         "Choose another name."),
        ("__init__", f"`__init__` is not a valid attribute name: {DUNDER}.",
         "Call it `init`, for example."),
        ("__x", f"`__x` is not a valid attribute name: {DUNDER}.", "Call it `x`, for example."),
        ("ﬁlter", f"`ﬁlter` is not a valid attribute name: {OTHER}.", "Choose another name."),
        ("a" * 61, f"`{'a' * 60}…` is not a valid attribute name: it has more than 60 characters.",
         "Choose another name."),
        ("name", "`name` is already an attribute of every Keras layer.",
         "Call it `name_value`, for example."),
        ("dtype", "`dtype` is already an attribute of every Keras layer.",
         "Call it `dtype_value`, for example."),
        ("weights", "`weights` is already an attribute of every Keras layer.",
         "Call it `weights_value`, for example."),
        ("losses", "`losses` is already an attribute of every Keras layer.",
         "Call it `losses_value`, for example."),
        ("build", "`build` is already an attribute of every Keras layer.",
         "Call it `build_value`, for example."),
        ("call", "`call` is already an attribute of every Keras layer.",
         "Call it `call_value`, for example."),
        ("_tracker", "`_tracker` is already an attribute of every Keras layer.",
         "Call it `tracker_value`, for example."),
        ("kernel", "`kernel` is used by the template itself.",
         "Call it `kernel_value`, for example."),
        ("self", "`self` is already used in the generated code.",
         "Call it `self_value`, for example."),
        ("kwargs", "`kwargs` is already used in the generated code.",
         "Call it `kwargs_value`, for example."),
        ("keras", "`keras` is already used in the generated code.",
         "Call it `keras_value`, for example."),
        ("int_tuple", "`int_tuple` is already used in the generated code.",
         "Call it `int_tuple_value`, for example."),
        ("is_int", "`is_int` is already used in the generated code.",
         "Call it `is_int_value`, for example."),
        ("numbers", "`numbers` is already used in the generated code.",
         "Call it `numbers_value`, for example."),
        ("isinstance", "`isinstance` is already used in the generated code.",
         "Call it `isinstance_value`, for example."),
    ],
)  # fmt: skip
def test_attribute_names_refused(name: str, message: str, fix: str) -> None:
    place = Place(name, 0, len(name))
    with pytest.raises(UsageError) as caught:
        check_attribute_name(name, ["kernel"], place)
    error = caught.value
    assert (error.message, error.fix, error.place) == (message, fix, place)
    assert error.exit_code == 2


def test_names_of_every_layer_and_module_are_refused_as_attributes() -> None:
    for name in {*LAYER_ATTRIBUTES, *keyword.kwlist, *dir(builtins)}:
        with pytest.raises(UsageError):
            check_attribute_name(name, ())


def test_attribute_names_that_cannot_be_seen() -> None:
    with pytest.raises(UnsafeError) as caught:
        check_attribute_name("a\x00b", ())
    assert caught.value.message == "the attribute name `a�b` contains the control character U+0000."


@pytest.mark.parametrize("name", ["my_project", "My-Project.2", "a" * 60, "__main__"])
def test_packages(name: str) -> None:
    assert check_package(name) == name


@pytest.mark.parametrize(
    ("name", "seen"),
    [("", ""), ("a b", "a b"), ("a>b", "a>b"), ("a/b", "a/b"), ('a"b', 'a"b'), ("é", "é"),
     ("a\n", "a�"), ("a" * 61, "a" * 60 + "…")],
)  # fmt: skip
def test_packages_refused(name: str, seen: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_package(name)
    assert caught.value.message == f"the package `{seen}` can't be part of a registered name."
    assert caught.value.fix == (
        "Use up to 60 letters, digits, `_`, `-` and `.`, as in `--package my_project`."
    )
