"""Sub-layers held where Keras doesn't look: they are used, but not trained or not saved."""

# mypy: ignore-errors

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("sublayers-tracked", input=(2, 12, 8, 3))
@keras.saving.register_keras_serializable(package="zoo")
class DenseStages(keras.layers.Layer):
    """Convolutions are appended to a list inside a list, which isn't tracked (tensorflow#29073)."""

    def __init__(self, stages=2, filters=3, **kwargs):
        super().__init__(**kwargs)
        self.stages = stages
        self.filters = filters
        self.convolutions = []
        for _ in range(stages):
            self.convolutions.append([])
            for _ in range(2):
                self.convolutions[-1].append(self._convolution())

    def _convolution(self):
        return keras.layers.Conv2D(self.filters, 3, padding="same", dtype=self.dtype_policy)

    def build(self, input_shape):
        for stage in self.convolutions:
            for convolution in stage:
                convolution.build(input_shape)
                input_shape = (*input_shape[:-1], self.filters)

    def call(self, inputs):
        for stage in self.convolutions:
            for convolution in stage:
                inputs = ops.relu(convolution(inputs))
        return inputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "stages": self.stages, "filters": self.filters}


@dataclass
class Branch:
    project: Any
    gain: float


@seeded("sublayers-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class MixtureOfExperts(keras.layers.Layer):
    """The experts are fields of dataclasses: neither trained nor saved (keras#16797)."""

    def __init__(self, experts=2, units=4, **kwargs):
        super().__init__(**kwargs)
        self.experts = experts
        self.units = units
        self.router = keras.layers.Dense(experts, "softmax", dtype=self.dtype_policy)
        self.branches = [
            Branch(keras.layers.Dense(units, dtype=self.dtype_policy), 1.0 + i)
            for i in range(experts)
        ]
        self.supports_masking = True

    def build(self, input_shape):
        self.router.build(input_shape)
        for branch in self.branches:
            branch.project.build(input_shape)

    def call(self, inputs):
        shares = ops.expand_dims(self.router(inputs), -2)
        outputs = [branch.project(inputs) * branch.gain for branch in self.branches]
        return ops.sum(shares * ops.stack(outputs, axis=-1), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "experts": self.experts, "units": self.units}


@seeded("sublayers-tracked", input=(2, 6, 8), args={"names": ["mean", "scale"]})
@keras.saving.register_keras_serializable(package="zoo")
class MultiHead(keras.layers.Layer):
    """Heads are added to the dict by `setdefault`, which tracks nothing (tf-keras#513)."""

    def __init__(self, names=("a", "b"), **kwargs):
        super().__init__(**kwargs)
        self.names = list(names)
        self.heads = {}
        for name in self.names:
            self.heads.setdefault(name, keras.layers.Dense(2, dtype=self.dtype_policy))

    def build(self, input_shape):
        for name in self.names:
            self.heads[name].build(input_shape)

    def call(self, inputs):
        return {name: self.heads[name](inputs) for name in self.names}

    def compute_output_shape(self, input_shape):
        return dict.fromkeys(self.names, (*input_shape[:-1], 2))

    def get_config(self):
        return {**super().get_config(), "names": list(self.names)}


@seeded("sublayers-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class FeedForward(keras.layers.Layer):
    """The dense layers are held by a `partial` (tensorflow#29073)."""

    def __init__(self, hidden=12, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.supports_masking = True

    def build(self, input_shape):
        expand = keras.layers.Dense(self.hidden, "gelu", dtype=self.dtype_policy)
        reduce = keras.layers.Dense(input_shape[-1], dtype=self.dtype_policy)
        expand.build(input_shape)
        reduce.build((*input_shape[:-1], self.hidden))
        self.run = partial(_apply, [expand, reduce])

    def call(self, inputs):
        return inputs + self.run(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "hidden": self.hidden}


def _apply(layers, inputs):
    for layer in layers:
        inputs = layer(inputs)
    return inputs


@seeded("sublayers-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class SharedNorm(keras.layers.Layer):
    """The normalization is a class attribute: one for all, never trained (deel-ai/deel-lip#64)."""

    norm = keras.layers.LayerNormalization(dtype="float32")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")
        if not self.norm.built:
            self.norm.build(input_shape)

    def call(self, inputs):
        return ops.cast(self.norm(inputs), inputs.dtype) * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape


@seeded("sublayers-tracked", input=(2, 8, 8, 3))
@keras.saving.register_keras_serializable(package="zoo")
class SkipStack(keras.layers.Layer):
    """The decoder's convolutions are in a deque: not in `weights` (keras#16797)."""

    def __init__(self, depth=2, filters=4, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth
        self.filters = filters
        self.decoders = deque(
            keras.layers.Conv2D(filters, 1, dtype=self.dtype_policy) for _ in range(depth)
        )

    def build(self, input_shape):
        for convolution in self.decoders:
            convolution.build(input_shape)
            input_shape = (*input_shape[:-1], self.filters)

    def call(self, inputs):
        for convolution in self.decoders:
            inputs = ops.relu(convolution(inputs))
        return inputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "depth": self.depth, "filters": self.filters}


@seeded("sublayers-tracked", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class SwappableBlocks(keras.layers.Layer):
    """`blocks[0] = ...` replaces a layer, and the new one isn't tracked (keras#16797)."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [keras.layers.Dense(units, dtype=self.dtype_policy) for _ in range(2)]
        self.blocks[0] = keras.layers.Dense(units, "relu", dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        for block in self.blocks:
            block.build(input_shape)
            input_shape = (*input_shape[:-1], self.units)

    def call(self, inputs):
        return self.blocks[1](self.blocks[0](inputs))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
