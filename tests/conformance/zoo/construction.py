"""Constructors that Keras can't call again, and names that it uses itself."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("constructs", on=("torch",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class GatedDropout(keras.layers.Layer):
    """A sub-layer is set before `super().__init__`: an error on Torch (pytorch#37824)."""

    def __init__(self, rate=0.1, **kwargs):
        self.rate = rate
        self.drop = keras.layers.Dropout(rate, dtype=kwargs.get("dtype"))
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.gate = self.add_weight(name="gate", shape=input_shape[-1:], initializer="ones")
        self.drop.build(input_shape)

    def call(self, inputs, training=None):
        return self.drop(inputs, training=training) * ops.sigmoid(self.gate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@seeded("runs", silent=False, input=(2, 9, 7, 3))
@keras.saving.register_keras_serializable(package="zoo")
class WeightStandardizedConv(keras.layers.Conv2D):
    """`build` doesn't call that of `Conv2D`, which creates the kernel."""

    def __init__(self, filters=4, kernel_size=3, epsilon=1e-3, **kwargs):
        super().__init__(filters, kernel_size, **kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(self.filters,), initializer="ones")

    def call(self, inputs):
        mean, variance = ops.moments(self.kernel, (0, 1, 2), keepdims=True)
        kernel = (self.kernel - mean) * ops.rsqrt(variance + self.epsilon) * self.gain
        return self.convolution_op(inputs, kernel)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@seeded("kwargs-forwarded", silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class PatchEncoder(keras.layers.Layer):
    """No `**kwargs`: loading passes `name`, `dtype` and `trainable`, and fails (keras#19899)."""

    def __init__(self, units=8):
        super().__init__()
        self.units = units
        self.project = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.project.build(input_shape)

    def call(self, inputs):
        return self.project(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("kwargs-forwarded", also=("unknown-argument-refused",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class SpectralGate(keras.layers.Layer):
    """`**kwargs` end in the constructor: name and dtype are silently lost (keras#19899)."""

    def __init__(self, bias=0.0, **kwargs):
        super().__init__()
        self.bias = bias
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        return inputs * ops.sigmoid(inputs * self.scale + self.bias)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "bias": self.bias}


@seeded("unknown-argument-refused", input=(2, 6, 8), args={"units": 6})
@keras.saving.register_keras_serializable(package="zoo")
class Maxout(keras.layers.Layer):
    """Unknown arguments are swallowed: `Maxout(6, piece=4)` has 2 pieces (tensorflow#46276)."""

    def __init__(self, units=8, pieces=2, **kwargs):
        known = {key: kwargs[key] for key in ("name", "dtype", "trainable") if key in kwargs}
        super().__init__(**known)
        self.units = units
        self.pieces = pieces
        self.project = keras.layers.Dense(units * pieces, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.project.build(input_shape)

    def call(self, inputs):
        pieces = ops.split(self.project(inputs), self.pieces, axis=-1)
        return ops.max(ops.stack(pieces), axis=0)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "pieces": self.pieces}


@seeded("defaults-not-shared", input=(2, 6, 8), args={"hidden": [10, 8]})
@keras.saving.register_keras_serializable(package="zoo")
class Funnel(keras.layers.Layer):
    """Its default list grows with each instance."""

    def __init__(self, units=4, hidden=[12, 8], **kwargs):  # noqa: B006
        super().__init__(**kwargs)
        self.units = units
        self.hidden = list(hidden)
        hidden.append(units)
        self.stack = [keras.layers.Dense(n, dtype=self.dtype_policy) for n in hidden]
        self.supports_masking = True

    def build(self, input_shape):
        for dense in self.stack:
            dense.build(input_shape)
            input_shape = dense.compute_output_shape(input_shape)

    def call(self, inputs):
        for dense in self.stack:
            inputs = ops.relu(dense(inputs))
        return inputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "hidden": list(self.hidden)}


@seeded("defaults-not-shared", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LowRankAdapter(keras.layers.Layer):
    """One default initializer for all instances: they start equal (LeelaChessZero/lc0#1883)."""

    def __init__(self, rank=2, initializer=keras.initializers.HeUniform(), **kwargs):  # noqa: B008
        super().__init__(**kwargs)
        self.rank = rank
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape):
        shape = (input_shape[-1], self.rank)
        self.down = self.add_weight(name="down", shape=shape, initializer=self.initializer)
        self.up = self.add_weight(name="up", shape=shape[::-1], initializer="zeros")

    def call(self, inputs):
        return inputs + ops.matmul(ops.matmul(inputs, self.down), self.up)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "rank": self.rank, "initializer": initializer}


@seeded("attribute-names", also=("runs",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TwoWayEncoder(keras.layers.Layer):
    """Torch calls a module by its `forward`: endless recursion there (keras#19730)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        options = {"return_sequences": True, "dtype": self.dtype_policy}
        self.forward = keras.layers.GRU(units, **options)
        self.backward = keras.layers.GRU(units, go_backwards=True, **options)

    def build(self, input_shape):
        self.forward.build(input_shape)
        self.backward.build(input_shape)

    def call(self, inputs, training=None):
        ahead = self.forward(inputs, training=training)
        back = self.backward(inputs, training=training)
        return ops.concatenate([ahead, ops.flip(back, axis=1)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("attribute-names", also=("runs",), silent=False, input="2,6:int32:0..3")
@keras.saving.register_keras_serializable(package="zoo")
class SegmentEmbedding(keras.layers.Layer):
    """`self.type` is a method of Torch's modules, which is called instead (keras#19730)."""

    def __init__(self, segments=3, width=4, **kwargs):
        super().__init__(**kwargs)
        self.segments = segments
        self.width = width
        self.type = keras.layers.Embedding(segments, width, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.type.build(input_shape)

    def call(self, inputs):
        return self.type(inputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.width)

    def get_config(self):
        return {**super().get_config(), "segments": self.segments, "width": self.width}
