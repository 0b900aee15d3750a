"""`MySpectralNormalization`: a layer with a normalized kernel."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MySpectralNormalization(keras.layers.Layer):
    """A layer whose kernel is divided by its greatest singular value, `kernel / sigma`.

    Each call in training divides the kernel anew, as a matrix with a column for each
    place of its last axis. So the layer cannot stretch its input much: a discriminator
    stays smooth. `sigma` is found by power iteration::

        v = normalize(vector_u @ transpose(kernel))
        vector_u = normalize(v @ kernel)
        sigma = v @ kernel @ transpose(vector_u)

    `vector_u` is kept from call to call, so that one step each is enough. A kernel of
    zeros is left as it is.

    Args:
        layer: Layer with a weight `kernel` or `embeddings`.
        power_iterations: Positive int, how many steps of power iteration a call in
            training takes. Defaults to `1`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        That of the layer, the last axis of known size.

    Output shape:
        That of the layer.

    Raises:
        TypeError: If `layer` is of another type.
        ValueError: If an argument is none of the values above, or `layer` has neither
            `kernel` nor `embeddings`.

    Example:

    >>> layer = MySpectralNormalization(keras.layers.Dense(4))
    >>> tuple(layer(keras.ops.ones((2, 3)), training=True).shape)
    (2, 4)

    Reference:
        Drop-in for `keras.layers.SpectralNormalization`.

        Miyato et al., 2018, https://arxiv.org/abs/1802.05957
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, keras.layers.Layer):
            raise TypeError(f"`layer` must be a layer. Received: layer={layer!r}")
        if not is_int(power_iterations) or power_iterations <= 0:
            raise ValueError(
                "`power_iterations` must be a positive int. "
                f"Received: power_iterations={power_iterations!r}"
            )
        self.layer = layer
        self.power_iterations = int(power_iterations)

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)
        if hasattr(self.layer, "kernel"):
            self.kernel = self.layer.kernel
        elif hasattr(self.layer, "embeddings"):
            self.kernel = self.layer.embeddings
        else:
            raise ValueError(
                "`layer` must have a weight `kernel` or `embeddings`. "
                f"Received: layer={self.layer}"
            )
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            dtype=self.kernel.dtype,
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def call(self, inputs, training=None):
        if training:
            # A kernel of zeros has no singular value to divide by.
            kernel, vector_u = ops.cond(
                ops.any(ops.not_equal(self.kernel, 0)),
                self._normalized,
                lambda: (self.kernel.value, self.vector_u.value),
            )
            self.kernel.assign(kernel)
            self.vector_u.assign(vector_u)
        outputs = self.layer(inputs, training=training)
        return ops.cast(outputs, self.compute_dtype)

    def _normalized(self):
        """Return the normalized kernel and the next `vector_u`."""
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        vector_u = self.vector_u
        for _ in range(self.power_iterations):
            vector_v = ops.matmul(vector_u, ops.transpose(matrix))
            vector_v = ops.divide(vector_v, ops.norm(vector_v))
            vector_u = ops.matmul(vector_v, matrix)
            vector_u = ops.divide(vector_u, ops.norm(vector_u))
        # As in the paper, both are constants where `sigma` is differentiated.
        vector_u, vector_v = ops.stop_gradient(vector_u), ops.stop_gradient(vector_v)
        sigma = ops.matmul(ops.matmul(vector_v, matrix), ops.transpose(vector_u))
        return ops.divide(self.kernel, sigma), vector_u

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
            "power_iterations": self.power_iterations,
        }

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
