"""Layers without a defect that a careless check would flag."""

# mypy: ignore-errors

import keras
import numpy as np
from keras import ops

from conformance.zoo.entry import clean


@clean(input=(4, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class BatchCenter(keras.layers.Layer):
    """Mixes the batch and changes its statistics, only in training."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        self.mean = self.add_weight(
            name="mean", shape=input_shape[-1:], initializer="zeros", trainable=False
        )

    def call(self, inputs, training=None):
        mean = ops.cast(self.mean, inputs.dtype)
        if training:
            batch = ops.mean(inputs, axis=tuple(range(len(inputs.shape) - 1)))
            self.mean.assign(self.momentum * mean + (1 - self.momentum) * batch)
            mean = batch
        return inputs - mean

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@clean(input=[(2, 4), (2, 4)], tags=("random-at-inference",))
@keras.saving.register_keras_serializable(package="zoo")
class Sampling(keras.layers.Layer):
    """Samples at inference as well, as a variational autoencoder does, and is tagged so."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@clean(input=(2, 6, 8), args={"length": 10})
@keras.saving.register_keras_serializable(package="zoo")
class FixedPositions(keras.layers.Layer):
    """Its table is a NumPy constant, made from the arguments and never trained."""

    def __init__(self, length=16, **kwargs):
        super().__init__(**kwargs)
        self.length = length
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        angles = np.arange(self.length)[:, None] / 100 ** (np.arange(width) / width)
        self.table = np.sin(angles).astype("float32")

    def call(self, inputs):
        table = ops.convert_to_tensor(self.table, inputs.dtype)
        return inputs + table[: ops.shape(inputs)[1]]

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "length": self.length}


@clean(input="2,6:int32:0..9")
@keras.saving.register_keras_serializable(package="zoo")
class FrozenVectors(keras.layers.Layer):
    """A table of vectors that is kept fixed by `trainable=False`."""

    def __init__(self, size=9, width=4, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.width = width

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table", shape=(self.size, self.width), trainable=False
        )  # fmt: skip

    def call(self, inputs):
        return ops.take(ops.convert_to_tensor(self.table), ops.cast(inputs, "int32"), axis=0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.width)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "width": self.width}


@clean(input=(2, 6, 8), tags=("not-differentiable",))
@keras.saving.register_keras_serializable(package="zoo")
class Buckets(keras.layers.Layer):
    """Returns integers, declares so, and has nothing to train."""

    def __init__(self, bounds=(-1.0, 0.0, 1.0), **kwargs):
        super().__init__(**kwargs)
        self.bounds = tuple(bounds)
        self.supports_masking = True

    def call(self, inputs):
        bounds = ops.convert_to_tensor(self.bounds, inputs.dtype)
        above = ops.expand_dims(inputs, -1) >= bounds
        return ops.sum(ops.cast(above, "int32"), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, "int32")

    def get_config(self):
        return {**super().get_config(), "bounds": list(self.bounds)}


@clean(input={"left": (2, 6), "right": (2, 6)})
@keras.saving.register_keras_serializable(package="zoo")
class TwoTasks(keras.layers.Layer):
    """Takes a dict and returns a dict with other names and widths."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.joint = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.single = keras.layers.Dense(1, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.joint.build(input_shape["left"])
        self.single.build(input_shape["right"])

    def call(self, inputs):
        joint = self.joint(inputs["left"] - inputs["right"])
        return {"joint": joint, "single": self.single(inputs["right"])}

    def compute_output_shape(self, input_shape):
        left, right = input_shape["left"], input_shape["right"]
        return {"joint": (*left[:-1], self.units), "single": (*right[:-1], 1)}

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@clean(input=(2, 6, 8), args={"rate": 0.0})
@keras.saving.register_keras_serializable(package="zoo")
class OptionalDropout(keras.layers.Layer):
    """Has a dropout for rates above 0 only; here there is none."""

    def __init__(self, rate=0.2, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.drop = None
        if rate:
            self.drop = keras.layers.Dropout(rate, seed=seed, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs, training=None):
        scaled = inputs * self.scale
        return scaled if self.drop is None else self.drop(scaled, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@clean(input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class Recurrence(keras.layers.Layer):
    """Calls the same layer twice, on purpose."""

    def __init__(self, steps=2, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps
        self.supports_masking = True

    def build(self, input_shape):
        self.shared = keras.layers.Dense(input_shape[-1], "tanh", dtype=self.dtype_policy)
        self.shared.build(input_shape)

    def call(self, inputs):
        for _ in range(self.steps):
            inputs = self.shared(inputs)
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "steps": self.steps}


@clean(input="2,6,8:mask")
@keras.saving.register_keras_serializable(package="zoo")
class MaskedMean(keras.layers.Layer):
    """Consumes the mask and passes none on, with an output of lower rank."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs, mask=None):
        inputs = inputs * self.scale
        if mask is None:
            return ops.mean(inputs, axis=1)
        kept = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * kept, axis=1) / ops.maximum(ops.sum(kept, axis=1), 1.0)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


@clean(input=(2, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TiedAutoencoder(keras.layers.Layer):
    """One kernel encodes, and its transpose decodes."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=input_shape[-1:], initializer="zeros")

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.kernel)
        code = ops.tanh(ops.matmul(inputs, kernel))
        return ops.matmul(code, ops.transpose(kernel)) + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="zoo")
class LeakyCell(keras.layers.Layer):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))

    def call(self, inputs, states):
        state = 0.8 * states[0] + 0.2 * ops.matmul(inputs, self.kernel)
        return state, [state]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@clean(input="2,6,8:mask", args={"units": 3})
@keras.saving.register_keras_serializable(package="zoo")
class Leaky(keras.layers.Layer):
    """Runs its own cell in Keras's `RNN`, which handles the mask."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        cell = LeakyCell(units, dtype=self.dtype_policy)
        self.rnn = keras.layers.RNN(cell, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.rnn.build(input_shape)

    def call(self, inputs, mask=None, training=None):
        return self.rnn(inputs, mask=mask, training=training)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@clean(input=(2, 6), tags=("not-differentiable",))
@keras.saving.register_keras_serializable(package="zoo")
class Quantile(keras.layers.Layer):
    """Sorts the features of a sample and keeps some of them."""

    def __init__(self, quantiles=(0.1, 0.5, 0.9), **kwargs):
        super().__init__(**kwargs)
        self.quantiles = tuple(quantiles)

    def call(self, inputs):
        ordered = ops.sort(inputs, axis=-1)
        last = inputs.shape[-1] - 1
        return ops.take(ordered, [round(q * last) for q in self.quantiles], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], len(self.quantiles))

    def get_config(self):
        return {**super().get_config(), "quantiles": list(self.quantiles)}
