"""Configs that are incomplete, or contain what JSON can't represent."""

# mypy: ignore-errors

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from conformance.zoo.entry import seeded


@seeded("config-complete", input=(2, 6, 8), args={"hidden": 12, "activation": "relu"})
@keras.saving.register_keras_serializable(package="zoo")
class MixerBlock(keras.layers.Layer):
    """`activation` is not in the config: it comes back as gelu (Benjamin-Etheredge/mlp-mixer-keras#2)."""  # noqa: E501

    def __init__(self, hidden=16, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.activation = keras.activations.get(activation)
        self.expand = keras.layers.Dense(hidden, self.activation, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.expand.build(input_shape)
        self.reduce = keras.layers.Dense(input_shape[-1], dtype=self.dtype_policy)
        self.reduce.build((*input_shape[:-1], self.hidden))

    def call(self, inputs):
        return inputs + self.reduce(self.expand(inputs))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "hidden": self.hidden}


@seeded("config-complete", input=(2, 6, 8), args={"units": 5, "temperature": 4.0})
@keras.saving.register_keras_serializable(package="zoo")
class CosineClassifier(keras.layers.Dense):
    """`temperature` is not in the inherited config: it is loaded as 1 (gia-uh/autogoal#140)."""

    def __init__(self, units=3, temperature=1.0, **kwargs):
        super().__init__(units, **kwargs)
        self.temperature = temperature

    def call(self, inputs):
        kernel = ops.normalize(self.kernel, axis=0, epsilon=1e-3)
        inputs = ops.normalize(inputs, epsilon=1e-3)
        return ops.matmul(inputs, kernel) * self.temperature + self.bias


@seeded("config-complete", input=(2, 6, 8), args={"heads": 2, "scale_by": 0.3})
@keras.saving.register_keras_serializable(package="zoo")
class ScaledAttention(keras.layers.Layer):
    """`scale_by` has a default and is missing from the config (tensorflow#42830)."""

    def __init__(self, heads=2, scale_by=1.0, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.scale_by = scale_by

    def build(self, input_shape):
        width = input_shape[-1]
        self.attention = keras.layers.MultiHeadAttention(
            self.heads, width // self.heads, dtype=self.dtype_policy
        )
        self.attention.build(input_shape, input_shape)

    def call(self, inputs, training=None):
        return inputs + self.scale_by * self.attention(inputs, inputs, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@seeded("config-plain-json", silent=False, input=(2, 6, 8), args={"mean": (0.5, -0.5)})
@keras.saving.register_keras_serializable(package="zoo")
class Standardize(keras.layers.Layer):
    """A NumPy array in the config comes back as a dict (keras#8401)."""

    def __init__(self, mean=(0.0,), **kwargs):
        super().__init__(**kwargs)
        self.mean = np.asarray(mean, "float32")
        self.supports_masking = True

    def call(self, inputs):
        return inputs - ops.convert_to_tensor(self.mean.mean(), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mean": self.mean}


@dataclass(frozen=True)
class BlockConfig:
    units: int = 4
    activation: str = "gelu"


@seeded("config-plain-json", silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ConfiguredBlock(keras.layers.Layer):
    """Its one argument is a dataclass: the model can't be saved (huggingface/transformers#3101)."""

    def __init__(self, config=None, **kwargs):
        super().__init__(**kwargs)
        self.config = config or BlockConfig()
        self.dense = keras.layers.Dense(
            self.config.units, self.config.activation, dtype=self.dtype_policy
        )
        self.supports_masking = True

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.config.units)

    def get_config(self):
        return {**super().get_config(), "config": self.config}


@seeded("config-plain-json", input=(2, 6, 8), args={"gains": {2: 3.0, 5: 0.5}})
@keras.saving.register_keras_serializable(package="zoo")
class ChannelGains(keras.layers.Layer):
    """Its integer keys come back as strings, so no gain is found (tensorflow#31574)."""

    def __init__(self, gains=None, **kwargs):
        super().__init__(**kwargs)
        self.gains = gains or {}
        self.supports_masking = True

    def call(self, inputs):
        gains = [self.gains.get(channel, 1.0) for channel in range(inputs.shape[-1])]
        return inputs * ops.convert_to_tensor(gains, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "gains": dict(self.gains)}


@seeded("config-round-trip", silent=False, input=(2, 6, 8), args={"split": (2, 4)})
@keras.saving.register_keras_serializable(package="zoo")
class SplitHeads(keras.layers.Layer):
    """A tuple comes back as a list, which can't be added to a tuple (keras#19776)."""

    def __init__(self, split=(2, -1), **kwargs):
        super().__init__(**kwargs)
        self.split = split
        self.supports_masking = True

    def call(self, inputs):
        return ops.reshape(inputs, tuple(ops.shape(inputs)[:2]) + self.split)

    def compute_output_shape(self, input_shape):
        first, _ = self.split
        return (*input_shape[:-1], first, input_shape[-1] // first)

    def get_config(self):
        return {**super().get_config(), "split": self.split}


@seeded(
    "config-round-trip", also=("clone-equal",), input=(2, 6, 8), args={"units": 4, "expansion": 3}
)
@keras.saving.register_keras_serializable(package="zoo")
class InvertedBottleneck(keras.layers.Layer):
    """The config has the product instead of `units`: each reload is wider (tensorflow/hub#926)."""

    def __init__(self, units=4, expansion=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units * expansion
        self.expansion = expansion
        self.expand = keras.layers.Dense(self.units, "relu", dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.expand.build(input_shape)

    def call(self, inputs):
        return self.expand(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "expansion": self.expansion}


@seeded(
    "config-round-trip",
    also=("clone-equal",),
    silent=False,
    input=(2, 6, 8),
    args={"inner": "keras.layers.Dense(8)"},
)
@keras.saving.register_keras_serializable(package="zoo")
class Residual(keras.layers.Layer):
    """The wrapped layer comes back as a dict: there is no `from_config` (keras-io#1461)."""

    def __init__(self, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner
        self.supports_masking = True

    def build(self, input_shape):
        if not self.inner.built:
            self.inner.build(input_shape)

    def call(self, inputs):
        return inputs + self.inner(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "inner": inner}


@seeded("registered", silent=False, input=(2, 6, 8))
class Highway(keras.layers.Layer):
    """Not registered: it can't be loaded without `custom_objects` (keras#4871)."""

    def __init__(self, gate_bias=-1.0, **kwargs):
        super().__init__(**kwargs)
        self.gate_bias = gate_bias
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        bias = keras.initializers.Constant(self.gate_bias)
        self.gate = keras.layers.Dense(
            width, "sigmoid", bias_initializer=bias, dtype=self.dtype_policy
        )
        self.change = keras.layers.Dense(width, "tanh", dtype=self.dtype_policy)
        self.gate.build(input_shape)
        self.change.build(input_shape)

    def call(self, inputs):
        gate = self.gate(inputs)
        return gate * self.change(inputs) + (1 - gate) * inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "gate_bias": self.gate_bias}


@seeded("registered", input=(2, 6, 8), args={"rate": 0.3})
@keras.saving.register_keras_serializable(package="zoo", name="Squash")
class SquashV1(keras.layers.Layer):
    """`SquashV2` took its registered name, and is loaded instead (keras#22706)."""

    def __init__(self, rate=1.0, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.supports_masking = True

    def call(self, inputs):
        return ops.tanh(inputs * self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@keras.saving.register_keras_serializable(package="zoo", name="Squash")
class SquashV2(SquashV1):
    def call(self, inputs):
        return ops.sigmoid(inputs * self.rate)
