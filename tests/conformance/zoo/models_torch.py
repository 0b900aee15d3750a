"""Models with a custom training step, as in Keras's guide for Torch."""

# mypy: ignore-errors

import keras
from keras import ops

from conformance.zoo.entry import seeded


class _Steps(keras.Model):
    """A regularized model to which the ones below add a training step."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.drop = keras.layers.Dropout(0.5, dtype=self.dtype_policy)
        self.dense = keras.layers.Dense(
            units, kernel_regularizer=keras.regularizers.L2(0.1), dtype=self.dtype_policy
        )

    def build(self, input_shape):
        self.drop.build(input_shape)
        self.dense.build(input_shape)

    def call(self, inputs, training=None):
        dropped = self.drop(inputs, training=training)
        return self.dense(dropped, training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("model-train-step", on=("torch",), input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class HandMadeLoss(_Steps):
    """Its step has its own loss and forgets those of the layers (bayesflow-org/bayesflow#541)."""

    def train_step(self, data):
        inputs, targets = data
        self.zero_grad()
        outputs = self(inputs, training=True)
        loss = ops.mean(ops.square(outputs - targets))
        loss.backward()
        gradients = [weight.value.grad for weight in self.trainable_weights]
        self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss}


@seeded("fit-trains-sublayers", on=("torch",), input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class InferenceStep(_Steps):
    """Calls itself without `training=True` in its step: no dropout in `fit` (tensorflow#28028)."""

    def train_step(self, data):
        inputs, targets = data
        self.zero_grad()
        outputs = self(inputs)
        loss = self.compute_loss(inputs, targets, outputs)
        loss.backward()
        gradients = [weight.value.grad for weight in self.trainable_weights]
        self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss}
