"""The facts read from a layer's source match its behavior."""

from __future__ import annotations

import ast
import tomllib
from typing import Any

import keras
import pytest

from scaffold.cases import Case, Input, case_from
from scaffold.errors import UsageError
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition.facts import FACTS, of_class, of_keras
from scaffold.generation.sample import IN_A_MODEL

CATALOG = Catalog.builtin()
FOLDER = CATALOG.composing("model").folder
SAMPLES: dict[str, Case] = {
    name: case_from({key: data[key] for key in data if key != IN_A_MODEL})
    for name, data in tomllib.loads(
        (CATALOG.deriving("layer").folder / "samples.toml").read_text()
    ).items()
}
SEVERAL = [n for n, case in SAMPLES.items() if not isinstance(case.inputs, Input) or case.call]
SINGLE = [name for name in SAMPLES if name not in SEVERAL]
FED_TWICE = ["AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention"]
WRAPPERS = [
    "Bidirectional",
    "Lambda",
    "Pipeline",
    "RNN",
    "SpectralNormalization",
    "TimeDistributed",
]


def made(name: str) -> keras.layers.Layer:
    return getattr(keras.layers, name)(**{k: object_of(v) for k, v in SAMPLES[name].args.items()})


def object_of(value: Any) -> Any:
    if isinstance(value, list):
        return [object_of(one) for one in value]
    known = isinstance(value, str) and value.startswith("keras.")
    return eval(value) if known else value


def typed(name: str) -> dict[str, str]:
    return {k: str(v).strip("[]") for k, v in SAMPLES[name].args.items()}


@pytest.mark.parametrize("name", [name for name in SINGLE if name not in WRAPPERS])
def test_axes_and_masks_of_keras_layers(name: str) -> None:
    case, facts = SAMPLES[name], of_keras(FOLDER, name, typed(name))
    assert facts.feeds == "x"
    if facts.data == "text":
        return
    assert (facts.data != "") == (not case.inputs.is_float)
    axes = len(case.inputs.shape)
    layer = made(name)
    output = layer(keras.KerasTensor(case.inputs.shape, case.inputs.dtype))
    assert facts.axes_behind(axes) == len(output.shape)
    if facts.takes is not None:
        assert facts.takes == axes
    if facts.mask == "refuses" and name != "Softmax":
        assert not layer.supports_masking
    if facts.mask == "keeps" and not facts.data:
        assert layer.supports_masking


# Layers that require a rank get a wrong one.
STRICT = [n for n in SINGLE if n not in WRAPPERS and of_keras(FOLDER, n, typed(n)).takes]
# They also accept images without a batch, or any rank, although one is intended.
LOOSE = {"Masking", "Embedding", "ReversibleEmbedding", "CategoryEncoding", "MelSpectrogram"}


@pytest.mark.parametrize("name", STRICT)
def test_another_rank_is_refused(name: str) -> None:
    if (
        name in LOOSE
        or name.startswith("Adaptive")
        or hasattr(getattr(keras.layers, name), "transform_images")
    ):
        return
    case = SAMPLES[name]
    with pytest.raises((ValueError, IndexError, TypeError)):
        made(name)(keras.KerasTensor((*case.inputs.shape, 3), case.inputs.dtype))


@pytest.mark.parametrize("name", [name for name in SEVERAL if name not in FED_TWICE])
def test_layers_of_several_inputs_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"several inputs|but a chain has one tensor|is an object"):
        of_keras(FOLDER, name, typed(name))


@pytest.mark.parametrize("name", FED_TWICE)
def test_attention_is_fed_the_tensor_twice(name: str) -> None:
    facts = of_keras(FOLDER, name, typed(name))
    x = keras.KerasTensor((2, 6, 5))
    output = eval(f"layer({facts.feeds})", {"layer": made(name), "x": x})
    assert output.shape == x.shape
    assert facts.takes == 3


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_of_objects_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is an object, which can't be given as text"):
        of_keras(FOLDER, name, typed(name))


def test_arguments_change_the_output() -> None:
    assert of_keras(FOLDER, "LSTM", {"units": "3", "return_sequences": "true"}).gives == 3
    assert of_keras(FOLDER, "LSTM", {"units": "3", "return_sequences": "false"}).gives == 2
    assert of_keras(FOLDER, "Reshape", {"target_shape": "(4,4,1)"}).gives == 4
    assert of_keras(FOLDER, "Embedding", {"input_dim": "9", "mask_zero": "True"}).mask == "makes"
    assert of_keras(FOLDER, "Embedding", {"input_dim": "9"}).tokens == 9
    assert of_keras(FOLDER, "AvgPool2D", {}).takes == 4
    einsum = of_keras(FOLDER, "EinsumDense", {"equation": "abc,cde->abde", "output_shape": "2"})
    assert (einsum.takes, einsum.gives) == (3, 4)


def test_the_table_names_layers_of_keras() -> None:
    table = tomllib.loads((FOLDER / FACTS).read_text())
    names = {getattr(keras.layers, name).__name__ for name in dir(keras.layers) if name[0] != "_"
             and isinstance(getattr(keras.layers, name), type)}  # fmt: skip
    assert {*table} - names == set()


CLASSES = """
class Plain(keras.layers.Layer):
    def call(self, inputs):
        return inputs

class Masked(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.supports_masking = True

    def call(self, inputs, training=None):
        return inputs

class Cross(keras.layers.Layer):
    def call(self, query, value, mask=None):
        return query

class Pair(keras.layers.Layer):
    def __init__(self, **kwargs):
        self.input_spec = [keras.layers.InputSpec(ndim=3), keras.layers.InputSpec(ndim=3)]

class Three(keras.layers.Layer):
    def call(self, one, two, three):
        return one

class Mine(keras.layers.LSTM):
    pass

class Below(Mine):
    pass

class Elsewhere(others.Base):
    pass
"""


def of(name: str, **arguments: str) -> Any:
    return of_class(FOLDER, ast.parse(CLASSES), name, name, arguments)


def test_a_custom_class() -> None:
    assert (of("Plain").takes, of("Plain").mask, of("Plain").feeds) == (None, "refuses", "x")
    assert (of("Masked").takes, of("Masked").mask) == (4, "keeps")
    assert (of("Cross").feeds, of("Cross").mask) == ("x, x", "keeps")
    assert (of("Below").takes, of("Below").gives, of("Below").mask) == (3, 2, "ends")
    assert (of("Elsewhere").takes, of("Elsewhere").mask) == (None, "keeps")
    assert of("Below", return_sequences="true").gives == 3
    with pytest.raises(UsageError, match=r"^`Pair` takes several inputs, but a chain has one$"):
        of("Pair")
    with pytest.raises(UsageError) as caught:
        of("Three")
    assert caught.value.message == (
        "`Three` is called with `one` and `two` and `three`, but a chain has one tensor."
    )
