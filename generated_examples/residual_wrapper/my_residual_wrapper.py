"""`MyResidualWrapper`: a layer with a shortcut past it."""

import inspect

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MyResidualWrapper(keras.layers.Layer):
    """A layer with a shortcut past it: `inputs + layer(inputs)`.

    The layer only has to learn what is to change. Input and gradient always pass by it
    as they are, so that many such layers in a row can be trained.

    Args:
        layer: Layer with an output of the shape of its input.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        That of the layer.

    Output shape:
        The input's shape.

    Raises:
        TypeError: If `layer` is of another type.
        ValueError: If the output of `layer` has another shape than its input.

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
        self.compute_output_shape(input_shape)  # Refuses another shape.
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
