from __future__ import annotations

import pytest

from command_line import SAYS_NOTHING
from scaffold.errors import Place, UsageError
from scaffold.generation.attributes import REQUIRED, Attribute
from scaffold.generation.attributes.grammar import Declaration, declare_type, read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.meant import guessed_type
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.spec import Resolved, Spec

CATALOG = Catalog.builtin()
CONV_HAS = (
    "filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, "
    "use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, "
    "activity_regularizer, kernel_constraint, bias_constraint"
)


def request(
    name: str | None, *attributes: str, template: str | None = None, **options: str
) -> Request:
    given = tuple(map(read_attribute, attributes))
    return Request("layer", name, template, None, options, given)


def resolved(
    name: str | None, *attributes: str, template: str | None = None, **options: str
) -> Resolved:
    return resolve(CATALOG, request(name, *attributes, template=template, **options), "pkg")


def spec_of(name: str, *attributes: str, template: str | None = None, **options: str) -> Spec:
    return resolved(name, *attributes, template=template, **options).spec


def refusal(
    name: str | None, *attributes: str, template: str | None = None, **options: str
) -> UsageError:
    with pytest.raises(UsageError) as caught:
        resolved(name, *attributes, template=template, **options)
    return caught.value


@pytest.mark.parametrize(
    ("name", "template", "options", "reason"),
    [
        ("MyConv", "conv", {"rank": 2}, "by name: conv"),
        ("MyConvolution", "conv", {"rank": 2}, "by name: convolution"),
        ("MyConv1D", "conv", {"rank": 1}, "by name: conv1d"),
        ("MyConv3D", "conv", {"rank": 3}, "by name: conv3d"),
        ("GatedDense", "dense", {}, "by name: dense"),
        ("MyLinear", "dense", {}, "by name: linear"),
        ("MyProjection", "projection", {}, "by name: projection"),
        ("ConvBlock", "conv", {"rank": 2}, "by name: conv"),
        (
            "Whatever",
            "blank",
            {},
            SAYS_NOTHING,
        ),
    ],
)
def test_a_word_picks_the_template(
    name: str, template: str, options: dict[str, object], reason: str
) -> None:
    found = resolve(CATALOG, request(name), "pkg")
    spec = found.spec
    assert (spec.template, spec.options, found.reason) == (template, options, reason)
    assert spec.target == "layer"
    assert spec.package == "pkg"


def test_what_is_requested_takes_precedence() -> None:
    asked = Request("layer", "MyConv1D", "dense", "mine")
    found = resolve(CATALOG, asked, "pkg")
    assert found.spec == Spec("layer", "MyConv1D", "dense", "mine")
    assert found.reason == "as requested"
    assert spec_of("MyConv1D", rank="3").options == {"rank": 3}


def test_attributes() -> None:
    spec = spec_of("MyConv", "filters=8", "padding=same", "activation=relu", "gain:float=1{>0}")
    assert spec.assigned == {"filters": 8, "padding": "same", "activation": "relu"}
    assert [a.name for a in spec.own] == ["gain"]
    assert spec.own[0].type == declare_type("float", ">0")
    assert spec.module == "my_conv"


def test_a_default_requires_defaults_after_it() -> None:
    found = resolved("MyConv", "filters=8")
    first, second, third = found.arguments[:3]
    assert (first.attribute.default, first.plain, first.assigned) == (8, REQUIRED, True)
    assert (second.attribute.default, second.plain, second.assigned) == ((3, 3), REQUIRED, True)
    assert (third.attribute.default, third.plain, third.assigned) == ((1, 1), (1, 1), False)
    needed = "kernel_size=3,3: needs a default because an attribute before it has one"
    assert found.notes == (needed,)
    assert resolved("MyConv", "filters=8", "kernel_size=5").notes == ()
    assert resolved("MyConv", "kernel_size=5").notes == ()
    assert resolved("PointwiseConv", "filters=8").notes == (
        "kernel_size=1,1: implied by the class name",
    )


def on_base(base: str, *attributes: str) -> Resolved:
    given = tuple(map(read_attribute, attributes))
    return resolve(CATALOG, Request("layer", "Mine", attributes=given, base=base), "pkg")


