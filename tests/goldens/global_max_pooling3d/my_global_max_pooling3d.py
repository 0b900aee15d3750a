"""`MyGlobalMaxPooling3D`: 3D global max pooling."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyGlobalMaxPooling3D(keras.layers.Layer):
    """3D global max pooling: the largest value of each channel.

    Over all spatial positions::

        outputs[c] = max over i, j, k of inputs[i, j, k, c]

    Args:
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        keepdims: Bool, whether to keep the pooled axes with size 1. Defaults to
            `False`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, depth, height, width, channels)` for `"channels_last"`,
        `(batch, channels, depth, height, width)` for `"channels_first"`.

    Output shape:
        `(batch, channels)`; with `keepdims`, the input shape with depth, height and
        width 1.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 5.

    Example:

    >>> layer = MyGlobalMaxPooling3D(data_format="channels_last")
    >>> tuple(layer(keras.ops.ones((4, 28, 20, 12, 3))).shape)
    (4, 3)

    Reference:
        Drop-in for `keras.layers.GlobalMaxPooling3D`.
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
        self.input_spec = keras.layers.InputSpec(ndim=5)

    def call(self, inputs):
        axis = (1, 2, 3) if self.data_format == "channels_last" else (2, 3, 4)
        return ops.max(inputs, axis=axis, keepdims=self.keepdims)

    def compute_output_shape(self, input_shape):
        ones = (
            (
                1,
                1,
                1,
            )
            if self.keepdims
            else ()
        )
        if self.data_format == "channels_last":
            return (input_shape[0], *ones, input_shape[-1])
        return (*input_shape[:2], *ones)

    def get_config(self):
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
