"""Weights that don't come back from a file, or come back in the wrong place."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("weights-come-back", also=("build-makes-all-weights",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class PreNormBlock(keras.layers.Layer):
    """Sub-layers are built only by the first call: random after `load_model` (keras#20004)."""

    def __init__(self, heads=2, width=4, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.width = width
        self.norm = keras.layers.LayerNormalization(dtype=self.dtype_policy)
        self.attention = keras.layers.MultiHeadAttention(heads, width, dtype=self.dtype_policy)

    def call(self, inputs, training=None):
        hidden = self.norm(inputs)
        return inputs + self.attention(hidden, hidden, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}


@seeded("weights-come-back", also=("build-makes-all-weights",), input=(2, 8))
@keras.saving.register_keras_serializable(package="zoo")
class CombinedModel(keras.Model):
    """`build` creates the sub-layers but doesn't build them (keras#18875)."""

    def __init__(self, depth=2, units=4, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self.units = units

    def build(self, input_shape):
        policy = self.dtype_policy
        self.blocks = [
            keras.layers.Dense(self.units, "relu", dtype=policy) for _ in range(self.depth)
        ]
        self.norms = [keras.layers.LayerNormalization(dtype=policy) for _ in range(self.depth)]

    def call(self, inputs, training=None):
        for dense, norm in zip(self.blocks, self.norms, strict=True):
            inputs = norm(dense(inputs, training=training), training=training)
        return inputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "depth": self.depth, "units": self.units}


@seeded("weights-come-back", also=("build-makes-all-weights", "dtype-policy"), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class ProjectionHead(keras.layers.Layer):
    """Nothing builds the `Sequential` inside, `build` only claims it (keras#19229)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stack = keras.Sequential(
            [
                keras.layers.Dense(2 * units, "relu", dtype=self.dtype_policy),
                keras.layers.Dense(units, dtype=self.dtype_policy),
            ]
        )
        self.supports_masking = True

    def build(self, input_shape):
        self.built = True

    def call(self, inputs, training=None):
        return self.stack(inputs, training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("weights-file-complete", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class QuantizedDense(keras.layers.Layer):
    """Saves its kernel itself and forgets the bias: zeros after loading (keras-io#1423)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def save_own_variables(self, store):
        store["kernel"] = self.kernel

    def load_own_variables(self, store):
        self.kernel.assign(store["kernel"])

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("weights-file-complete", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class Ensemble(keras.layers.Layer):
    """The members are in a set: trained, but not saved (keras#16797)."""

    def __init__(self, members=2, units=4, **kwargs):
        super().__init__(**kwargs)
        self.members = members
        self.units = units
        self.dense = {keras.layers.Dense(units, dtype=self.dtype_policy) for _ in range(members)}
        self.supports_masking = True

    def build(self, input_shape):
        for member in self.dense:
            member.build(input_shape)

    def call(self, inputs):
        return sum(member(inputs) for member in self.dense) / self.members

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "members": self.members, "units": self.units}


@seeded(
    "loads-in-fresh-process",
    input=(2, 6, 8),
    args={"tasks": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]},
)
@keras.saving.register_keras_serializable(package="zoo")
class MultiTaskHeads(keras.layers.Layer):
    """Creates its heads in the order of a set: elsewhere, weights land in other heads."""

    def __init__(self, tasks=("a", "b"), **kwargs):
        super().__init__(**kwargs)
        self.tasks = list(tasks)
        self.heads = {
            task: keras.layers.Dense(2, dtype=self.dtype_policy) for task in set(self.tasks)
        }
        self.supports_masking = True

    def build(self, input_shape):
        for head in self.heads.values():
            head.build(input_shape)

    def call(self, inputs):
        return ops.concatenate([self.heads[task](inputs) for task in self.tasks], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * len(self.tasks))

    def get_config(self):
        return {**super().get_config(), "tasks": list(self.tasks)}
