"""Layers written with TensorFlow's own operations, as in Keras 2."""

# mypy: ignore-errors

import keras
import tensorflow as tf

from conformance.zoo.entry import seeded


@seeded("portable-ops", on=("tensorflow",), silent=False, input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class InstanceNorm(keras.layers.Layer):
    """`tf.nn` in `call`: works on TensorFlow only (adalca/neurite#91)."""

    def __init__(self, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=input_shape[-1:], initializer="ones")

    def call(self, inputs):
        mean, variance = tf.nn.moments(inputs, axes=[1], keepdims=True)
        return (inputs - mean) * tf.math.rsqrt(variance + self.epsilon) * self.gain

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@seeded("weights-tracked", on=("tensorflow",), input=(2, 6, 8))
@keras.saving.register_keras_serializable(package="zoo")
class PrototypeDistance(keras.layers.Layer):
    """A `tf.Variable`, which Keras 2 tracked and Keras 3 doesn't (tensorflow/probability#946)."""

    def __init__(self, prototypes=3, **kwargs):
        super().__init__(**kwargs)
        self.prototypes = prototypes
        self.supports_masking = True

    def build(self, input_shape):
        table = tf.random.normal((self.prototypes, input_shape[-1]))
        self.table = tf.Variable(table)

    def call(self, inputs):
        table = keras.ops.cast(keras.ops.convert_to_tensor(self.table), inputs.dtype)
        offsets = keras.ops.expand_dims(inputs, -2) - table
        return keras.ops.sum(keras.ops.square(offsets), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.prototypes)

    def get_config(self):
        return {**super().get_config(), "prototypes": self.prototypes}
