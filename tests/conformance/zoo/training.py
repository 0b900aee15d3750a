"""The `training` flag, lost on its way to the sub-layers or mixed up between them."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("training-argument", input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class Classifier(keras.Model):
    """`call` takes no `training`: in `fit` the dropout is off on all backends (keras-hub#1500)."""

    def __init__(self, hidden=8, classes=3, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.classes = classes
        self.dense = keras.layers.Dense(hidden, "relu", dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(0.5, dtype=self.dtype_policy)
        self.head = keras.layers.Dense(classes, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.drop.build((*input_shape[:-1], self.hidden))
        self.head.build((*input_shape[:-1], self.hidden))

    def call(self, inputs):
        return self.head(self.drop(self.dense(inputs)))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.classes)

    def get_config(self):
        return {**super().get_config(), "hidden": self.hidden, "classes": self.classes}


@seeded("training-reaches-sublayers", input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class TabularModel(keras.Model):
    """Doesn't pass `training` on: in JAX's `fit`, the normalization is frozen (keras#23364)."""

    def __init__(self, hidden=8, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy)
        self.dense = keras.layers.Dense(hidden, "relu", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.norm.build(input_shape)
        self.dense.build(input_shape)

    def call(self, inputs, training=None):
        return self.dense(self.norm(inputs))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.hidden)

    def get_config(self):
        return {**super().get_config(), "hidden": self.hidden}


@seeded("training-reaches-sublayers", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class EncoderBlock(keras.layers.Layer):
    """Calls `drop.call`, bypassing Keras: it never learns of training (keras#23364)."""

    def __init__(self, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.drop = keras.layers.Dropout(rate, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.hidden = keras.layers.Dense(input_shape[-1], "gelu", dtype=self.dtype_policy)
        self.hidden.build(input_shape)
        self.drop.build(input_shape)

    def call(self, inputs, training=None):
        return inputs + self.drop.call(self.hidden(inputs))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@seeded(
    "training-reaches-sublayers",
    also=("state-changes-only-in-training",),
    input=(4, 6, 8),
    args={"rate": 0.1},
)
@keras.saving.register_keras_serializable(package="zoo")
class MonteCarloHead(keras.layers.Layer):
    """`training=True` for its dropout leaks to the normalization after it (keras#23364)."""

    def __init__(self, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.drop = keras.layers.Dropout(rate, dtype=self.dtype_policy)
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.drop.build(input_shape)
        self.norm.build(input_shape)

    def call(self, inputs, training=None):
        return self.norm(self.drop(inputs, training=True))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@seeded("training-reaches-sublayers", input=(2, 12, 10, 3))
@keras.saving.register_keras_serializable(package="zoo")
class ImageStem(keras.layers.Layer):
    """The cropping is in training mode by default, and so is the dropout after it (keras#23166)."""

    def __init__(self, size=8, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.rate = rate
        self.crop = keras.layers.CenterCrop(size, size, dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(rate, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.crop.build(input_shape)
        self.drop.build(self.compute_output_shape(input_shape))

    def call(self, inputs, training=None):
        return self.drop(self.crop(inputs))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size, self.size, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size, "rate": self.rate}


@seeded("training-argument", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class NoisyDense(keras.layers.Layer):
    """Looks for `training` in `**kwargs`, where Keras never puts it (tensorflow#19420)."""

    def __init__(self, units=4, stddev=0.5, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stddev = stddev
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs, **kwargs):
        outputs = self.dense(inputs)
        if not kwargs.get("training"):
            return outputs
        noise = keras.random.normal(
            ops.shape(outputs), dtype=outputs.dtype, seed=self.seed_generator
        )
        return outputs + self.stddev * noise

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "stddev": self.stddev,
            "seed": self.seed,
        }


@seeded("training-argument", input=(4, 9, 7, 3))
@keras.saving.register_keras_serializable(package="zoo")
class ResidualConv(keras.layers.Layer):
    """The flag is named `is_training`, so it is never set (tensorflow#36848)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy)

    def build(self, input_shape):
        self.convolution = keras.layers.Conv2D(
            input_shape[-1], 3, padding="same", dtype=self.dtype_policy
        )
        self.convolution.build(input_shape)
        self.norm.build(input_shape)

    def call(self, inputs, is_training=False):
        return inputs + self.norm(self.convolution(inputs), training=is_training)

    def compute_output_shape(self, input_shape):
        return input_shape


def _in_float32(call):
    def wide(self, inputs, **kwargs):
        outputs = call(self, inputs, **kwargs)
        return ops.cast(outputs, self.compute_dtype)

    return wide


@seeded("training-argument", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class StochasticMLP(keras.layers.Layer):
    """A decorator hides the signature of `call`, and `training` with it (tensorflow#36848)."""

    def __init__(self, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.drop = keras.layers.Dropout(rate, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape):
        self.hidden = keras.layers.Dense(input_shape[-1], "relu", dtype=self.dtype_policy)
        self.hidden.build(input_shape)
        self.drop.build(input_shape)

    @_in_float32
    def call(self, inputs, training=False):
        return self.drop(self.hidden(inputs), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