def test_on_a_base_no_default_requires_others() -> None:
    found = on_base("keras.layers.Conv2D", "filters=32", "a:int=1", "b:int")
    arguments = {a.attribute.name: a for a in found.arguments}
    assert [name for name, one in arguments.items() if one.assigned] == ["filters"]
    assert arguments["filters"].attribute.default == "32"
    assert arguments["kernel_size"].attribute.default is REQUIRED
    assert [*arguments][-2:] == ["a", "b"]
    assert found.notes == ()


@pytest.mark.parametrize("base", ["LSTM", "GRU", "SimpleRNN"])
def test_a_recurrent_base_points_at_its_cell(base: str) -> None:
    name = f"keras.layers.{base}"
    assert on_base(name).notes == (
        f"`call` of {name} sees whole sequences only: to change a step, "
        f"use `--base {name}Cell` and pass the cell to keras.layers.RNN",
    )


@pytest.mark.parametrize("base", ["LSTMCell", "RNN", "ConvLSTM2D", "Bidirectional", "Dense"])
def test_another_base_points_nowhere(base: str) -> None:
    assert on_base(f"keras.layers.{base}").notes == ()


def test_custom_attributes_keep_their_order_after_the_templates() -> None:
    found = resolved("MyDense", "b:int=1", "units=3", "a:int=2")
    names = [argument.attribute.name for argument in found.arguments]
    assert names[0] == "units"
    assert names[-2:] == ["b", "a"]
    assert spec_of("Foo", "b:int", "a:int").own[0].default is REQUIRED


@pytest.mark.parametrize(
    ("name", "attributes", "message", "fix", "place"),
    [
        (None, [], "no class name given.", "Add one, as in `scaffold layer MyConv`.", None),
        ("Foo", ["a:int=1", "a:float=2"], "`a` is given twice.", "Remove one of them.",
         Place("a:float=2", 0, 1)),
        ("MyConv", ["filters=1", "filters=2"], "`filters` is given twice.",
         "Remove one of them.", Place("filters=2", 0, 7)),
        ("Foo", ["a:int=1", "b:int"], "`b` is required, but follows `a`, which has a default.",
         "Give it a default: `b:int=...`.", None),
        ("MyConv", ["b:ints(2)"],
         "`b` is required, but follows `strides`, which has a default.",
         "Give it a default: `b:ints(2)=...`.", None),
        ("MyConv", ["filters:int=2"], "the template `conv` already has `filters`.",
         "Set its default with `filters=...`.", Place("filters:int=2", 0, 7)),
        ("MyConv", ["kernel:int=2"], "`kernel` is used by the template itself.",
         "Call it `kernel_value`, for example.", Place("kernel:int=2", 0, 6)),
        ("MyConv", ["filtres=2"],
         "the template `conv` has no attribute `filtres`. Did you mean `filters`?",
         f"It has {CONV_HAS}. To add one, write `filtres:int=2`.",
         Place("filtres=2", 0, 7)),
        ("Foo", ["gain=0.5"], "the template `blank` has no attribute `gain`.",
         "It has no attributes. To add one, write `gain:float=0.5`.", Place("gain=0.5", 0, 4)),
        ("Foo", ["=5"], "the template `blank` has no attribute ``.",
         "It has no attributes. To add one, write `your_name:int=5`.", Place("=5", 0, 1)),
        ("MyConv", ["filters=0"], "`filters`: 0 violates the constraint {>0}.", "",
         Place("filters=0", 8, 9)),
        ("MyConv", ["kernel_size=1,2,3"], "`kernel_size`: [1, 2, 3] has 3 ints, not 2.", "",
         Place("kernel_size=1,2,3", 12, 17)),
        ("MyConv", ["padding=causal"],
         "`padding`: 'causal' is not one of valid, same.", "", Place("padding=causal", 8, 14)),
        ("MyConv", ["filters=None"], "`filters` can't be None.", "", Place("filters=None", 8, 12)),
        ("Foo", ["class:int=1"], "`class` is not a valid attribute name: it is a Python keyword.",
         "Choose another name.", Place("class:int=1", 0, 5)),
        ("Foo", [":int=1"], "`` is not a valid attribute name: it is empty.",
         "Choose another name.", Place(":int=1", 0, 1)),
        ("Foo", ["foo:int=1"], "`foo` is the name of the class or its module.",
         "Call it `foo_value`, for example.", Place("foo:int=1", 0, 3)),
        ("Foo", ["Foo:int=1"], "`Foo` is the name of the class or its module.",
         "Call it `Foo_value`, for example.", Place("Foo:int=1", 0, 3)),
        ("Foo", ["a:seed=1", "a_generator:int=1"],
         "`a_generator` is already the name of the generator of the seed `a`.",
         "Call it `a_generator_value`, for example.", Place("a_generator:int=1", 0, 11)),
        ("Foo", ["a_generator:int=1", "a:seed=1"],
         "`a_generator` is already the name of the generator of the seed `a`.",
         "Call it `a_generator_value`, for example.", Place("a:seed=1", 0, 1)),
        ("foo", [], "the class name `foo` is not in CamelCase.", "Call it `Foo`.",
         None),
    ],
)  # fmt: skip
def test_refused(
    name: str | None, attributes: list[str], message: str, fix: str, place: Place | None
) -> None:
    error = refusal(name, *attributes)
    assert (error.message, error.fix, error.place) == (message, fix, place)


