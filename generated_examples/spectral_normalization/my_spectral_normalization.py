"""`MySpectralNormalization`: a layer with a normalized kernel."""

import inspect
import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MySpectralNormalization(keras.layers.Layer):
    """A layer with its kernel divided by its largest singular value, `kernel / sigma`.

    The kernel is reshaped to a matrix with one column per index of its last axis.
    Dividing it by `sigma` normalizes its spectral norm to 1, which keeps, for example,
    a discriminator smooth. The weight itself keeps its scale, and gradients flow
    through the division. `sigma` is computed by power iteration::

        v = normalize(vector_u @ transpose(kernel))
        vector_u = normalize(v @ kernel)
        sigma = v @ kernel @ transpose(vector_u)

    In training, `vector_u` is kept from call to call, so that one step per call is
    enough. A kernel of zeros is left unchanged.

    Args:
        layer: Layer with a weight `kernel` or `embeddings`.
        power_iterations: Positive int, number of power iterations per call. Defaults to
            `1`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        The input shape of the layer, with the size of the last axis known.

    Output shape:
        The output shape of the layer.

    Raises:
        TypeError: If `layer` has the wrong type.
        ValueError: If an argument is invalid, or `layer` has neither `kernel` nor
            `embeddings`.

    Example:

    >>> layer = MySpectralNormalization(keras.layers.Dense(4))
    >>> tuple(layer(keras.ops.ones((2, 3)), training=True).shape)
    (2, 4)

    Reference:
        Drop-in for `keras.layers.SpectralNormalization`, but the kernel is also divided
        at inference, and not overwritten: `fit` on JAX discards what Keras assigns to
        it.

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
        self._layer_takes_mask = "mask" in inspect.signature(layer.call).parameters

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
            autocast=False,
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def call(self, inputs, training=None, mask=None):
        kernel = ops.cast(self.kernel, self.vector_u.dtype)
        vector_u = ops.convert_to_tensor(self.vector_u)
        # A kernel of zeros has no singular value to divide by.
        kernel, vector_u = ops.cond(
            ops.any(ops.not_equal(kernel, 0)),
            lambda: self._normalized(kernel, vector_u),
            lambda: (kernel, vector_u),
        )
        if training:
            self.vector_u.assign(vector_u)
        masks = {"mask": mask} if self._layer_takes_mask else {}
        outputs = self._call_layer(kernel, inputs, training=training, **masks)
        return ops.cast(outputs, self.compute_dtype)

    def _normalized(self, kernel, vector_u):
        """Return the normalized kernel and the next `vector_u`."""
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        for _ in range(self.power_iterations):
            vector_v = ops.matmul(vector_u, ops.transpose(matrix))
            vector_v = ops.divide(vector_v, ops.norm(vector_v))
            vector_u = ops.matmul(vector_v, matrix)
            vector_u = ops.divide(vector_u, ops.norm(vector_u))
        # As in the paper, both are constants in the gradient of `sigma`.
        vector_u, vector_v = ops.stop_gradient(vector_u), ops.stop_gradient(vector_v)
        sigma = ops.matmul(ops.matmul(vector_v, matrix), ops.transpose(vector_u))
        return ops.divide(kernel, sigma), vector_u

    def _call_layer(self, kernel, inputs, **given):
        """Return the output of the layer with `kernel` in place of its own.

        The kernel is not assigned, since `fit` on JAX discards values assigned to
        trainable weights. The layer's own assignments and its losses are kept.
        """
        variables = self.layer.variables
        values = [kernel if v is self.kernel else v.value for v in variables]
        scope = keras.StatelessScope(
            zip(variables, values, strict=True), collect_losses=True
        )
        before = [scope.get_current_value(variable) for variable in variables]
        with scope:
            outputs = self.layer(inputs, **given)
        for variable, value in zip(variables, before, strict=True):
            after = scope.get_current_value(variable)
            if after is not value:
                variable.assign(after)
        for loss in scope.losses:
            self.layer.add_loss(loss)
        return outputs

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
