"""`GatedAttention`: `keras.layers.MultiHeadAttention` with attributes of its own."""

import keras


@keras.saving.register_keras_serializable(package="golden")
class GatedAttention(keras.layers.MultiHeadAttention):
    """TODO: what it does beyond its base.

    So far it is as `keras.layers.MultiHeadAttention`.

    Args:
        num_heads, key_dim, value_dim, dropout, use_bias, output_shape, attention_axes,
            sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, use_gate, seed: As in
            `keras.layers.MultiHeadAttention`.
        gate_initializer: Initializer or its name. Defaults to `"zeros"`.
        **kwargs: As in `keras.layers.MultiHeadAttention`.

    Input shape:
        As in `keras.layers.MultiHeadAttention`.

    Output shape:
        As in `keras.layers.MultiHeadAttention`.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:

    >>> layer = GatedAttention(num_heads=2, key_dim=4)
    >>> isinstance(layer, keras.layers.MultiHeadAttention)
    True
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        gate_initializer="zeros",
        **kwargs,
    ):
        super().__init__(
            num_heads=num_heads,
            key_dim=key_dim,
            value_dim=value_dim,
            dropout=dropout,
            use_bias=use_bias,
            output_shape=output_shape,
            attention_axes=attention_axes,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.gate_initializer = keras.initializers.get(gate_initializer)

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape=key_shape)
        # TODO: make weights of your own here, with
        # `self.add_weight(name="...", shape=...)`.

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
        # TODO: put `self.gate_initializer` to use: nothing depends on it yet.
        return super().call(
            query,
            value,
            key=key,
            query_mask=query_mask,
            value_mask=value_mask,
            key_mask=key_mask,
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
        )

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return super().compute_output_shape(
            query_shape, value_shape, key_shape=key_shape
        )

    def get_config(self):
        return {
            **super().get_config(),
            "gate_initializer": keras.initializers.serialize(self.gate_initializer),
        }
