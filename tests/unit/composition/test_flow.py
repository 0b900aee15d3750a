"""The data flow fits each of the layers, and determines the training data."""

from __future__ import annotations

import pytest

from scaffold.errors import UsageError
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import Parallel, Residual, read_use
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve

CATALOG = Catalog.builtin()


def data_of(*texts: str, **options: str) -> object:
    layers = tuple(map(read_use, texts))
    request = Request("model", "MyNet", options=options, layers=layers)
    return resolve(CATALOG, request, "pkg").spec.options["data"]


@pytest.mark.parametrize(
    ("layers", "data"),
    [
        (["Flatten", "Dense:units=10"], "images"),
        (["Dense:units=10"], "table"),
        (["ReLU"], "table"),
        (["conv:filters=2:kernel_size=3", "GlobalMaxPooling2D", "Dense:units=10"], "images"),
        (["Conv2D:filters=2:kernel_size=3"], "images"),
        (["MultiHeadAttention:num_heads=2:key_dim=4", "GlobalAveragePooling1D"], "rows"),
        (["multi_head_attention:num_heads=2:key_dim=4", "Flatten"], "rows"),
        (["attention", "GlobalAveragePooling1D"], "rows"),
        (["LSTM:units=3", "Dense:units=10"], "rows"),
        (["gru:units=3:return_sequences=true", "LSTM:units=3"], "rows"),
        (["transformer_encoder:intermediate_dim=4:num_heads=2", "Flatten"], "rows"),
        (["Embedding:input_dim=20:output_dim=3:mask_zero=true", "LSTM:units=3"], "tokens"),
        (["embedding:input_dim=20:output_dim=3", "Flatten"], "tokens"),
        (["Conv3D:filters=2:kernel_size=2", "Flatten"], "volumes"),
        (["EinsumDense:equation=abc,cd->abd:output_shape=8,6", "Flatten"], "rows"),
        (["RepeatVector:n=3", "LSTM:units=3"], "table"),
        (["Masking", "Dense:units=4", "LSTM:units=3"], "rows"),
        (["Masking", "LSTM:units=3", "Reshape:target_shape=3,1", "Flatten"], "rows"),
    ],
)
def test_the_data_follows_from_the_layers(layers: list[str], data: str) -> None:
    assert data_of(*layers) == data


def test_the_requested_data_takes_precedence() -> None:
    assert data_of("Flatten", "Dense:units=10", data="rows") == "rows"
    assert data_of("Dense:units=10", data="images") == "images"


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        (
            ["Conv2D:filters=2:kernel_size=3", "LSTM:units=2"],
            {},
            "`LSTM` takes inputs of rank 3, but gets rank 4.",
        ),
        (
            ["LSTM:units=2", "LSTM:units=2"],
            {},
            "`LSTM` takes inputs of rank 3, but gets rank 2.",
        ),
        (
            ["LSTM:units=2"],
            {"data": "images"},
            "`LSTM` takes inputs of rank 3, but gets rank 4.",
        ),
        (
            ["Masking", "Conv1D:filters=2:kernel_size=3"],
            {},
            "`Conv1D` can't use the mask that `Masking` makes.",
        ),
        (
            ["Masking", "Dense:units=3", "conv1d:filters=2:kernel_size=3"],
            {},
            "`MyNetConv1d` can't use the mask that `Masking` makes.",
        ),
        (
            ["Embedding:input_dim=9:output_dim=3:mask_zero=true", "Flatten"],
            {},
            "`Flatten` can't use the mask that `Embedding` makes.",
        ),
        (
            ["Dense:units=2", "Embedding:input_dim=9:output_dim=3"],
            {},
            "`Embedding` takes integers.",
        ),
        (["StringLookup"], {}, "`StringLookup` takes text or keys, but there is no such data."),
        (["Add"], {}, "`keras.layers.Add` takes several inputs, but a chain has one."),
        (["merge"], {}, "`merge` takes several inputs, but a chain has one."),
        (["graph_conv:units=3"], {}, "`graph_conv` takes several inputs, but a chain has one."),
        (
            ["GRUCell:units=3"],
            {},
            "`keras.layers.GRUCell` is called with `inputs` and `states`, "
            "but a chain has one tensor.",
        ),
        (
            ["Bidirectional:layer=LSTM"],
            {},
            "`layer` of `keras.layers.Bidirectional` is an object, which can't be given as text.",
        ),
        (["wrapper"], {}, "`wrapper` wraps another layer, which can't be given as text."),
        (
            ["MultiHeadAttention:num_heads=2:key_dim=4"],
            {"style": "sequential"},
            "a model with branches, or with a layer of several inputs, " "can't be sequential.",
        ),
    ],
)
def test_a_chain_that_cannot_be_built(
    layers: list[str], options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        data_of(*layers, **options)
    assert caught.value.message == message
    assert caught.value.fix


def test_branches() -> None:
    flat = [read_use("Flatten"), read_use("Dense:units=3")]
    conv = read_use("Conv2D:filters=1:kernel_size=3:padding=same")

    def data(*stages: object) -> object:
        request = Request("model", "MyNet", layers=stages)  # type: ignore[arg-type]
        return resolve(CATALOG, request, "pkg").spec.options["data"]

    pooled = [conv, read_use("GlobalMaxPooling2D")]
    assert data(Parallel([flat, pooled])) == "images"
    assert data(Residual([conv]), *flat) == "images"
    with pytest.raises(UsageError, match=r"^`Concatenate` merges tensors of ranks 2 and 4$"):
        data(conv, Parallel([flat, [conv]]))
    with pytest.raises(UsageError, match=r"^`Add` merges tensors of ranks 2 and 4$"):
        data(conv, Residual(flat))
