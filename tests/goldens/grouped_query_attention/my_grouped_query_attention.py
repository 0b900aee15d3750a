"""`MyGroupedQueryAttention`: grouped-query attention."""

import functools
import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyGroupedQueryAttention(keras.layers.Layer):
    """Grouped-query attention: `output(softmax(query @ key / sqrt(head_dim)) @ value)`.

    Each head has its own projection of the query; each group of
    `num_query_heads // num_key_value_heads` consecutive heads shares the projections of
    the key and the value. For each step of the query, a head outputs the mean of the
    value's steps, weighted by the softmax over the key's steps. `output` is a
    projection of all heads.

    A call accepts the query, the value and the key, by default the value, and:

    `query_mask`, `value_mask` and `key_mask`, of shape `(batch, steps)`. Masked values
    and keys get no weight; the outputs of masked queries are meaningless. By default,
    these are the masks of the inputs. The query mask is passed on.

    `attention_mask`, of shape `(batch, query_steps, steps)` or broadcastable to
    `(batch, num_query_heads, query_steps, steps)`, true where a query may attend to a
    key.

    `use_causal_mask=True`, so that step `i` of the query does not attend to steps of
    the value after `i`.

    `return_attention_scores=True`, to also return the weights before dropout.

    Args:
        head_dim: Positive int, size of the queries, keys and values of each head.
        num_query_heads: Positive int, number of query heads, a multiple of
            `num_key_value_heads`.
        num_key_value_heads: Positive int, number of key and value heads, a divisor of
            `num_query_heads`; 1 for multi-query attention.
        dropout: Float from 0 to 1, fraction of the attention weights to drop in
            training. Defaults to `0.0`.
        use_bias: Bool, whether the projections have a bias. Defaults to `True`.
        sliding_window: Positive int, a query only attends to keys less than this many
            steps away. `None` for no limit. Defaults to `None`.
        kernel_initializer: Initializer of the kernels. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of the biases. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of the kernels. Defaults to `None`.
        bias_regularizer: Regularizer of the biases. Defaults to `None`.
        kernel_constraint: Constraint on the kernels. Defaults to `None`.
        bias_constraint: Constraint on the biases. Defaults to `None`.
        use_gate: Bool, whether to multiply the outputs of the heads by a gate, the
            sigmoid of another projection of the query. Defaults to `False`.
        seed: Int, seed for the dropout, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        Query: `(batch, query_steps, dim)`. Value: `(batch, steps, value_size)`. Key:
        `(batch, steps, key_size)`.

    Output shape:
        `(batch, query_steps, dim)`; the weights have
        `(batch, num_query_heads, query_steps, steps)`.

    Raises:
        ValueError: If an argument is invalid, the query, the value or the key does not
            have rank 3, or the value and the key have different numbers of steps.

    Example:

    >>> layer = MyGroupedQueryAttention(8, num_query_heads=4, num_key_value_heads=2)
    >>> x = keras.ops.ones((2, 5, 32))
    >>> tuple(layer(x, x, use_causal_mask=True).shape)
    (2, 5, 32)

    Reference:
        [Ainslie et al., 2023](https://arxiv.org/abs/2305.13245). Drop-in for
        `keras.layers.GroupQueryAttention`, without `flash_attention` and
        `activity_regularizer`.
    """

    def __init__(
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(head_dim) or head_dim <= 0:
            raise ValueError(
                f"`head_dim` must be a positive int. Received: head_dim={head_dim!r}"
            )
        if not is_int(num_key_value_heads) or num_key_value_heads <= 0:
            raise ValueError(
                "`num_key_value_heads` must be a positive int. "
                f"Received: num_key_value_heads={num_key_value_heads!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout <= 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1]. "
                f"Received: dropout={dropout!r}"
            )
        if sliding_window is not None and (
            not is_int(sliding_window) or sliding_window <= 0
        ):
            raise ValueError(
                "`sliding_window` must be a positive int, or None. "
                f"Received: sliding_window={sliding_window!r}"
            )
        if (
            not is_int(num_query_heads)
            or num_query_heads <= 0
            or num_query_heads % num_key_value_heads != 0
        ):
            raise ValueError(
                "`num_query_heads` must be a positive int that is a multiple of "
                "`num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, "
                f"num_key_value_heads={num_key_value_heads}"
            )
        self.head_dim = int(head_dim)
        self.num_query_heads = int(num_query_heads)
        self.num_key_value_heads = int(num_key_value_heads)
        self.dropout = float(dropout)
        self.use_bias = use_bias
        self.sliding_window = None if sliding_window is None else int(sliding_window)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.use_gate = use_gate
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, query_shape, value_shape, key_shape=None):
        # Raises for incompatible shapes.
        self.compute_output_shape(query_shape, value_shape, key_shape)
        key_shape = value_shape if key_shape is None else key_shape
        heads = self.num_query_heads
        groups = self.num_key_value_heads
        split = "abc,cde->abde"
        self.query_dense = self._projection(
            "query", split, query_shape, (heads, self.head_dim)
        )
        self.key_dense = self._projection(
            "key", split, key_shape, (groups, self.head_dim)
        )
        if self.use_gate:
            self.gate_dense = self._projection(
                "gate", split, query_shape, (heads, self.head_dim), "sigmoid"
            )
        self.value_dense = self._projection(
            "value", split, value_shape, (groups, self.head_dim)
        )
        self.output_dense = self._projection(
            "attention_output",
            "abde,def->abf",
            (None, None, heads, self.head_dim),
            (query_shape[-1],),
        )

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        queries = self.query_dense(
            query
        )  # (batch, steps, heads, size), like the others.
        keys = self.key_dense(value if key is None else key)
        values = self.value_dense(value)
        repeats = self.num_query_heads // self.num_key_value_heads
        keys = ops.repeat(keys, repeats, axis=2)
        values = ops.repeat(values, repeats, axis=2)
        seen = self._seen(
            queries, keys, query_mask, value_mask, key_mask, attention_mask
        )
        scale = self.head_dim**-0.5
        if self.dropout == 0 and not return_attention_scores:
            outputs = ops.dot_product_attention(
                queries, keys, values, mask=seen, scale=scale, is_causal=use_causal_mask
            )
        else:
            scores = ops.einsum("atnh,asnh->ants", queries * scale, keys)
            if use_causal_mask:
                past = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool"))
                seen = past if seen is None else ops.logical_and(seen, past)
            weights = dropped = self._softmax(scores, seen)
            if training and self.dropout > 0:
                dropped = keras.random.dropout(
                    weights, self.dropout, seed=self.seed_generator
                )
            outputs = ops.einsum("ants,asnh->atnh", dropped, values)
        if self.use_gate:
            outputs = ops.multiply(outputs, self.gate_dense(query))
        outputs = self.output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _projection(self, name, equation, input_shape, output_shape, activation=None):
        """Return a built projection with the shared arguments."""
        dense = keras.layers.EinsumDense(
            equation,
            output_shape=(None, *output_shape),
            activation=activation,
            bias_axes=equation[-len(output_shape) :] if self.use_bias else None,
            # Clones, since one initializer would give equal shapes equal values.
            kernel_initializer=self.kernel_initializer.clone(),
            bias_initializer=self.bias_initializer.clone(),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            name=name,
            dtype=self.dtype_policy,
        )
        # Otherwise it would warn that it does not pass on its input's mask.
        dense.supports_masking = True
        dense.build(input_shape)
        return dense

    def _seen(self, queries, keys, query_mask, value_mask, key_mask, attention_mask):
        """Return the mask of the keys each query attends to, of rank 4, or `None`."""
        masks = []
        if query_mask is not None:
            masks.append(ops.expand_dims(query_mask, (1, 3)))
        for mask in (value_mask, key_mask):
            if mask is not None:
                masks.append(ops.expand_dims(mask, (1, 2)))
        if attention_mask is not None:
            while len(attention_mask.shape) < 4:
                attention_mask = ops.expand_dims(attention_mask, -3)
            masks.append(attention_mask)
        if self.sliding_window is not None:
            steps, others = (ops.arange(ops.shape(x)[1]) for x in (queries, keys))
            distance = ops.abs(ops.expand_dims(steps, -1) - others)
            masks.append(ops.expand_dims(distance < self.sliding_window, (0, 1)))
        masks = [ops.cast(mask, "bool") for mask in masks]
        return functools.reduce(ops.logical_and, masks) if masks else None

    def _softmax(self, scores, seen):
        """Return the attention weights, 0 where masked."""
        if seen is None:
            return ops.softmax(scores)
        # The lowest finite score: -inf would give NaN if all keys are masked.
        hidden = -65504.0 if self.compute_dtype == "float16" else -3e38
        weights = ops.softmax(ops.where(seen, scores, hidden))
        return ops.where(seen, weights, 0)

    def compute_output_spec(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        # These do not affect shapes.
        del query_mask, value_mask, key_mask, attention_mask, training, use_causal_mask
        key_shape = None if key is None else key.shape
        shape = self.compute_output_shape(query.shape, value.shape, key_shape)
        outputs = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return outputs
        shape = (query.shape[0], self.num_query_heads, query.shape[1], value.shape[1])
        return outputs, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        if any(len(shape) != 3 for shape in (query_shape, value_shape, key_shape)):
            raise ValueError(
                "The query, the value and the key must have rank 3. "
                f"Received: query_shape={query_shape}, value_shape={value_shape}, "
                f"key_shape={key_shape}"
            )
        if key_shape[1] != value_shape[1]:
            raise ValueError(
                "The value and the key must have the same number of steps. "
                f"Received: value_shape={value_shape}, key_shape={key_shape}"
            )
        return query_shape

    def get_config(self):
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "sliding_window": self.sliding_window,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "use_gate": self.use_gate,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        # Unsupported arguments of the built-in, with the values that have no effect.
        left_out = {"flash_attention": [None], "activity_regularizer": [None]}
        for name, values in left_out.items():
            if name in config and config[name] not in values:
                raise ValueError(
                    f"`{name}` is not supported and must be {values[0]!r}. "
                    f"Received: {name}={config[name]!r}"
                )
        kept = {name: config[name] for name in config if name not in left_out}
        return super().from_config(kept)
