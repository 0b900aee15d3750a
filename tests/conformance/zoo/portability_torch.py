"""Layers written with Torch's own tensors and parameters."""

# mypy: ignore-errors

import keras
import torch
from keras import ops

from conformance.zoo.entry import seeded


@seeded("weights-tracked", on=("torch",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LearnedTemperature(keras.layers.Layer):
    """A `torch.nn.Parameter` is not a weight of a Keras layer: not trained, not saved (keras-core#604)."""  # noqa: E501

    def __init__(self, initial=0.5, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial
        self.supports_masking = True

    def build(self, input_shape):
        self.temperature = torch.nn.Parameter(torch.tensor(self.initial))

    def call(self, inputs):
        return ops.softmax(inputs / ops.cast(self.temperature, inputs.dtype))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "initial": self.initial}
