"""What a layer declares about its outputs before there is data, and what it then gives."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


@seeded("symbolic-equals-eager", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class HardRouter(keras.layers.Layer):
    """Returns integers, which Keras takes for float32: only a shape is declared (keras#23495)."""

    def __init__(self, routes=4, **kwargs):
        super().__init__(**kwargs)
        self.routes = routes
        self.supports_masking = True

    def build(self, input_shape):
        self.centers = self.add_weight(
            name="centers", shape=(input_shape[-1], self.routes), trainable=False
        )

    def call(self, inputs):
        return ops.argmax(ops.matmul(inputs, self.centers), axis=-1)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[:-1])

    def get_config(self):
        return {**super().get_config(), "routes": self.routes}


@seeded("compute-output-shape", input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class AttentionWithScores(keras.layers.Layer):
    """Returns two tensors, declares one: Functional models drop the scores (tensorflow#32476)."""

    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.query = keras.layers.Dense(width, dtype=self.dtype_policy)
        self.key = keras.layers.Dense(width, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.query.build(input_shape)
        self.key.build(input_shape)

    def call(self, inputs):
        keys = ops.swapaxes(self.key(inputs), 1, 2)
        scores = ops.softmax(ops.matmul(self.query(inputs), keys) * self.width**-0.5)
        return ops.matmul(scores, inputs), scores

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@seeded("compute-output-shape", input=(2, 9, 6))
@keras.saving.register_keras_serializable(package="zoo")
class Subsample(keras.layers.Layer):
    """Declares the length without the stride: the summary is wrong (keras#19259)."""

    def __init__(self, stride=2, **kwargs):
        super().__init__(**kwargs)
        self.stride = stride

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        return (inputs * self.scale)[:, :: self.stride]

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "stride": self.stride}


@seeded("unknown-batch", also=("export",), on=("tensorflow",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class PrependClassToken(keras.layers.Layer):
    """Repeats the token `inputs.shape[0]` times, which is None in a model (tensorflow#36991)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        shape = (1, 1, input_shape[-1])
        self.token = self.add_weight(name="token", shape=shape, initializer="zeros")

    def call(self, inputs):
        tokens = ops.repeat(ops.convert_to_tensor(self.token), inputs.shape[0], axis=0)
        return ops.concatenate([tokens, inputs], axis=1)

    def compute_output_shape(self, input_shape):
        batch, length, width = input_shape
        return (batch, length and length + 1, width)


@seeded("unknown-dimensions", on=("tensorflow",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class RelativeDecay(keras.layers.Layer):
    """Counts its steps with `inputs.shape[1]`, which may be unknown (keras#11448)."""

    def __init__(self, decay=0.9, **kwargs):
        super().__init__(**kwargs)
        self.decay = decay
        self.supports_masking = True

    def call(self, inputs):
        weights = [self.decay**step for step in range(inputs.shape[1])]
        weights = ops.convert_to_tensor(weights, dtype=inputs.dtype)
        return inputs * ops.expand_dims(weights, -1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}
