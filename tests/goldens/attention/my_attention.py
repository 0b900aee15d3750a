"""`MyAttention`: dot-product attention."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyAttention(keras.layers.Layer):
    """Dot-product attention: `softmax(scores) @ value`.

    The scores of a query for all keys depend on `score_mode`::

        dot = scale * query @ transpose(key)
        concat = concat_score_weight * sum(tanh(scale * (query + key)), axis=-1)

    A call also accepts:

    `mask`, a list of the query mask and the value mask, each `None` or of shape
    `(batch, steps)`: masked queries are 0 in the output, and masked values get no
    weight. The query mask is passed on.

    `use_causal_mask=True`, so that step `i` of the query does not attend to steps of
    the value after `i`.

    `return_attention_scores=True`, to also return the weights `softmax(scores)`.

    Args:
        use_scale: Bool, whether to multiply the scores by a trainable `scale`. Defaults
            to `False`.
        score_mode: `"dot"` or `"concat"`, the score function. Defaults to `"dot"`.
        dropout: Float from 0 to 1, fraction of the attention weights to drop in
            training. Defaults to `0.0`.
        seed: Int, seed for the dropout, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        A list of the query, `(batch, query_steps, dim)`, the value,
        `(batch, steps, value_dim)`, and optionally the key, `(batch, steps, dim)`, by
        default the value.

    Output shape:
        `(batch, query_steps, value_dim)`; the weights have
        `(batch, query_steps, steps)`.

    Raises:
        ValueError: If an argument is invalid, or `inputs` or `mask` is not a list of 2
            or 3 items.

    Example:

    >>> layer = MyAttention(use_scale=True)
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> outputs, weights = layer([query, value], return_attention_scores=True)
    >>> tuple(outputs.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 3, 5))

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025). Drop-in for
        `keras.layers.Attention`.
    """

    def __init__(
        self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "`score_mode` must be 'dot' or 'concat'. "
                f"Received: score_mode={score_mode!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout <= 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1]. "
                f"Received: dropout={dropout!r}"
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = float(dropout)
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self._unpack(input_shape)  # Raises unless it is a list of 2 or 3.
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def call(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        query, value, key = self._unpack(inputs)
        if mask is None:
            mask = [None, None]
        if not isinstance(mask, list) or len(mask) not in (2, 3):
            raise ValueError(
                "`mask` must be a list [query_mask, value_mask]. "
                f"Received: mask={mask}"
            )
        query_mask, value_mask, *_ = mask
        scores = self._scores(query, key)
        # The lowest finite score: -inf would give NaN if everything is masked.
        masked = -65504.0 if self.compute_dtype == "float16" else -3e38
        if value_mask is not None:
            value_mask = ops.cast(ops.expand_dims(value_mask, -2), "bool")
            scores = ops.where(value_mask, scores, masked)
        if use_causal_mask:
            causal_mask = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool"))
            scores = ops.where(causal_mask, scores, masked)
        weights = ops.softmax(scores)
        if training and self.dropout > 0:
            weights = keras.random.dropout(
                weights, self.dropout, seed=self.seed_generator
            )
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            query_mask = ops.cast(ops.expand_dims(query_mask, -1), "bool")
            outputs = ops.where(query_mask, outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs

    def _unpack(self, inputs):
        """Return the query, the value and the key of `inputs`, tensors or shapes."""
        if not isinstance(inputs, list) or len(inputs) not in (2, 3):
            raise ValueError(
                "`inputs` must be a list [query, value] or [query, value, key]. "
                f"Received: inputs={inputs}"
            )
        query, value, *key = inputs
        return query, value, key[0] if key else value

    def _scores(self, query, key):
        """Return the score of each query for each key."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        added = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        if self.scale is not None:
            added = ops.multiply(added, self.scale)
        return self.concat_score_weight * ops.sum(ops.tanh(added), axis=-1)

    def compute_mask(self, inputs, mask=None):
        del inputs  # Only the query mask is passed on.
        return None if mask is None else mask[0]

    def compute_output_spec(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        del mask, training, use_causal_mask  # They do not affect shapes.
        query, value, key = self._unpack(inputs)
        shape = self.compute_output_shape([query.shape, value.shape])
        outputs = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return outputs
        shape = (*query.shape[:-1], key.shape[-2])
        return outputs, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape):
        query_shape, value_shape, *_ = input_shape
        return (*query_shape[:-1], value_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }
