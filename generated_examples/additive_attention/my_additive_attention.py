"""`MyAdditiveAttention`: additive attention."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MyAdditiveAttention(keras.layers.Layer):
    """Additive attention: `softmax(scores) @ value`.

    The scores of a query for all keys are Bahdanau's::

        scores = sum(scale * tanh(query + key), axis=-1)

    A call also accepts:

    `mask`, a list of the query mask and the value mask, each `None` or of shape
    `(batch, steps)`: masked queries are 0 in the output, and masked values get no
    weight. The query mask is passed on.

    `use_causal_mask=True`, so that step `i` of the query does not attend to steps of
    the value after `i`.

    `return_attention_scores=True`, to also return the weights `softmax(scores)`.

    Args:
        use_scale: Bool, whether to multiply by a trainable `scale`, one value per
            feature. Defaults to `True`.
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

    >>> layer = MyAdditiveAttention(use_scale=True)
    >>> query, value = keras.ops.ones((2, 3, 8)), keras.ops.ones((2, 5, 8))
    >>> outputs, weights = layer([query, value], return_attention_scores=True)
    >>> tuple(outputs.shape), tuple(weights.shape)
    ((2, 3, 8), (2, 3, 5))

    Reference:
        [Bahdanau et al., 2014](https://arxiv.org/abs/1409.0473). Drop-in for
        `keras.layers.AdditiveAttention`.
    """

    def __init__(self, use_scale=True, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout <= 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1]. "
                f"Received: dropout={dropout!r}"
            )
        self.use_scale = use_scale
        self.dropout = float(dropout)
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        query_shape, *_ = self._unpack(input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=query_shape[-1:], initializer="glorot_uniform"
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
        scores = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        if self.scale is not None:
            scores = ops.multiply(self.scale, scores)
        return ops.sum(scores, axis=-1)

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
            "dropout": self.dropout,
            "seed": self.seed,
        }
