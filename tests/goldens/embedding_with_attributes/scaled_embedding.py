"""`ScaledEmbedding`: a trainable vector for each index."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class ScaledEmbedding(keras.layers.Layer):
    """Embedding, a trainable vector for each index: `embeddings[inputs]`.

    Indices are integers from 0 to `input_dim - 1`. Inputs of any dtype are cast to
    `int32`, regardless of the dtype policy.

    With `mask_zero`, index 0 means padding: the outputs carry a mask that is `False`
    there, for subsequent layers.

    Args:
        input_dim: Positive int, size of the vocabulary (maximum index + 1). Defaults to
            `500`.
        output_dim: Positive int, size of each vector. Defaults to `64`.
        embeddings_initializer: Initializer of `embeddings`. Defaults to `"he_normal"`.
        embeddings_regularizer: Regularizer of `embeddings`. Defaults to `None`.
        embeddings_constraint: Constraint on `embeddings`. Defaults to `None`.
        mask_zero: Bool, whether index 0 is padding and should be masked out. Defaults
            to `True`.
        scale: Float greater than 0. Defaults to `1.0`.
        mode: 'sum' or 'mean'. Defaults to `"sum"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, often `(batch, steps)`.

    Output shape:
        `(batch, ..., output_dim)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = ScaledEmbedding(1000, 64, mask_zero=True)
    >>> tuple(layer(keras.ops.array([[12, 7, 0], [5, 0, 0]])).shape)
    (2, 3, 64)

    Reference:
        As `keras.layers.Embedding`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        input_dim=500,
        output_dim=64,
        embeddings_initializer="he_normal",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=True,
        scale=1.0,
        mode="sum",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(input_dim) or input_dim <= 0:
            raise ValueError(
                f"`input_dim` must be a positive int. Received: input_dim={input_dim!r}"
            )
        if not is_int(output_dim) or output_dim <= 0:
            raise ValueError(
                "`output_dim` must be a positive int. "
                f"Received: output_dim={output_dim!r}"
            )
        if not isinstance(scale, numbers.Real) or not scale > 0:
            raise ValueError(
                f"`scale` must be a float greater than 0. Received: scale={scale!r}"
            )
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.scale = float(scale)
        self.mode = mode
        self.supports_masking = mask_zero
        # Narrow floats cannot represent all indices, for example 2049 in float16.
        self.autocast = False

    def build(self, input_shape=None):
        super().build(input_shape)
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs):
        # TODO: use `self.scale` and `self.mode`: they have no effect yet.
        outputs = ops.take(self.embeddings, ops.cast(inputs, "int32"), axis=0)
        return ops.cast(outputs, self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        del mask  # The mask depends on the inputs only.
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
            "embeddings_regularizer": keras.regularizers.serialize(
                self.embeddings_regularizer
            ),
            "embeddings_constraint": keras.constraints.serialize(
                self.embeddings_constraint
            ),
            "mask_zero": self.mask_zero,
            "scale": self.scale,
            "mode": self.mode,
        }
