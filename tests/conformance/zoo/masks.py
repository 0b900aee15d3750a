"""Masks that get lost, or that no longer fit their tensors."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("mask-fits-output", input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class PyramidLSTM(keras.layers.Layer):
    """Halves the length and passes the whole mask on (keras#18543)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.project = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.project.build(input_shape)

    def call(self, inputs):
        return self.project(inputs)[:, ::2]

    def compute_output_shape(self, input_shape):
        batch, length, _ = input_shape
        return (batch, length and (length + 1) // 2, self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("padding-ignored", input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class MeanOverTime(keras.layers.Layer):
    """The mean includes padded steps: the result depends on the padding (keras#18759)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.project = keras.layers.Dense(units, "tanh", dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.project.build(input_shape)

    def call(self, inputs, mask=None):
        return ops.mean(self.project(inputs), axis=1)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("mask-reaches-sublayers", input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class SelfAttention(keras.layers.Layer):
    """Attends to padded steps: a residual in `ops` has lost the mask (keras#18416)."""

    def __init__(self, heads=2, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.norm = keras.layers.LayerNormalization(dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        self.attention = keras.layers.MultiHeadAttention(
            self.heads, width // self.heads, dtype=self.dtype_policy
        )
        self.norm.build(input_shape)
        self.attention.build(input_shape, input_shape)

    def call(self, inputs, training=None):
        hidden = self.norm(ops.relu(inputs))
        return inputs + self.attention(hidden, hidden, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@seeded("mask-reaches-sublayers", input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class SentenceEncoder(keras.layers.Layer):
    """The GRU gets a scaled copy without the mask, and reads the padding (keras#19311)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.encode = keras.layers.GRU(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.encode.build(input_shape)

    def call(self, inputs, mask=None, training=None):
        return self.encode(inputs * 0.5, training=training)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("padding-ignored", input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class SequenceNorm(keras.layers.Layer):
    """Mean and variance over the steps include the padding (keras#18759)."""

    def __init__(self, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        wide = ops.cast(inputs, "float32")
        mean, variance = ops.moments(wide, axes=(1,), keepdims=True)
        centered = (wide - mean) * ops.rsqrt(variance + self.epsilon)
        return ops.cast(centered, inputs.dtype) * self.gain

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@seeded("padding-ignored", input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class MaskedSoftmaxPool(keras.layers.Layer):
    """Multiplies by the mask after the softmax, which already includes the padding (keras#18416)."""  # noqa: E501

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.score = keras.layers.Dense(1, dtype=self.dtype_policy)
        self.score.build(input_shape)

    def call(self, inputs, mask=None):
        shares = ops.softmax(self.score(inputs), axis=1)
        if mask is not None:
            shares = shares * ops.expand_dims(ops.cast(mask, shares.dtype), -1)
        return ops.sum(inputs * shares, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])
