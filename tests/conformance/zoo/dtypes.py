"""Layers that ignore the requested precision, or fail in a low one."""

# mypy: ignore-errors

import keras
import numpy as np
from keras import ops

from conformance.zoo.entry import seeded


@seeded("dtype-policy", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TransformerMLP(keras.layers.Layer):
    """The dense layers don't get the policy: float32 under mixed precision (keras#19381)."""

    def __init__(self, hidden=16, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.expand = keras.layers.Dense(hidden, "gelu")
        self.supports_masking = True

    def build(self, input_shape):
        self.expand.build(input_shape)
        self.reduce = keras.layers.Dense(input_shape[-1])
        self.reduce.build((*input_shape[:-1], self.hidden))

    def call(self, inputs):
        return inputs + self.reduce(self.expand(inputs))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "hidden": self.hidden}


@seeded("dtype-policy", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class StableSoftplus(keras.layers.Layer):
    """Casts to float32 and not back (vanvalenlab/deepcell-tf#490)."""

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta
        self.supports_masking = True

    def build(self, input_shape):
        self.bias = self.add_weight(name="bias", shape=input_shape[-1:], initializer="zeros")

    def call(self, inputs):
        return ops.softplus(self.beta * ops.cast(inputs + self.bias, "float32")) / self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}


@seeded("dtype-policy", input=(2, 6, 8), args={"length": 10})
@keras.saving.register_keras_serializable(package="zoo")
class SinusoidalPositions(keras.layers.Layer):
    """Adds a float64 NumPy table to any input (jax#4718)."""

    def __init__(self, length=16, **kwargs):
        super().__init__(**kwargs)
        self.length = length
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        rates = 1e4 ** (-2 * (np.arange(width) // 2) / width)
        angles = np.arange(self.length)[:, None] * rates
        self.table = np.where(np.arange(width) % 2, np.cos(angles), np.sin(angles))

    def call(self, inputs):
        table = ops.convert_to_tensor(self.table)
        return inputs + ops.cast(table[: ops.shape(inputs)[1]], "float32")

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "length": self.length}


@seeded("dtype-policy", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class RMSScale(keras.layers.Layer):
    """The scale is excluded from autocast: the outputs are float32 (tensorflow/hub#466)."""

    def __init__(self, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(
            name="scale", shape=input_shape[-1:], initializer="ones", dtype="float32",
            autocast=False,
        )  # fmt: skip

    def call(self, inputs):
        mean = ops.mean(ops.square(ops.cast(inputs, "float32")), axis=-1, keepdims=True)
        return ops.cast(inputs, "float32") * ops.rsqrt(mean + self.epsilon) * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@seeded("finite-in-low-precision", on=("tensorflow", "jax"), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class CausalMixer(keras.layers.Layer):
    """A mask of -1e9 is infinite in float16, and NaN times 0 (keras#17571)."""

    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.query = keras.layers.Dense(width, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.query.build(input_shape)

    def call(self, inputs):
        query = self.query(inputs)
        scores = ops.matmul(query, ops.swapaxes(query, 1, 2)) * self.width**-0.5
        steps = ops.arange(ops.shape(inputs)[1])
        later = ops.cast(steps[:, None] < steps, scores.dtype)
        return ops.matmul(ops.softmax(scores + later * -1e9), inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@seeded("finite-in-low-precision", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class UnitNorm(keras.layers.Layer):
    """The epsilon of 1e-12 is 0 in float16: a step of zeros gives 0/0 (keras#23093)."""

    def __init__(self, epsilon=1e-12, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def call(self, inputs):
        squares = ops.sum(ops.square(ops.relu(inputs)), axis=-1, keepdims=True)
        return ops.relu(inputs) / ops.sqrt(squares + self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@seeded("finite-in-low-precision", input=(2, 9, 7, 3))
@keras.saving.register_keras_serializable(package="zoo")
class EnergyPooling(keras.layers.Layer):
    """Sums the squares of some hundreds in float16, beyond its limit of 65504 (keras#23546)."""

    def __init__(self, contrast=255.0, **kwargs):
        super().__init__(**kwargs)
        self.contrast = contrast

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        energy = ops.sum(ops.square(inputs * self.contrast), axis=(1, 2))
        return self.gain * ops.sqrt(energy + 1.0) / self.contrast

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "contrast": self.contrast}
