"""Noise that is always the same, that can't be repeated, or that comes at the wrong time."""

# mypy: ignore-errors

import random

import keras
import numpy as np
from keras import ops

from conformance.zoo.entry import seeded


class _Noise(keras.layers.Layer):
    """What the layers below have in common: an amount of noise, and a seed."""

    def __init__(self, rate=0.5, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@seeded("random-in-training", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class SpecAugment(_Noise):
    """Draws its pattern once, in `build`: all batches lose the same features (keras#20569)."""

    def __init__(self, rate=0.5, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.kept = self.add_weight(
            name="kept", shape=input_shape[-1:], initializer="ones", trainable=False
        )
        self.kept.assign(
            keras.random.binomial(input_shape[-1:], 1, 1 - self.rate, seed=self.seed_generator)
        )

    def call(self, inputs, training=None):
        return inputs * self.kept if training else inputs


@seeded("seed-repeats", input=(2, 6, 8), args={"seed": 7})
@keras.saving.register_keras_serializable(package="zoo")
class RegularizedMLP(_Noise):
    """`seed` isn't passed to the dropout inside: runs can't be repeated (keras#19688)."""

    def build(self, input_shape):
        self.hidden = keras.layers.Dense(input_shape[-1], "gelu", dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(self.rate, dtype=self.dtype_policy)
        self.hidden.build(input_shape)
        self.drop.build(input_shape)

    def call(self, inputs, training=None):
        return self.drop(self.hidden(inputs), training=training)


@seeded("random-in-training", input=(2, 6, 8), args={"seed": 7})
@keras.saving.register_keras_serializable(package="zoo")
class DoubleDropout(_Noise):
    """Two dropouts with the same integer seed always drop the same units (keras#17548)."""

    def __init__(self, rate=0.5, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.first = keras.layers.Dropout(rate, seed=seed, dtype=self.dtype_policy)
        self.second = keras.layers.Dropout(rate, seed=seed, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.gate = keras.layers.Dense(input_shape[-1], "sigmoid", dtype=self.dtype_policy)
        self.gate.build(input_shape)
        self.first.build(input_shape)
        self.second.build(input_shape)

    def call(self, inputs, training=None):
        gate = self.first(self.gate(inputs), training=training)
        return gate * self.second(inputs, training=training)


@seeded("inference-repeats", also=("inside-functional",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class StochasticDepth(_Noise):
    """Drops its branch at inference as well: predictions differ."""

    def __init__(self, rate=0.5, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.branch = keras.layers.Dense(input_shape[-1], "gelu", dtype=self.dtype_policy)
        self.branch.build(input_shape)

    def call(self, inputs):
        shape = (ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1))
        kept = keras.random.uniform(shape, dtype=inputs.dtype, seed=self.seed_generator)
        return inputs + self.branch(inputs) * ops.cast(kept > self.rate, inputs.dtype)


@seeded("no-untracked-randomness", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TokenDropout(_Noise):
    """An integer seed in `call`: the same steps are dropped in each call (keras#18426)."""

    def call(self, inputs, training=None):
        if not training:
            return inputs
        kept = keras.random.uniform(ops.shape(inputs)[:2], dtype=inputs.dtype, seed=1337)
        return inputs * ops.expand_dims(ops.cast(kept > self.rate, inputs.dtype), -1)


@seeded("no-untracked-randomness", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ChannelJitter(_Noise):
    """NumPy noise in `call` is a constant once it is compiled (keunwoochoi/kapre#35)."""

    def call(self, inputs, training=None):
        if not training:
            return inputs
        gains = np.random.normal(1.0, self.rate, inputs.shape[-1])
        return inputs * ops.convert_to_tensor(gains, inputs.dtype)


@seeded("no-untracked-randomness", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class LayerDrop(_Noise):
    """Python's `random` decides once and for all, in the first trace (keras#20569)."""

    def build(self, input_shape):
        self.branch = keras.layers.Dense(input_shape[-1], "relu", dtype=self.dtype_policy)
        self.branch.build(input_shape)

    def call(self, inputs, training=None):
        if training and random.random() < self.rate:
            return inputs
        return inputs + self.branch(inputs)


_SEEDS = keras.random.SeedGenerator(42)


@seeded("no-untracked-randomness", also=("weights-tracked",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class Mixup(_Noise):
    """A module-level seed generator, which no layer tracks (keras-io#1693)."""

    def call(self, inputs, training=None):
        if not training:
            return inputs
        share = self.rate * keras.random.uniform((), dtype=inputs.dtype, seed=_SEEDS)
        return inputs * (1 - share) + ops.flip(inputs, axis=-1) * share


@seeded("no-state-in-call", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class WordDropout(_Noise):
    """Creates its seed generator in `call`, so each call starts over (keras#18426)."""

    def call(self, inputs, training=None):
        if not training:
            return inputs
        seeds = keras.random.SeedGenerator(self.seed or 0)
        return keras.random.dropout(inputs, self.rate, seed=seeds)
