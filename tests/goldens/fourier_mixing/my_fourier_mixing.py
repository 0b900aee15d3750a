"""`MyFourierMixing`: mixing by a Fourier transform."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyFourierMixing(keras.layers.Layer):
    """Mixing by a Fourier transform: `real(fft2(inputs))`.

    The transform is taken over the steps and the features of each sequence::

        output[k, l] = sum over t, f of
            inputs[t, f] * cos(2 * pi * (k * t / steps + l * f / features))

    Each output thus depends on the whole sequence, without trainable weights. Masked
    steps count as zeros. Computations use at least float32.

    The unnormalized sum scales the values by `sqrt(steps * features)`: with
    `norm="backward"`, a normalization layer should follow.

    Args:
        norm: `"backward"` for the unnormalized sum, `"ortho"` to divide it by
            `sqrt(steps * features)`. Defaults to `"backward"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, features)`.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 3.

    Example:

    >>> layer = MyFourierMixing(norm="backward")
    >>> y = layer(keras.ops.array([[[1.0, 2.0], [3.0, 4.0]]]))
    >>> keras.ops.convert_to_numpy(y).round(2).tolist()
    [[[10.0, -2.0], [-4.0, 0.0]]]

    Reference:
        [Lee-Thorp et al., 2021](https://arxiv.org/abs/2105.03824)
    """

    def __init__(self, norm="backward", **kwargs):
        super().__init__(**kwargs)
        if norm not in ("backward", "ortho"):
            raise ValueError(
                f"`norm` must be 'backward' or 'ortho'. Received: norm={norm!r}"
            )
        self.norm = norm
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        inputs = ops.cast(inputs, dtype)
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
            inputs = ops.where(mask, inputs, ops.zeros_like(inputs))
        outputs = ops.fft2((inputs, ops.zeros_like(inputs)))[0]  # The real part.
        if self.norm == "ortho":
            _, steps, features = ops.shape(outputs)
            outputs = outputs / ops.sqrt(ops.cast(steps * features, dtype))
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "norm": self.norm,
        }
