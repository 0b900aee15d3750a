"""`GainedPositionEmbedding`: a trained vector for each position."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class GainedPositionEmbedding(keras.layers.Layer):
    """Position embedding, a trained vector for each position: `embeddings[positions]`.

    The positions are `start_index`, `start_index + 1` and so on, or `positions`, an
    argument of the call, of shape `(steps,)` or `(batch, steps)`. Of the inputs only
    the shape counts: the outputs are to be added to them.

    Args:
        sequence_length: Positive int, how many positions there are. Defaults to `32`.
        initializer: Initializer of the embeddings. Defaults to `"he_normal"`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        `(batch, steps, size)`, at most `sequence_length` steps, `size` known.

    Output shape:
        The input's shape.

    Raises:
        TypeError: If `label` is of another type.
        ValueError: If an argument is none of the values above.

    Example:

    >>> layer = GainedPositionEmbedding(16)
    >>> tuple(layer(keras.ops.ones((2, 10, 8))).shape)
    (2, 10, 8)

    Reference:
        [Devlin et al., 2018](https://arxiv.org/abs/1810.04805). As
        `keras_hub.layers.PositionEmbedding`, but with arguments or defaults of its own.
    """

    def __init__(
        self,
        sequence_length=32,
        initializer="he_normal",
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(sequence_length) or sequence_length <= 0:
            raise ValueError(
                "`sequence_length` must be a positive int. "
                f"Received: sequence_length={sequence_length!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.sequence_length = int(sequence_length)
        self.initializer = keras.initializers.get(initializer)
        self.gain = float(gain)
        self.label = label
        self.supports_masking = True

    def build(self, input_shape):
        self.position_embeddings = self.add_weight(
            name="embeddings",
            shape=(self.sequence_length, input_shape[-1]),
            initializer=self.initializer,
        )

    def call(self, inputs, start_index=0, positions=None):
        # TODO: put `self.gain` and `self.label` to use: nothing depends on them yet.
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
            "gain": self.gain,
            "label": self.label,
        }
