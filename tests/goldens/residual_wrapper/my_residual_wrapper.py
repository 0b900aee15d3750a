"""`MyResidualWrapper`: a layer with a residual connection."""

import inspect

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyResidualWrapper(keras.layers.Layer):
    """A layer with a residual connection: `inputs + layer(inputs)`.

    The layer only has to learn a change to its input. Inputs and gradients pass through
    the shortcut unchanged, so that deep stacks of such layers can be trained.

    Args:
        layer: Layer whose output has the shape of its input.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        The input shape of the layer.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `layer` has the wrong type.
        ValueError: If the output of `layer` differs in shape from its input.

    Example:

    >>> layer = MyResidualWrapper(keras.layers.Dense(3))
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 3)

    Reference:
        He et al., 2015, https://arxiv.org/abs/1512.03385
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, keras.layers.Layer):
            raise TypeError(f"`layer` must be a layer. Received: layer={layer!r}")
        self.layer = layer
        self._layer_takes_mask = "mask" in inspect.signature(layer.call).parameters
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for a different shape.
        if not self.layer.built:
            self.layer.build(input_shape)

    def call(self, inputs, training=None, mask=None):
        masks = {"mask": mask} if self._layer_takes_mask else {}
        outputs = self.layer(inputs, training=training, **masks)
        return ops.add(inputs, ops.cast(outputs, inputs.dtype))

    def compute_output_shape(self, input_shape):
        output_shape = self.layer.compute_output_shape(input_shape)
        if tuple(output_shape) != tuple(input_shape):
            raise ValueError(
                "The output of `layer` must have the shape of its input. "
                f"Received: input_shape={input_shape}, output_shape={output_shape}"
            )
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
        }

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
