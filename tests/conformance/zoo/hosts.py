"""Layers that work alone, but not inside others."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("inside-bidirectional", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LeakyIntegrator(keras.layers.Layer):
    """Takes `go_backwards` but reads forwards anyway: both directions are the same (tensorflow#36010)."""  # noqa: E501

    def __init__(self, decay=0.5, return_sequences=True, go_backwards=False, **kwargs):
        super().__init__(**kwargs)
        self.decay = decay
        self.return_sequences = return_sequences
        self.go_backwards = go_backwards
        self.return_state = False
        self.stateful = False

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, sequences, initial_state=None):
        def step(state, inputs):
            state = self.decay * state + inputs
            return state, state

        steps = ops.swapaxes(sequences * self.scale, 0, 1)
        last, states = ops.scan(step, ops.zeros_like(steps[0]), steps)
        return ops.swapaxes(states, 0, 1) if self.return_sequences else last

    def compute_output_shape(self, input_shape):
        batch, _, features = input_shape
        return input_shape if self.return_sequences else (batch, features)

    def get_config(self):
        return {
            **super().get_config(),
            "decay": self.decay,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
        }
