"""`MyGlobalMaxPooling1D`: 1D global max pooling."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyGlobalMaxPooling1D(keras.layers.Layer):
    """1D global max pooling: the largest value of each channel.

    Over all steps::

        outputs[c] = max over t of inputs[t, c]

    Args:
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        keepdims: Bool, whether to keep the pooled axes with size 1. Defaults to
            `False`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, channels)` for `"channels_last"`, `(batch, channels, steps)` for
        `"channels_first"`.

    Output shape:
        `(batch, channels)`; with `keepdims`, the input shape with 1 step.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 3.

    Example:

    >>> layer = MyGlobalMaxPooling1D(data_format="channels_last")
    >>> tuple(layer(keras.ops.ones((4, 28, 3))).shape)
    (4, 3)

    Reference:
        Drop-in for `keras.layers.GlobalMaxPooling1D`.
    """

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.data_format = data_format
        self.keepdims = keepdims
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def call(self, inputs):
        axis = 1 if self.data_format == "channels_last" else 2
        return ops.max(inputs, axis=axis, keepdims=self.keepdims)

    def compute_output_shape(self, input_shape):
        ones = (1,) if self.keepdims else ()
        if self.data_format == "channels_last":
            return (input_shape[0], *ones, input_shape[-1])
        return (*input_shape[:2], *ones)

    def get_config(self):
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