def test_unknown_template_and_option() -> None:
    error = refusal("MyConv", template="cnv")
    assert error.message == "layer template `cnv` not found. Did you mean `conv`?"
    error = refusal("MyConv", rnk="2")
    assert error.message == "template `conv` has no option `rnk`. Did you mean `rank`?"
    assert error.fix == "See `scaffold show conv`: it has rank."
    error = refusal("Foo", rank="2")
    assert error.message == "template `blank` has no option `rank`."
    assert error.fix == "See `scaffold show blank`: it has no options."
    error = refusal("MyConv", rank="4")
    assert error.message == "option `rank=4`: it must be one of 1, 2, 3."
    assert error.fix == "Use `--option rank=2`, for example."


def test_unusable_package() -> None:
    with pytest.raises(UsageError) as caught:
        resolve(CATALOG, Request("layer", "Foo", package="a>b"), "pkg")
    assert caught.value.message == "the package `a>b` can't be part of a registered name."


def test_none_where_it_is_a_value() -> None:
    spec = spec_of("MyConv", "activation=None", "data_format=None")
    assert spec.assigned == {"activation": None, "data_format": None}


def test_request_over_another() -> None:
    flags = request("MyConv", "b:int=2", "d:int=4", template=None, rank="1")
    file = Request(
        "layer",
        "Other",
        "conv",
        "pkg",
        {"rank": "3", "x": "y"},
        request("X", "a:int=1", "b:float=1", "c:int=3").attributes,
    )
    over = flags.over(file)
    assert (over.name, over.template, over.package) == ("MyConv", "conv", "pkg")
    assert over.options == {"rank": "1", "x": "y"}
    assert [a.text for a in over.attributes] == ["a:int=1", "b:int=2", "c:int=3", "d:int=4"]
    assert file.over(Request("layer")) == file


def test_request_gives_a_declared_attribute_another_default() -> None:
    file = request("Foo", "gain:float=1{>0}", "noise:seed")
    gain, noise = request(None, "gain=2", "noise=None").over(file).attributes
    assert isinstance(gain, Declaration)
    assert isinstance(noise, Declaration)
    assert gain.attribute == Attribute("gain", declare_type("float", ">0"), 2.0)
    assert noise.attribute == Attribute("noise", declare_type("seed"), None)
    with pytest.raises(UsageError) as caught:
        request(None, "gain=0").over(file)
    assert caught.value.message == "`gain`: 0.0 violates the constraint {>0}."
    assert caught.value.place == Place("gain=0", 5, 6)


def test_request_over_another_keeps_what_is_given_twice() -> None:
    over = request("Foo", "a:int=1", "a:int=1").over(request(None, "a:int=3"))
    with pytest.raises(UsageError) as caught:
        resolve(CATALOG, over, "pkg")
    assert caught.value.message == "`a` is given twice."


def test_request_over_one_for_another_target() -> None:
    with pytest.raises(UsageError) as caught:
        request("Foo").over(Request("model"))
    assert caught.value.message == "the spec is for a model, not a layer."
    assert caught.value.fix == 'Use `scaffold model`, or write `target = "layer"`.'


@pytest.mark.parametrize(
    ("text", "keyword"),
    [("3", "int"), ("0.5", "float"), ("true", "bool"), ("relu", "activation"), ("3,5", "ints"),
     ("something", "str")],
)  # fmt: skip
def test_guessed_type(text: str, keyword: str) -> None:
    assert guessed_type(text) == keyword
