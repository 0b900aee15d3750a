"""What each layer of Keras is checked with, except those that preprocess data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffold.cases import Case, Input, Structure

Table = Mapping[str, list[Case]]


def case(
    inputs: Structure,
    *tags: str,
    call: Mapping[str, Any] | None = None,
    **args: Any,
) -> Case:
    """Return a case, with the constructor's arguments as keywords."""
    return Case(args=args, inputs=inputs, call=call or {}, tags=frozenset(tags))


def image(*shape: int) -> Input:
    """Return pixels from 0 to 255, with a different size on every axis."""
    return Input(shape or (2, 8, 10, 3), low=0.0, high=255.0)


VECTOR = Input((2, 8))
SEQUENCE = Input((2, 6, 5))
PADDED = Input((2, 6, 5), mask=True)
PLANE = Input((2, 8, 10, 3))
VOLUME = Input((2, 6, 7, 8, 3))
PLANE_FIRST = Input((2, 3, 8, 10))
VOLUME_FIRST = Input((2, 3, 6, 7, 8))
FIRST: dict[str, Any] = {"data_format": "channels_first"}
WORDS = Input((2, 6), "int32", high=7)

ACTIVATIONS: Table = {
    "Activation": [case(SEQUENCE, activation="gelu"), case(PADDED, activation="relu")],
    "ELU": [case(SEQUENCE, alpha=0.5)],
    "LeakyReLU": [case(SEQUENCE, negative_slope=0.1)],
    "PReLU": [case(PLANE, shared_axes=[1, 2], alpha_initializer="random_normal")],
    "ReLU": [case(SEQUENCE, max_value=2.0, negative_slope=0.1, threshold=0.5)],
    "Softmax": [case(SEQUENCE), case(SEQUENCE, axis=1)],
    "ActivityRegularization": [case(SEQUENCE, l1=0.1, l2=0.2)],
}

CORE: Table = {
    "Dense": [
        case(VECTOR, units=4),
        case(PADDED, units=4, activation="relu", kernel_regularizer="l2", use_bias=False),
    ],
    "EinsumDense": [
        case(SEQUENCE, equation="abc,cd->abd", output_shape=[None, 4], bias_axes="d"),
    ],
    "Embedding": [
        case(WORDS, input_dim=7, output_dim=4),
        case(WORDS, input_dim=7, output_dim=4, mask_zero=True),
    ],
    "ReversibleEmbedding": [
        case(WORDS, input_dim=7, output_dim=4),
        case(SEQUENCE, input_dim=7, output_dim=5, tie_weights=False, call={"reverse": True}),
    ],
    "Identity": [case(PADDED)],
    "Lambda": [case(SEQUENCE, function="keras.activations.softplus")],
    "Masking": [case(SEQUENCE, "padding-matters")],
}

CONVOLUTIONS: Table = {
    "Conv1D": [
        case(SEQUENCE, filters=4, kernel_size=3),
        case(SEQUENCE, filters=4, kernel_size=3, padding="causal", dilation_rate=2),
        case(SEQUENCE, filters=4, kernel_size=2, padding="same", strides=2, **FIRST),
    ],
    "Conv2D": [
        case(PLANE, filters=4, kernel_size=3),
        case(PLANE, filters=6, kernel_size=[3, 2], padding="same", groups=3, activation="relu"),
        case(PLANE_FIRST, filters=4, kernel_size=3, strides=[2, 1], **FIRST),
        case(
            Input((2, 3, 5, 6)), filters=4, kernel_size=3, bias_initializer="random_normal", **FIRST
        ),
    ],
    "Conv3D": [
        case(VOLUME, filters=4, kernel_size=3),
        case(VOLUME_FIRST, filters=4, kernel_size=2, padding="same", **FIRST),
    ],
    "Conv1DTranspose": [
        case(SEQUENCE, filters=4, kernel_size=3, strides=2),
        case(SEQUENCE, filters=4, kernel_size=3, padding="same", **FIRST),
    ],
    "Conv2DTranspose": [
        case(PLANE, filters=4, kernel_size=3, strides=2),
        case(PLANE_FIRST, filters=4, kernel_size=3, padding="same", **FIRST),
    ],
    "Conv3DTranspose": [
        case(VOLUME, filters=4, kernel_size=2, strides=2),
        case(VOLUME_FIRST, filters=4, kernel_size=2, padding="same", **FIRST),
    ],
    "DepthwiseConv1D": [
        case(SEQUENCE, kernel_size=3, depth_multiplier=2),
        case(SEQUENCE, kernel_size=3, **FIRST),
    ],
    "DepthwiseConv2D": [
        case(PLANE, kernel_size=3, depth_multiplier=2),
        case(PLANE_FIRST, kernel_size=3, **FIRST),
    ],
    "SeparableConv1D": [
        case(SEQUENCE, filters=4, kernel_size=3, depth_multiplier=2),
        case(SEQUENCE, filters=4, kernel_size=3, **FIRST),
    ],
    "SeparableConv2D": [
        case(PLANE, filters=4, kernel_size=3, depth_multiplier=2),
        case(PLANE_FIRST, filters=4, kernel_size=3, **FIRST),
    ],
}

POOLING: Table = {
    **{
        f"{kind}Pooling1D": [
            case(SEQUENCE, pool_size=2),
            case(SEQUENCE, pool_size=3, strides=2, padding="same", **FIRST),
        ]
        for kind in ("Average", "Max")
    },
    **{
        f"{kind}Pooling2D": [
            case(PLANE, pool_size=2),
            case(PLANE_FIRST, pool_size=[3, 2], strides=2, padding="same", **FIRST),
        ]
        for kind in ("Average", "Max")
    },
    **{
        f"{kind}Pooling3D": [case(VOLUME, pool_size=2), case(VOLUME_FIRST, pool_size=2, **FIRST)]
        for kind in ("Average", "Max")
    },
    **{
        f"Global{kind}Pooling{rank}D": [
            case(channels_last),
            case(channels_first, keepdims=True, **FIRST),
        ]
        for kind in ("Average", "Max")
        for rank, channels_last, channels_first in (
            (1, SEQUENCE, SEQUENCE),
            (2, PLANE, PLANE_FIRST),
            (3, VOLUME, VOLUME_FIRST),
        )
    },
    **{
        f"Adaptive{kind}Pooling{rank}D": [
            case(channels_last, "fixed-shape", output_size=2),
            case(channels_first, "fixed-shape", output_size=3, **FIRST),
        ]
        for kind in ("Average", "Max")
        for rank, channels_last, channels_first in (
            (1, SEQUENCE, SEQUENCE),
            (2, PLANE, PLANE_FIRST),
            (3, VOLUME, VOLUME_FIRST),
        )
    },
}

NORMALIZATION: Table = {
    "BatchNormalization": [
        case(PLANE),
        case(PLANE_FIRST, axis=1),
        case(VECTOR, renorm=True, center=False),
    ],
    "GroupNormalization": [case(Input((2, 6, 4)), groups=2), case(PLANE_FIRST, groups=3, axis=1)],
    "LayerNormalization": [case(SEQUENCE), case(PLANE, axis=[1, 2], center=False)],
    "RMSNormalization": [case(SEQUENCE)],
    "SpectralNormalization": [case(VECTOR, layer="keras.layers.Dense(3)")],
    "UnitNormalization": [case(SEQUENCE)],
}

REGULARIZATION: Table = {
    "AlphaDropout": [case(SEQUENCE, rate=0.5)],
    "Dropout": [case(SEQUENCE, rate=0.5), case(PADDED, rate=0.5, noise_shape=[None, 1, None])],
    "GaussianDropout": [case(SEQUENCE, rate=0.5)],
    "GaussianNoise": [case(SEQUENCE, stddev=0.5)],
    "SpatialDropout1D": [case(SEQUENCE, rate=0.5)],
    "SpatialDropout2D": [case(PLANE, rate=0.5), case(PLANE_FIRST, rate=0.5, **FIRST)],
    "SpatialDropout3D": [case(VOLUME, rate=0.5)],
}

MERGING: Table = {
    **{
        name: [case([SEQUENCE, SEQUENCE])]
        for name in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")
    },
    "Concatenate": [case([SEQUENCE, Input((2, 6, 3))]), case([PADDED, PADDED], axis=1)],
    "Dot": [
        case([SEQUENCE, SEQUENCE], axes=[1, 1]),
        case([VECTOR, VECTOR], axes=1, normalize=True),
    ],
}

