"""Code for one backend, or for an older Keras."""

# mypy: ignore-errors

import keras
import numpy as np
from keras import ops

from conformance.zoo.entry import seeded


@seeded("portable-ops", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class MedianFilter(keras.layers.Layer):
    """NumPy in `call`: an error once compiled, no gradient where it runs (tensorflow#28779)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        values = ops.convert_to_numpy(inputs * self.scale)
        return ops.convert_to_tensor(np.median(values, axis=1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


@seeded("tensors-not-branched-on", silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ClipGuard(keras.layers.Layer):
    """`if` on a tensor: it works on Torch, and in eager mode (keras#19675)."""

    def __init__(self, limit=3.0, **kwargs):
        super().__init__(**kwargs)
        self.limit = limit
        self.supports_masking = True

    def call(self, inputs):
        if ops.max(ops.abs(inputs)) > self.limit:
            return ops.clip(inputs, -self.limit, self.limit)
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "limit": self.limit}


@seeded("tensors-not-branched-on", silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class AdaptiveTemperature(keras.layers.Layer):
    """Converts a tensor to `float` to choose its temperature (keras#19675)."""

    def __init__(self, least=0.5, **kwargs):
        super().__init__(**kwargs)
        self.least = least
        self.supports_masking = True

    def build(self, input_shape):
        self.temperature = self.add_weight(
            name="temperature", shape=(), initializer="ones", trainable=False
        )

    def call(self, inputs):
        temperature = max(float(self.temperature), self.least)
        return ops.softmax(inputs / temperature)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "least": self.least}


@seeded("keras-2-names", also=("runs",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class PairFeatures(keras.layers.Layer):
    """`shape.as_list()` is TensorFlow's, even in eager mode: no other backend has it (tensorflow#63792)."""  # noqa: E501

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        *_, width = inputs.shape.as_list()
        scaled = inputs * self.scale
        return scaled[..., : width // 2] * scaled[..., width // 2 :]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)


@seeded("keras-2-names", also=("runs",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class MonitoredDense(keras.layers.Layer):
    """`add_metric` is gone from Keras 3 (tensorflow#63792)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        outputs = self.dense(inputs)
        self.add_metric(ops.mean(ops.abs(outputs)), name="activity", aggregation="mean")
        return outputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
