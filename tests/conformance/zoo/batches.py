"""Samples of a batch that affect each other, and inputs that are written to."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("any-batch-size", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class GroupFeatures(keras.layers.Layer):
    """Keeps the batch size of `build`: four samples become two wide ones (keras#8627)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        batch, length, width = input_shape
        self.flat = (batch, -1) if batch else (-1, length * width)
        self.scale = self.add_weight(name="scale", shape=(length, width), initializer="ones")

    def call(self, inputs):
        return ops.reshape(inputs * self.scale, self.flat)

    def compute_output_shape(self, input_shape):
        batch, length, width = input_shape
        return (batch, length * width if length else None)


@seeded("items-independent", input=(4, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class AttentionPooling(keras.layers.Layer):
    """The softmax runs over axis 0, the batch, instead of the steps (PetrochukM/PyTorch-NLP#2)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(units, "tanh", dtype=self.dtype_policy)
        self.score = keras.layers.Dense(1, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.score.build((*input_shape[:-1], self.units))

    def call(self, inputs):
        shares = ops.softmax(self.score(self.hidden(inputs)), axis=0)
        return ops.sum(inputs * shares, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("items-independent", input=(4, 9, 7, 3))
@keras.saving.register_keras_serializable(package="zoo")
class MinMaxImage(keras.layers.Layer):
    """Scales by the minimum and the maximum of the whole batch (keras#270)."""

    def __init__(self, margin=0.1, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def call(self, inputs):
        low, high = ops.min(inputs), ops.max(inputs)
        return (inputs - low) / (high - low + self.margin)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@seeded("items-independent", input=(4, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class HeadwiseAttention(keras.layers.Layer):
    """Splits the heads with a reshape that folds the batch into them."""

    def __init__(self, heads=2, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape):
        width = input_shape[-1]
        self.project = keras.layers.Dense(width, dtype=self.dtype_policy)
        self.project.build(input_shape)

    def call(self, inputs):
        length, width = ops.shape(inputs)[1], inputs.shape[-1] // self.heads
        heads = ops.reshape(self.project(inputs), (self.heads, -1, length, width))
        scores = ops.einsum("hbqd,hbkd->bhqk", heads, heads) * width**-0.5
        mixed = ops.einsum("bhqk,hbkd->bqhd", ops.softmax(scores), heads)
        return ops.reshape(mixed, (-1, length, inputs.shape[-1]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@seeded("inputs-not-changed", also=("export",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ResidualMLP(keras.layers.Layer):
    """`inputs += ...` writes into the caller's tensor on Torch (keras#21096)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.hidden = keras.layers.Dense(input_shape[-1], "gelu", dtype=self.dtype_policy)
        self.hidden.build(input_shape)

    def call(self, inputs):
        inputs += self.hidden(inputs)
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


class _ChannelBlock(keras.layers.Layer):
    def __init__(self, filters=4, data_format="channels_last", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.data_format = data_format

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[-1 if self.data_format == "channels_last" else 1] = self.filters
        return tuple(shape)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "data_format": self.data_format,
        }


@seeded("data-format-equivalent", input=(2, 9, 7, 3))
@keras.saving.register_keras_serializable(package="zoo")
class PointwiseNorm(_ChannelBlock):
    """The batch normalization keeps axis -1 with channels first (Zeta36/chess-alpha-zero#90)."""

    def __init__(self, filters=4, data_format="channels_last", **kwargs):
        super().__init__(filters, data_format, **kwargs)
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy)

    def build(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        self.kernel = self.add_weight(name="kernel", shape=(channels, self.filters))
        self.norm.build(self.compute_output_shape(input_shape))

    def call(self, inputs, training=None):
        equation = "bhwc,cd->bhwd" if self.data_format == "channels_last" else "bchw,cd->bdhw"
        return self.norm(ops.einsum(equation, inputs, self.kernel), training=training)


@seeded("data-format-equivalent", input=(2, 9, 7, 4), args={"filters": 4})
@keras.saving.register_keras_serializable(package="zoo")
class SqueezeExcite(_ChannelBlock):
    """Squeezes axes 1 and 2, which are not the image with channels first (keras-applications#155)."""  # noqa: E501

    def build(self, input_shape):
        self.gate = keras.layers.Dense(self.filters, "sigmoid", dtype=self.dtype_policy)
        self.gate.build((input_shape[0], input_shape[-1]))

    def call(self, inputs):
        gate = self.gate(ops.mean(inputs, axis=(1, 2)))
        return inputs * ops.expand_dims(ops.expand_dims(gate, 1), 1)


@seeded("data-format-equivalent", input=(2, 5, 3, 4), args={"filters": 8})
@keras.saving.register_keras_serializable(package="zoo")
class RectifiedConcat(_ChannelBlock):
    """Concatenates on the last axis whatever `data_format` says (Zeta36/chess-alpha-zero#90)."""

    def call(self, inputs):
        return ops.concatenate([inputs, ops.relu(inputs)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * input_shape[-1])
