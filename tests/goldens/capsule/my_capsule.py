"""`MyCapsule`: capsules with routing by agreement."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def squash(vectors):
    """Scale vectors of norm `n` along the last axis to norm `n**2 / (1 + n**2)`."""
    # At least float32: squares easily overflow in float16.
    dtype = keras.backend.result_type(vectors.dtype, "float32")
    wide = ops.cast(vectors, dtype)
    squared = ops.sum(ops.square(wide), axis=-1, keepdims=True)
    # Without epsilon, the gradient of the root is not finite at zero.
    length = ops.sqrt(squared + keras.config.epsilon())
    return ops.cast(wide * (length / (1 + squared)), vectors.dtype)


@keras.saving.register_keras_serializable(package="golden")
class MyCapsule(keras.layers.Layer):
    """Capsules with dynamic routing: `squash(sum of coupling * votes)`.

    The norm of an output capsule, below 1, represents the probability that an entity is
    present, and its direction the properties of the entity. Each input capsule `i`
    votes for each output capsule `j` through its own matrix, and is coupled to those
    its votes agree with. Starting from `logits[i, j] = 0`, the last three lines are
    repeated `num_routings` times::

        votes[i, j] = inputs[i] @ kernel[i, :, j]

        coupling[i] = softmax(logits[i])
        outputs[j] = squash(sum over i of coupling[i, j] * votes[i, j])
        logits[i, j] += dot(votes[i, j], outputs[j])

    Here `squash(s) = norm(s)**2 / (1 + norm(s)**2) * s / norm(s)`, and 0 at 0.
    Gradients flow through all iterations. Masked input capsules have no vote.

    Args:
        num_capsules: Positive int, number of output capsules.
        dim_capsules: Positive int, size of each output capsule.
        num_routings: Positive int, number of routing iterations. Defaults to `3`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, input_capsules, input_dim)`, with all sizes but `batch` known.

    Output shape:
        `(batch, num_capsules, dim_capsules)`.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 3, or
            `input_capsules` or `input_dim` is unknown or differs from the one the layer
            was built with.

    Example:

    >>> layer = MyCapsule(10, 16)
    >>> digits = layer(keras.random.normal((2, 72, 8)))
    >>> tuple(digits.shape)
    (2, 10, 16)
    >>> bool(keras.ops.all(keras.ops.norm(digits, axis=-1) < 1))
    True

    Reference:
        [Sabour et al., 2017](https://arxiv.org/abs/1710.09829)
    """

    def __init__(
        self,
        num_capsules,
        dim_capsules,
        num_routings=3,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_capsules) or num_capsules <= 0:
            raise ValueError(
                "`num_capsules` must be a positive int. "
                f"Received: num_capsules={num_capsules!r}"
            )
        if not is_int(dim_capsules) or dim_capsules <= 0:
            raise ValueError(
                "`dim_capsules` must be a positive int. "
                f"Received: dim_capsules={dim_capsules!r}"
            )
        if not is_int(num_routings) or num_routings <= 0:
            raise ValueError(
                "`num_routings` must be a positive int. "
                f"Received: num_routings={num_routings!r}"
            )
        self.num_capsules = int(num_capsules)
        self.dim_capsules = int(dim_capsules)
        self.num_routings = int(num_routings)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, input_shape):
        _, input_capsules, input_dim = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_capsules, input_dim, self.num_capsules, self.dim_capsules),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.input_spec = keras.layers.InputSpec(
            ndim=3, axes={1: input_capsules, 2: input_dim}
        )

    def call(self, inputs, mask=None):
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
            inputs = ops.where(mask, inputs, ops.zeros_like(inputs))
        # b: batch; i, d: input capsules and size; j, e: output capsules and size.
        votes = ops.einsum("bid,idje->bjie", inputs, self.kernel)
        logits = ops.zeros_like(votes[..., 0])
        outputs = self._combine(votes, logits)
        for _ in range(self.num_routings - 1):
            logits = logits + ops.einsum("bjie,bje->bji", votes, outputs)
            outputs = self._combine(votes, logits)
        return outputs

    def _combine(self, votes, logits):
        """Return the output capsules: the sum of the votes, weighted by the logits."""
        coupling = ops.softmax(logits, axis=1)
        return squash(ops.einsum("bji,bjie->bje", coupling, votes))

    def compute_mask(self, inputs, mask=None):
        """Return `None`: the mask does not apply to the output capsules."""

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_capsules, self.dim_capsules)

    def get_config(self):
        return {
            **super().get_config(),
            "num_capsules": self.num_capsules,
            "dim_capsules": self.dim_capsules,
            "num_routings": self.num_routings,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }
