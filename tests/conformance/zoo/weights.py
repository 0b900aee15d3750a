"""Weights that Keras doesn't track, that come too late, or that all start equal."""

# mypy: ignore-errors

from functools import lru_cache
from types import SimpleNamespace

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("weights-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LayerScale(keras.layers.Layer):
    """`gamma` is a tensor, not a weight: neither trained nor saved (keras#4401)."""

    def __init__(self, initial=0.1, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial
        self.supports_masking = True

    def build(self, input_shape):
        self.gamma = self.initial * ops.ones((input_shape[-1],), self.compute_dtype)

    def call(self, inputs):
        return inputs * ops.cast(self.gamma, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}


@seeded("weights-tracked", input=(2, 4), args={"clusters": 3})
@keras.saving.register_keras_serializable(package="zoo")
class SoftAssignment(keras.layers.Layer):
    """The centroids are an initializer's result, not a weight: random after load (keras#4401)."""

    def __init__(self, clusters=5, **kwargs):
        super().__init__(**kwargs)
        self.clusters = clusters

    def build(self, input_shape):
        initializer = keras.initializers.RandomNormal()
        self.centroids = initializer((self.clusters, input_shape[-1]), self.variable_dtype)

    def call(self, inputs):
        centroids = ops.cast(self.centroids, inputs.dtype)
        offsets = ops.expand_dims(inputs, -2) - centroids
        return ops.softmax(-ops.sum(ops.square(offsets), axis=-1))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.clusters)

    def get_config(self):
        return {**super().get_config(), "clusters": self.clusters}


@seeded("weights-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class FiLM(keras.layers.Layer):
    """Its variables are in a namespace: not trained, not saved (keras#16797)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        width, dtype = input_shape[-1], self.variable_dtype
        self.film = SimpleNamespace(
            gamma=keras.Variable(ops.ones((width,)), dtype=dtype),
            beta=keras.Variable(ops.zeros((width,)), dtype=dtype),
        )

    def call(self, inputs):
        return inputs * self.film.gamma + self.film.beta

    def compute_output_shape(self, input_shape):
        return input_shape


@seeded("weights-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TiedScale(keras.layers.Layer):
    """A `Lambda` closes over a variable that is in no layer (keras-applications#168)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        scale = keras.Variable(ops.ones((input_shape[-1],)), dtype=self.variable_dtype)
        self.rescale = keras.layers.Lambda(lambda inputs: inputs * scale, dtype=self.dtype_policy)
        self.rescale.build(input_shape)

    def call(self, inputs):
        return self.rescale(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


@seeded("build-makes-all-weights", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class OptionalBias(keras.layers.Layer):
    """`self.built = True` in the constructor: `build` never runs, no bias is ever added (keras#20871)."""  # noqa: E501

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bias = None
        self.built = True
        self.supports_masking = True

    def build(self, input_shape):
        self.bias = self.add_weight(name="bias", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        return inputs if self.bias is None else inputs + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape


@seeded("no-state-in-call", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class QuickHead(keras.layers.Layer):
    """Creates a new `Dense` in each call: new weights each time, none trained (keras-core#707)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def call(self, inputs):
        return keras.layers.Dense(self.units, dtype=self.dtype_policy)(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@lru_cache
def _table(size, width):
    return keras.layers.Embedding(size, width)


@seeded("instances-independent", input="2,6:int32:0..10", args={"size": 10})
@keras.saving.register_keras_serializable(package="zoo")
class TokenEncoder(keras.layers.Layer):
    """The embedding is cached by its size: two encoders train one table (deel-ai/deel-lip#64)."""

    def __init__(self, size=10, width=4, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.width = width
        self.embed = _table(size, width)
        self.embed.dtype_policy = self.dtype_policy

    def build(self, input_shape):
        if not self.embed.built:
            self.embed.build(input_shape)

    def call(self, inputs):
        return self.embed(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.width)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "width": self.width}


@seeded("initial-weights-differ", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LinearAttention(keras.layers.Layer):
    """One initializer instance for query, key and value: three equal matrices (keras-hub#352)."""

    def __init__(self, initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        shape = (input_shape[-1], input_shape[-1])
        self.query = self.add_weight(name="query", shape=shape, initializer=self.initializer)
        self.key = self.add_weight(name="key", shape=shape, initializer=self.initializer)
        self.value = self.add_weight(name="value", shape=shape, initializer=self.initializer)

    def call(self, inputs):
        query = ops.softmax(ops.matmul(inputs, self.query))
        key = ops.softmax(ops.matmul(inputs, self.key), axis=1)
        value = ops.matmul(inputs, self.value)
        return ops.matmul(query, ops.matmul(ops.swapaxes(key, 1, 2), value))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "initializer": initializer}


@seeded("initial-weights-differ", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TwinTower(keras.layers.Layer):
    """Both towers get the seed 42 for their kernels, and start equal (LeelaChessZero/lc0#1883)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.left, self.right = (
            keras.layers.Dense(
                units,
                kernel_initializer=keras.initializers.GlorotUniform(seed=42),
                dtype=self.dtype_policy,
            )
            for _ in range(2)
        )
        self.supports_masking = True

    def build(self, input_shape):
        self.left.build(input_shape)
        self.right.build(input_shape)

    def call(self, inputs):
        return self.left(inputs) * ops.sigmoid(self.right(inputs))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("initializers-wired", input=(2, 6, 8), args={"kernel_initializer": "orthogonal"})
@keras.saving.register_keras_serializable(package="zoo")
class Whitening(keras.layers.Layer):
    """`kernel_initializer` is stored but not used: the kernel gets Keras's default."""

    def __init__(self, kernel_initializer="orthogonal", **kwargs):
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, input_shape):
        shape = (input_shape[-1], input_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=shape)

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "kernel_initializer": initializer}


@seeded("constraints-wired", input=(2, 6, 8), args={"kernel_constraint": "non_neg"})
@keras.saving.register_keras_serializable(package="zoo")
class MonotonicDense(keras.layers.Layer):
    """`kernel_constraint` reaches no weight: the kernel may become negative."""

    def __init__(self, units=4, kernel_constraint="non_neg", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        constraint = keras.constraints.serialize(self.kernel_constraint)
        return {**super().get_config(), "units": self.units, "kernel_constraint": constraint}
