"""Layers written with `jax.numpy`."""

# mypy: ignore-errors

import jax
import jax.numpy as jnp
import keras

from conformance.zoo.entry import seeded


@seeded("portable-ops", on=("jax",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class RotaryPositions(keras.layers.Layer):
    """`jnp` in `call`: works on JAX only (adalca/neurite#91)."""

    def __init__(self, base=100.0, **kwargs):
        super().__init__(**kwargs)
        self.base = base
        self.supports_masking = True

    def call(self, inputs):
        first, second = jnp.split(inputs, 2, axis=-1)
        rates = self.base ** -jnp.linspace(0.0, 1.0, first.shape[-1])
        angles = jnp.arange(inputs.shape[1])[:, None] * rates
        cos, sin = (wave(angles).astype(inputs.dtype) for wave in (jnp.cos, jax.lax.sin))
        return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], -1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "base": self.base}
