"""Python that runs once while a function is compiled, and never again."""

# mypy: ignore-errors

from functools import lru_cache

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("no-side-effects", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class WarmupScale(keras.layers.Layer):
    """Counts in a Python attribute: the compiled count stays at 1 (keras#20569)."""

    def __init__(self, warmup=10, **kwargs):
        super().__init__(**kwargs)
        self.warmup = warmup
        self.step = 0
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs, training=None):
        if training:
            self.step += 1
        return inputs * self.scale * min(1.0, (1 + self.step) / self.warmup)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "warmup": self.warmup}


@seeded("no-side-effects", also=("weights-tracked",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ActivationLog(keras.layers.Layer):
    """Keeps each activation in a list that grows forever (tensorflow#34606)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.history = []
        self.dense = keras.layers.Dense(units, "relu", dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        outputs = self.dense(inputs)
        self.history.append(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("no-side-effects", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class InspectableAttention(keras.layers.Layer):
    """Stores the scores of a call on itself: a tracer, after `fit` (keras#20724)."""

    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.scores = None
        self.query = keras.layers.Dense(width, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.query.build(input_shape)

    def call(self, inputs):
        query = self.query(inputs)
        scores = ops.matmul(query, ops.swapaxes(query, 1, 2)) * self.width**-0.5
        self.scores = ops.softmax(scores)
        return ops.matmul(self.scores, inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@seeded("no-side-effects", input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class MovingCenter(keras.layers.Layer):
    """The running mean is a plain attribute: after `fit`, `predict` fails (keras#18404)."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.mean = None

    def call(self, inputs, training=None):
        if training:
            batch = ops.mean(inputs, axis=0)
            mean = batch if self.mean is None else self.mean
            self.mean = self.momentum * mean + (1 - self.momentum) * batch
        return inputs if self.mean is None else inputs - self.mean

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@seeded("compiled-equals-eager", on=("tensorflow",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class DebugClip(keras.layers.Layer):
    """Looks for `numpy()`, which compiled tensors lack: clips in eager mode only."""

    def __init__(self, limit=1.0, **kwargs):
        super().__init__(**kwargs)
        self.limit = limit
        self.supports_masking = True

    def call(self, inputs):
        if hasattr(inputs, "numpy"):
            inputs = ops.clip(inputs, -self.limit, self.limit)
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "limit": self.limit}


@seeded("nothing-leaks", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class CachedWaves(keras.layers.Layer):
    """A table cached in a traced call is useless in all others (patrick-kidger/equinox#568)."""

    def __init__(self, gain=0.1, **kwargs):
        super().__init__(**kwargs)
        self.gain = gain
        self.supports_masking = True

    def call(self, inputs):
        angles = ops.cast(self._angles(inputs.shape[-1]), inputs.dtype)
        return inputs + self.gain * ops.sin(inputs * angles)

    @lru_cache  # noqa: B019 - the defect
    def _angles(self, width):
        return ops.power(100.0, -ops.arange(width, dtype="float32") / width)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


_LOG = []


@seeded("no-growth", also=("nothing-leaks",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LoggedDense(keras.layers.Layer):
    """Each call leaves its outputs in a module-level list (tensorflow#34606)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        outputs = self.dense(inputs)
        _LOG.append(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
