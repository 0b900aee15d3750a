"""Layers that work alone and not inside of others."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("inside-bidirectional", silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LeakyIntegrator(keras.layers.RNN):
    """Its constructor doesn't take `go_backwards`, so no `Bidirectional` has it (keras#13705)."""

    def __init__(self, units=4, return_sequences=False, **kwargs):
        cell = keras.layers.SimpleRNNCell(units, "relu", dtype=kwargs.get("dtype"))
        super().__init__(cell, return_sequences=return_sequences, **kwargs)
        self.units = units

    def get_config(self):
        base = keras.layers.Layer.get_config(self)
        return {**base, "units": self.units, "return_sequences": self.return_sequences}


@seeded("inside-functional", also=("unknown-batch", "symbolic-equals-eager"), silent=False,
        input=[(2, 6, 8), (2, 6, 8)])  # fmt: skip
@keras.saving.register_keras_serializable(package="zoo")
class PairwiseSimilarity(keras.layers.Layer):
    """Writes over the list that it was called with, a Functional model's own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        width = input_shape[0][-1]
        self.scale = self.add_weight(name="scale", shape=(width,), initializer="ones")

    def call(self, inputs):
        inputs[0] = inputs[0] * self.scale
        return ops.einsum("bid,bjd->bij", inputs[0], inputs[1])

    def compute_output_shape(self, input_shape):
        first, second = input_shape
        return (first[0], first[1], second[1])