RESHAPING: Table = {
    "Cropping1D": [case(SEQUENCE, cropping=[1, 2])],
    "Cropping2D": [
        case(PLANE, cropping=[[1, 2], [0, 1]]),
        case(PLANE_FIRST, cropping=[[1, 2], [0, 1]], **FIRST),
    ],
    "Cropping3D": [
        case(VOLUME, cropping=[[1, 2], [0, 1], [1, 1]]),
        case(VOLUME_FIRST, cropping=[[1, 2], [0, 1], [1, 1]], **FIRST),
    ],
    "Flatten": [case(PLANE), case(PLANE_FIRST, **FIRST)],
    "Permute": [case(SEQUENCE, dims=[2, 1])],
    "RepeatVector": [case(VECTOR, n=3)],
    "Reshape": [case(SEQUENCE, target_shape=[3, -1])],
    "UpSampling1D": [case(SEQUENCE, size=2)],
    "UpSampling2D": [
        case(PLANE, size=[2, 3]),
        case(PLANE_FIRST, size=2, interpolation="bilinear", **FIRST),
    ],
    "UpSampling3D": [case(VOLUME, size=[2, 1, 3]), case(VOLUME_FIRST, size=2, **FIRST)],
    "ZeroPadding1D": [case(SEQUENCE, padding=[1, 2]), case(SEQUENCE, padding=1, **FIRST)],
    "ZeroPadding2D": [
        case(PLANE, padding=[[1, 2], [0, 1]]),
        case(PLANE_FIRST, padding=[[1, 2], [0, 1]], **FIRST),
    ],
    "ZeroPadding3D": [
        case(VOLUME, padding=[[1, 2], [0, 1], [1, 1]]),
        case(VOLUME_FIRST, padding=[[1, 2], [0, 1], [1, 1]], **FIRST),
    ],
}

ATTENTION: Table = {
    "AdditiveAttention": [case([SEQUENCE, Input((2, 4, 5))])],
    "Attention": [
        case([SEQUENCE, Input((2, 4, 5))], use_scale=True),
        case([PADDED, PADDED], score_mode="concat"),
    ],
    "GroupQueryAttention": [
        case(
            SEQUENCE,
            head_dim=4,
            num_query_heads=4,
            num_key_value_heads=2,
            call={"value": Input((2, 4, 5))},
        ),
    ],
    "MultiHeadAttention": [
        case(SEQUENCE, num_heads=2, key_dim=4, call={"value": Input((2, 4, 5))}),
        case(PADDED, num_heads=2, key_dim=3, value_dim=2, dropout=0.2, call={"value": PADDED}),
        case(
            SEQUENCE,
            num_heads=2,
            key_dim=4,
            call={"value": SEQUENCE, "return_attention_scores": True, "use_causal_mask": True},
        ),
    ],
}

RECURRENT: Table = {
    **{
        name: [
            case(SEQUENCE, units=4),
            case(PADDED, units=4, return_sequences=True, return_state=True),
        ]
        for name in ("GRU", "LSTM", "SimpleRNN")
    },
    **{
        name: [case(VECTOR, units=4, call={"states": Input((2, 4))})]
        for name in ("GRUCell", "SimpleRNNCell")
    },
    "LSTMCell": [case(VECTOR, units=4, call={"states": [Input((2, 4)), Input((2, 4))]})],
    "RNN": [
        case(SEQUENCE, cell="keras.layers.LSTMCell(4)"),
        case(PADDED, cell="keras.layers.GRUCell(4)", return_sequences=True),
    ],
    "StackedRNNCells": [
        case(
            VECTOR,
            cells=["keras.layers.GRUCell(4)", "keras.layers.SimpleRNNCell(3)"],
            call={"states": [Input((2, 4)), Input((2, 3))]},
        ),
    ],
    "Bidirectional": [
        case(SEQUENCE, layer="keras.layers.LSTM(3)"),
        case(PADDED, layer="keras.layers.GRU(3, return_sequences=True)", merge_mode="sum"),
    ],
    "TimeDistributed": [
        case(SEQUENCE, layer="keras.layers.Dense(3)"),
        case(Input((2, 4, 8, 7, 3)), layer="keras.layers.Conv2D(2, 3)"),
    ],
    "ConvLSTM1D": [case(Input((2, 4, 7, 3)), filters=2, kernel_size=3)],
    "ConvLSTM2D": [
        case(Input((2, 3, 6, 7, 2)), filters=2, kernel_size=3, return_sequences=True),
        case(Input((2, 3, 2, 6, 7)), filters=3, kernel_size=2, padding="same", **FIRST),
    ],
    "ConvLSTM3D": [case(Input((2, 3, 4, 5, 6, 2)), filters=2, kernel_size=2)],
}

LAYERS: Table = {
    **ACTIVATIONS,
    **CORE,
    **CONVOLUTIONS,
    **POOLING,
    **NORMALIZATION,
    **REGULARIZATION,
    **MERGING,
    **RESHAPING,
    **ATTENTION,
    **RECURRENT,
}
