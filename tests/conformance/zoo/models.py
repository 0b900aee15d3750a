"""Models with their own compilation or build."""

# mypy: ignore-errors

import keras

from conformance.zoo.entry import seeded


@seeded("model-compile-round-trip", silent=False, input=(4, 8))
@keras.saving.register_keras_serializable(package="zoo")
class Distiller(keras.Model):
    """Its `compile` takes more arguments than Keras's, which are not saved (bayesflow-org/bayesflow#442)."""  # noqa: E501

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.student = keras.layers.Dense(units, dtype=self.dtype_policy)

    def compile(self, optimizer="adam", loss=None, alpha=0.1, **kwargs):
        super().compile(optimizer, loss, **kwargs)
        self.alpha = alpha

    def build(self, input_shape):
        self.student.build(input_shape)

    def call(self, inputs, training=None):
        return self.student(inputs, training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@seeded("unknown-batch", also=("model-builds-without-data",), silent=False, input=(2, 8))
@keras.saving.register_keras_serializable(package="zoo")
class WideAndDeep(keras.Model):
    """`build` needs the batch size, which a model doesn't know (tensorflow#36991)."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.deep = keras.layers.Dense(units, "relu", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.deep.build((int(input_shape[0]), input_shape[-1]))

    def call(self, inputs, training=None):
        return self.deep(inputs, training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
