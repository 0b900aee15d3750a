"""Losses that get lost, weights that never change, and state that changes when it should not."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("trainable-reaches-all", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class FineTuned(keras.layers.Layer):
    """Its own `trainable_weights` ignore `trainable`: it trains even if frozen."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.encoder = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.adapter = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    @property
    def trainable_weights(self):
        return self.encoder.weights + self.adapter.weights

    def build(self, input_shape):
        self.encoder.build(input_shape)
        self.adapter.build((*input_shape[:-1], self.units))

    def call(self, inputs):
        return self.adapter(ops.relu(self.encoder(inputs)))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("frozen-stays-frozen", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class FrozenBackbone(keras.layers.Layer):
    """Freezes its backbone once; setting `trainable = True` unfreezes it (tensorflow#45537)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.backbone = keras.layers.Dense(units, "relu", dtype=self.dtype_policy)
        self.backbone.trainable = False
        self.head = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.backbone.build(input_shape)
        self.head.build((*input_shape[:-1], self.units))

    def call(self, inputs):
        return self.head(self.backbone(inputs))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("regularizers-wired", input=(2, 6, 8), args={"kernel_regularizer": "l2"})
@keras.saving.register_keras_serializable(package="zoo")
class BilinearPooling(keras.layers.Layer):
    """`kernel_regularizer` is stored but reaches no weight: no loss (tensorflow#33219)."""

    def __init__(self, units=4, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.supports_masking = True

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.left = self.add_weight(name="left", shape=shape)
        self.right = self.add_weight(name="right", shape=shape)

    def call(self, inputs):
        return ops.matmul(inputs, self.left) * ops.matmul(inputs, self.right)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@seeded("regularizers-wired", input=(2, 9, 7, 3), args={"kernel_regularizer": "l1"})
@keras.saving.register_keras_serializable(package="zoo")
class ConvNormBlock(keras.layers.Layer):
    """`kernel_regularizer` isn't passed to the convolution inside (hunglc007/tensorflow-yolov4-tflite#369)."""  # noqa: E501

    def __init__(self, filters=4, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.convolution = keras.layers.Conv2D(
            filters, 3, padding="same", use_bias=False, dtype=self.dtype_policy
        )
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy)

    def build(self, input_shape):
        self.convolution.build(input_shape)
        self.norm.build((*input_shape[:-1], self.filters))

    def call(self, inputs, training=None):
        return ops.relu(self.norm(self.convolution(inputs), training=training))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@seeded("added-losses", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class InformationBottleneck(keras.layers.Layer):
    """Adds a loss for each sample: their sum grows with the batch (tensorflow#44590)."""

    def __init__(self, weight=0.01, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        self.mean = keras.layers.Dense(width, dtype=self.dtype_policy)
        self.mean.build(input_shape)

    def call(self, inputs):
        mean = self.mean(inputs)
        self.add_loss(self.weight * ops.mean(ops.square(mean), axis=-1))
        return mean

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


@seeded("added-losses", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class SparseCode(keras.layers.Layer):
    """Appends to Keras's own list of losses, which JAX never reads."""

    def __init__(self, units=8, penalty=0.1, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.penalty = penalty
        self.encode = keras.layers.Dense(units, "relu", dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.encode.build(input_shape)

    def call(self, inputs):
        code = self.encode(inputs)
        self._losses.append(self.penalty * ops.mean(ops.abs(code)))
        return code

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "penalty": self.penalty}


@seeded("gradient-reaches-weights", input=(2, 6, 4), args={"codes": 5})
@keras.saving.register_keras_serializable(package="zoo")
class VectorQuantizer(keras.layers.Layer):
    """No codebook loss, no straight-through: the projection never trains (tensorflow#41528)."""

    def __init__(self, codes=8, **kwargs):
        super().__init__(**kwargs)
        self.codes = codes
        self.supports_masking = True

    def build(self, input_shape):
        width = input_shape[-1]
        self.project = keras.layers.Dense(width, dtype=self.dtype_policy)
        self.project.build(input_shape)
        self.codebook = self.add_weight(name="codebook", shape=(self.codes, width))

    def call(self, inputs):
        codebook = ops.convert_to_tensor(self.codebook)
        offsets = ops.expand_dims(self.project(inputs), -2) - codebook
        nearest = ops.argmin(ops.sum(ops.square(offsets), axis=-1), axis=-1)
        return ops.take(codebook, nearest, axis=0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "codes": self.codes}


@seeded("gradient-reaches-weights", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class BinaryDense(keras.layers.Layer):
    """`sign` has no gradient: the kernel never changes, without a warning (tensorflow#41528)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return ops.matmul(inputs, ops.sign(self.kernel)) + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("gradient-reaches-weights", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class GatedLinearUnit(keras.layers.Layer):
    """The gate is computed from the value and its own kernel goes unused (keras#12521)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.value = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.gate = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.value.build(input_shape)
        self.gate.build(input_shape)

    def call(self, inputs):
        value = self.value(inputs)
        return value * ops.sigmoid(value)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("state-changes-only-in-training", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class RunningCenter(keras.layers.Layer):
    """The running mean also changes at inference: two predictions differ (tensorflow#36073)."""

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.supports_masking = True

    def build(self, input_shape):
        self.mean = self.add_weight(
            name="mean", shape=input_shape[-1:], initializer="zeros", trainable=False
        )

    def call(self, inputs):
        batch = ops.mean(inputs, axis=tuple(range(len(inputs.shape) - 1)))
        mean = ops.cast(self.mean, batch.dtype)
        self.mean.assign(self.momentum * mean + (1 - self.momentum) * batch)
        return inputs - mean

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@seeded("state-changes-only-in-training", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class StepCounter(keras.layers.Layer):
    """Counts each call as a training step, even those of validation (tensorflow#36073)."""

    def __init__(self, warmup=1000, **kwargs):
        super().__init__(**kwargs)
        self.warmup = warmup
        self.supports_masking = True

    def build(self, input_shape):
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int32", initializer="zeros", trainable=False
        )

    def call(self, inputs, training=None):
        self.steps.assign(self.steps + 1)
        if not training:
            return inputs
        done = ops.cast(self.steps, "float32") / self.warmup
        return inputs * ops.cast(ops.minimum(done, 1.0), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "warmup": self.warmup}
