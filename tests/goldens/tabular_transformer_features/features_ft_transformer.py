"""`FeaturesFTTransformer`: a Transformer over the features of a row."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="FeaturesFTTransformer.FeatureTokenizer"
)
class FeatureTokenizer(keras.layers.Layer):
    """A token for each feature of `(batch, num_features)`, after a class token."""

    def __init__(self, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim

    def build(self, input_shape):
        num_features = input_shape[-1]
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: num_features})
        self.class_token = self._weight("class_token", 1)
        self.token_kernel = self._weight("token_kernel", num_features)
        self.token_bias = self._weight("token_bias", num_features)

    def _weight(self, name, tokens):
        # Uniform up to 1 / sqrt(hidden_dim).
        initializer = keras.initializers.VarianceScaling(
            1 / 3, mode="fan_out", distribution="uniform"
        )
        return self.add_weight(
            shape=(tokens, self.hidden_dim), initializer=initializer, name=name
        )

    def call(self, inputs):
        tokens = inputs[..., None] * self.token_kernel + self.token_bias
        shape = (ops.shape(inputs)[0], 1, self.hidden_dim)
        class_tokens = ops.broadcast_to(self.class_token, shape)
        return ops.concatenate([class_tokens, tokens], axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1] + 1, self.hidden_dim)

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim}


@keras.saving.register_keras_serializable(
    package="golden", name="FeaturesFTTransformer.GatedBlock"
)
class GatedBlock(keras.layers.Layer):
    """Self-attention, then a gated feed-forward network, each added to its input.

    The input of each is normalized first; `normalize_attention=False` omits that for
    the attention, as in the first block of a network.
    """

    def __init__(
        self,
        num_heads,
        hidden_dim,
        intermediate_dim,
        attention_dropout=0.0,
        dropout=0.0,
        normalize_attention=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.hidden_dim = hidden_dim
        self.intermediate_dim = intermediate_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.normalize_attention = normalize_attention
        if normalize_attention:
            self.attention_norm = keras.layers.LayerNormalization(
                epsilon=1e-5, dtype=self.dtype_policy, name="attention_norm"
            )
        self.attention = keras.layers.MultiHeadAttention(
            num_heads,
            hidden_dim // num_heads,
            dropout=attention_dropout,
            dtype=self.dtype_policy,
            name="attention",
        )
        self.feed_forward_norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="feed_forward_norm"
        )
        self.gate = keras.layers.Dense(
            intermediate_dim, activation="relu", dtype=self.dtype_policy, name="gate"
        )
        self.value = keras.layers.Dense(
            intermediate_dim, dtype=self.dtype_policy, name="value"
        )
        self.feed_forward_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="feed_forward_dropout"
        )
        self.output_dense = keras.layers.Dense(
            hidden_dim, dtype=self.dtype_policy, name="output_dense"
        )

    def build(self, input_shape):
        if self.normalize_attention:
            self.attention_norm.build(input_shape)
        self.attention.build(input_shape, input_shape)
        for layer in (self.feed_forward_norm, self.gate, self.value):
            layer.build(input_shape)
        self.output_dense.build((*input_shape[:-1], self.intermediate_dim))

    def call(self, inputs, training=None):
        x = self.attention_norm(inputs) if self.normalize_attention else inputs
        x = inputs + self.attention(x, x, training=training)
        y = self.feed_forward_norm(x)
        y = self.feed_forward_dropout(self.gate(y) * self.value(y), training=training)
        return x + self.output_dense(y)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "intermediate_dim": self.intermediate_dim,
            "attention_dropout": self.attention_dropout,
            "dropout": self.dropout,
            "normalize_attention": self.normalize_attention,
        }


@keras.saving.register_keras_serializable(package="golden")
class FeaturesFTTransformer(keras.Model):
    """FT-Transformer: a Transformer over the features of a row, with a token for each.

    The token of a feature is `x * kernel + bias`, with its own kernel and bias. A
    learned class token is prepended; its output, normalized and rectified, represents
    the row. Each block is as follows, except that the first one has no normalization
    before the attention::

        x = x + attention(norm(x))
        x = x + dense(dropout(relu(gate(y)) * value(y))),  y = norm(x)

    The default sizes are those of the paper. Features should be scaled to about the
    same range, and categorical ones one-hot encoded.

    Args:
        num_blocks: Positive int, number of Transformer blocks. Defaults to `3`.
        num_heads: Positive int, number of attention heads. Defaults to `8`.
        hidden_dim: Positive multiple of `num_heads`, size of the tokens. Defaults to
            `192`.
        intermediate_dim: Positive int, units inside the feed-forward networks. Defaults
            to `256`.
        attention_dropout: Float in `[0, 1)`, fraction of the attention weights to drop
            in training. Defaults to `0.2`.
        dropout: Float in `[0, 1)`, fraction of the units inside the feed-forward
            networks to drop in training. Defaults to `0.1`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, num_features)`.

    Output shape:
        `(batch, hidden_dim)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = FeaturesFTTransformer(num_blocks=1, num_heads=2, hidden_dim=8)
    >>> tuple(model(keras.ops.ones((2, 30))).shape)
    (2, 8)

    Reference:
        [Gorishniy et al., 2021](https://arxiv.org/abs/2106.11959)
    """

    def __init__(
        self,
        num_blocks=3,
        num_heads=8,
        hidden_dim=192,
        intermediate_dim=256,
        attention_dropout=0.2,
        dropout=0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_blocks) or num_blocks <= 0:
            raise ValueError(
                "`num_blocks` must be a positive int. "
                f"Received: num_blocks={num_blocks!r}"
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
        if (
            not isinstance(attention_dropout, numbers.Real)
            or not 0 <= attention_dropout < 1
        ):
            raise ValueError(
                "`attention_dropout` must be a float in the range [0, 1). "
                f"Received: attention_dropout={attention_dropout!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        if not is_int(hidden_dim) or hidden_dim <= 0 or hidden_dim % num_heads:
            raise ValueError(
                "`hidden_dim` must be a positive multiple of `num_heads`. "
                f"Received: hidden_dim={hidden_dim!r}, num_heads={num_heads}"
            )
        self.num_blocks = num_blocks
        self.num_heads = num_heads
        self.hidden_dim = hidden_dim
        self.intermediate_dim = intermediate_dim
        self.attention_dropout = float(attention_dropout)
        self.dropout = float(dropout)
        self.tokenizer = FeatureTokenizer(
            hidden_dim, dtype=self.dtype_policy, name="tokenizer"
        )
        self.blocks = [
            GatedBlock(
                num_heads,
                hidden_dim,
                intermediate_dim,
                attention_dropout,
                dropout,
                normalize_attention=i > 0,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            for i in range(num_blocks)
        ]
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="norm"
        )
        self.relu = keras.layers.ReLU(dtype=self.dtype_policy, name="relu")

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x = self.tokenizer(inputs)
        for block in self.blocks:
            x = block(x, training=training)
        return self.relu(self.norm(x[:, 0]))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "num_blocks": self.num_blocks,
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "intermediate_dim": self.intermediate_dim,
            "attention_dropout": self.attention_dropout,
            "dropout": self.dropout,
        }
