"""Defects that show only later: in training, with many threads, at export."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded

_PASSED = {}


@seeded("threads-agree", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ConditionalGate(keras.layers.Layer):
    """Passes its gate on in a module-level dict: two threads share one (tensorflow#61298)."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.gate = keras.layers.Dense(units, "sigmoid", dtype=self.dtype_policy)
        self.value = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.gate.build(input_shape)
        self.value.build(input_shape)

    def call(self, inputs):
        _PASSED["gate"] = self.gate(inputs)
        return self._gated(self.value(inputs))

    def _gated(self, values):
        return values * _PASSED["gate"]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("fit-lowers-loss", input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ReversalHead(keras.layers.Layer):
    """The gradient is still reversed after an experiment: `fit` raises the loss (keras#10429)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))

    def call(self, inputs):
        outputs = ops.matmul(inputs, self.kernel)
        return 2.0 * ops.stop_gradient(outputs) - outputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
