"""`MyEmbedding`: a trainable vector for each index."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyEmbedding(keras.layers.Layer):
    """Embedding, a trainable vector for each index: `embeddings[inputs]`.

    Indices are integers from 0 to `input_dim - 1`. Inputs of any dtype are cast to
    `int32`, regardless of the dtype policy.

    With `mask_zero`, index 0 means padding: the outputs carry a mask that is `False`
    there, for subsequent layers.

    Args:
        input_dim: Positive int, size of the vocabulary (maximum index + 1).
        output_dim: Positive int, size of each vector.
        embeddings_initializer: Initializer of `embeddings`. Defaults to `"uniform"`.
        embeddings_regularizer: Regularizer of `embeddings`. Defaults to `None`.
        embeddings_constraint: Constraint on `embeddings`. Defaults to `None`.
        mask_zero: Bool, whether index 0 is padding and should be masked out. Defaults
            to `False`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, often `(batch, steps)`.

    Output shape:
        `(batch, ..., output_dim)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MyEmbedding(1000, 64, mask_zero=True)
    >>> tuple(layer(keras.ops.array([[12, 7, 0], [5, 0, 0]])).shape)
    (2, 3, 64)

    Reference:
        Drop-in for `keras.layers.Embedding`, without `weights`, `input_length`,
        `activity_regularizer`, `lora_rank`, `lora_alpha`, `quantization_config`,
        `enable_lora`, `quantize` and ragged inputs.
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
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
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
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
        }

    @classmethod
    def from_config(cls, config):
        # Unsupported arguments of the built-in, with the values that have no effect.
        left_out = {
            "weights": [None],
            "input_length": [None],
            "activity_regularizer": [None],
            "lora_rank": [None],
            "lora_alpha": [None],
            "quantization_config": [None],
        }
        for name, values in left_out.items():
            if name in config and config[name] not in values:
                raise ValueError(
                    f"`{name}` is not supported and must be {values[0]!r}. "
                    f"Received: {name}={config[name]!r}"
                )
        kept = {name: config[name] for name in config if name not in left_out}
        return super().from_config(kept)
