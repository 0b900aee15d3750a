"""`MyGlobalAveragePooling1D`: 1D global average pooling."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyGlobalAveragePooling1D(keras.layers.Layer):
    """1D global average pooling: the mean of each channel.

    Over all steps::

        outputs[c] = mean over t of inputs[t, c]

    Masked steps are ignored; if all steps are masked, the mean is NaN. The mask is not
    passed on.

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

    >>> layer = MyGlobalAveragePooling1D(data_format="channels_last")
    >>> tuple(layer(keras.ops.ones((4, 28, 3))).shape)
    (4, 3)

    Reference:
        Drop-in for `keras.layers.GlobalAveragePooling1D`.
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
        self.supports_masking = True

    def call(self, inputs, mask=None):
        axis, channel_axis = (1, 2) if self.data_format == "channels_last" else (2, 1)
        if mask is None:
            return ops.mean(inputs, axis=axis, keepdims=self.keepdims)
        kept = ops.expand_dims(ops.cast(mask, "bool"), axis=channel_axis)
        total = ops.sum(ops.where(kept, inputs, 0), axis=axis, keepdims=self.keepdims)
        steps = ops.sum(ops.cast(kept, inputs.dtype), axis=axis, keepdims=self.keepdims)
        return ops.divide(total, steps)

    def compute_mask(self, inputs, mask=None):
        """Return `None`: the output has no steps."""

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
