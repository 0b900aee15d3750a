"""`MyPositionEmbedding`: a trainable vector for each position."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyPositionEmbedding(keras.layers.Layer):
    """Position embedding, a trainable vector per position: `embeddings[positions]`.

    The positions are `start_index`, `start_index + 1` and so on, or the call argument
    `positions`, of shape `(steps,)` or `(batch, steps)`. Only the shape of the inputs
    matters; the outputs are meant to be added to them.

    Args:
        sequence_length: Positive int, maximum sequence length.
        initializer: Initializer of the embeddings. Defaults to `"glorot_uniform"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, size)`, with at most `sequence_length` steps and `size` known.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MyPositionEmbedding(16)
    >>> tuple(layer(keras.ops.ones((2, 10, 8))).shape)
    (2, 10, 8)

    Reference:
        [Devlin et al., 2018](https://arxiv.org/abs/1810.04805). Drop-in for
        `keras_hub.layers.PositionEmbedding`, without serving by vLLM.
    """

    def __init__(self, sequence_length, initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        if not is_int(sequence_length) or sequence_length <= 0:
            raise ValueError(
                "`sequence_length` must be a positive int. "
                f"Received: sequence_length={sequence_length!r}"
            )
        self.sequence_length = int(sequence_length)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape):
        self.position_embeddings = self.add_weight(
            name="embeddings",
            shape=(self.sequence_length, input_shape[-1]),
            initializer=self.initializer,
        )

    def call(self, inputs, start_index=0, positions=None):
        shape = ops.shape(inputs)
        embeddings = ops.convert_to_tensor(self.position_embeddings)
        if positions is None:
            embeddings = ops.slice(embeddings, (start_index, 0), shape[-2:])
        else:
            embeddings = ops.take(embeddings, ops.cast(positions, "int32"), axis=0)
        return ops.broadcast_to(embeddings, shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "sequence_length": self.sequence_length,
            "initializer": keras.initializers.serialize(self.initializer),
        }
