"""`WideTransformer`: a Transformer encoder for text."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="WideTransformer.TokenAndPositionEmbedding"
)
class TokenAndPositionEmbedding(keras.layers.Layer):
    """Token embedding plus a learned position embedding; token 0 is padding."""

    def __init__(self, vocabulary_size, sequence_length, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.token_embedding = keras.layers.Embedding(
            vocabulary_size, hidden_dim, dtype=self.dtype_policy, name="token_embedding"
        )
        self.position_embedding = keras.layers.Embedding(
            sequence_length,
            hidden_dim,
            dtype=self.dtype_policy,
            name="position_embedding",
        )

    def build(self, input_shape):
        self.token_embedding.build(input_shape)
        self.position_embedding.build(input_shape)

    def call(self, inputs):
        steps = inputs.shape[1]
        if steps is not None and steps > self.sequence_length:
            raise ValueError(
                "There must be at most `sequence_length` tokens. "
                f"Received: {steps} tokens, sequence_length={self.sequence_length}"
            )
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        return self.token_embedding(inputs) + self.position_embedding(positions)

    def compute_mask(self, inputs, mask=None):
        del mask  # The mask depends only on the inputs.
        return ops.not_equal(inputs, 0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
        }


@keras.saving.register_keras_serializable(
    package="golden", name="WideTransformer.TransformerBlock"
)
class TransformerBlock(keras.layers.Layer):
    """Self-attention and a feed-forward network, each added to its input."""

    def __init__(self, hidden_dim, num_heads, intermediate_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.supports_masking = True
        self.attention_norm = self._norm("attention_norm")
        self.attention = keras.layers.MultiHeadAttention(
            num_heads,
            hidden_dim // num_heads,
            dropout=dropout,
            dtype=self.dtype_policy,
            name="attention",
        )
        self.feed_forward_norm = self._norm("feed_forward_norm")
        self.intermediate_dense = keras.layers.Dense(
            intermediate_dim,
            activation="gelu",
            dtype=self.dtype_policy,
            name="intermediate_dense",
        )
        self.output_dense = keras.layers.Dense(
            hidden_dim, dtype=self.dtype_policy, name="output_dense"
        )
        self.attention_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="attention_dropout"
        )
        self.feed_forward_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="feed_forward_dropout"
        )

    def _norm(self, name):
        return keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name=name
        )

    def build(self, input_shape):
        self.attention_norm.build(input_shape)
        self.attention.build(input_shape, input_shape)
        self.feed_forward_norm.build(input_shape)
        self.intermediate_dense.build(input_shape)
        self.output_dense.build((*input_shape[:-1], self.intermediate_dim))

    def call(self, inputs, mask=None, training=None):
        x = self.attention_norm(inputs)
        x = self.attention(x, x, value_mask=mask, training=training)
        x = inputs + self.attention_dropout(x, training=training)
        y = self.intermediate_dense(self.feed_forward_norm(x))
        y = self.feed_forward_dropout(self.output_dense(y), training=training)
        return x + y

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(
    package="golden", name="WideTransformer.MaskedAverage"
)
class MaskedAverage(keras.layers.Layer):
    """The average over all unmasked steps."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        mask = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        # 0 rather than NaN if all steps are padding.
        return ops.sum(inputs * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1)

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # There are no steps left to mask.

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])


@keras.saving.register_keras_serializable(package="golden")
class WideTransformer(keras.Model):
    """Transformer encoder over tokens, averaged over the sequence.

    Each block is `x = x + attention(norm(x))`, then `x + dense(gelu(dense(norm(x))))`.
    The last block is followed by a normalization and the average over the tokens.

    Token 0 is padding, which the attention and the average ignore.

    Args:
        vocabulary_size: Positive int, size of the vocabulary, including 0 for padding.
        num_classes: Positive int, number of classes; the model outputs a logit for
            each. Defaults to `2`.
        sequence_length: Positive int, maximum number of tokens. Defaults to `512`.
        hidden_dim: Positive multiple of `num_heads`, size of the token embeddings.
            Defaults to `128`.
        num_layers: Positive int, number of blocks. Defaults to `2`.
        num_heads: Positive int, number of attention heads. Defaults to `8`.
        intermediate_dim: Positive int, units of the first dense layer of the
            feed-forward networks. Defaults to `128`.
        dropout: Float in `[0, 1)`, dropout rate of the embeddings, of the attention
            weights and of the outputs of each residual branch. Defaults to `0.1`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, steps)`, ints from 0 to `vocabulary_size - 1`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or there are more than `sequence_length`
            tokens.

    Example:

    >>> model = WideTransformer(vocabulary_size=1000, num_classes=3, hidden_dim=16)
    >>> tuple(model(keras.ops.ones((2, 6), "int32")).shape)
    (2, 3)

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762); pre-normalized as in
        [Xiong et al., 2020](https://arxiv.org/abs/2002.04745)
    """

    def __init__(
        self,
        vocabulary_size,
        num_classes=2,
        sequence_length=512,
        hidden_dim=128,
        num_layers=2,
        num_heads=8,
        intermediate_dim=128,
        dropout=0.1,
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(vocabulary_size) or vocabulary_size <= 0:
            raise ValueError(
                "`vocabulary_size` must be a positive int. "
                f"Received: vocabulary_size={vocabulary_size!r}"
            )
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not is_int(sequence_length) or sequence_length <= 0:
            raise ValueError(
                "`sequence_length` must be a positive int. "
                f"Received: sequence_length={sequence_length!r}"
            )
        if not is_int(num_layers) or num_layers <= 0:
            raise ValueError(
                "`num_layers` must be a positive int. "
                f"Received: num_layers={num_layers!r}"
            )
        if not is_int(num_heads) or num_heads <= 0:
            raise ValueError(
                f"`num_heads` must be a positive int. Received: num_heads={num_heads!r}"
            )
        if not is_int(intermediate_dim) or intermediate_dim <= 0:
            raise ValueError(
                "`intermediate_dim` must be a positive int. "
                f"Received: intermediate_dim={intermediate_dim!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if not is_int(hidden_dim) or hidden_dim <= 0 or hidden_dim % num_heads:
            raise ValueError(
                "`hidden_dim` must be a positive multiple of `num_heads`. "
                f"Received: hidden_dim={hidden_dim!r}, num_heads={num_heads}"
            )
        self.vocabulary_size = vocabulary_size
        self.num_classes = num_classes
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = float(dropout)
        self.gain = float(gain)
        self.label = label
        self.embedding = TokenAndPositionEmbedding(
            vocabulary_size,
            sequence_length,
            hidden_dim,
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.embedding_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="embedding_dropout"
        )
        self.blocks = [
            TransformerBlock(
                hidden_dim,
                num_heads,
                intermediate_dim,
                dropout,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="norm"
        )
        self.average = MaskedAverage(dtype=self.dtype_policy, name="average")
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape, dtype="int32"))

    def call(self, inputs, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        x = self.embedding_dropout(self.embedding(inputs), training=training)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.average(self.norm(x))
        return self.head(x)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "metrics": ["accuracy"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_classes": self.num_classes,
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "gain": self.gain,
            "label": self.label,
        }
