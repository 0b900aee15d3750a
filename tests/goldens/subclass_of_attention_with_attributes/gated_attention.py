"""`GatedAttention`: `keras.layers.MultiHeadAttention` with its own attributes."""

import keras


@keras.saving.register_keras_serializable(package="golden")
class GatedAttention(keras.layers.MultiHeadAttention):
    """TODO: what it does beyond `keras.layers.MultiHeadAttention`.

    Args:
        dropout: As in `keras.layers.MultiHeadAttention`, keyword-only. Defaults to
            `0.1`.
        gate_initializer: Initializer or its name. Defaults to `"zeros"`.
        mode: 'sum' or 'mean'.
        *args, **kwargs: Arguments of `keras.layers.MultiHeadAttention`: num_heads,
            key_dim, value_dim, use_bias, output_shape, attention_axes, sliding_window,
            flash_attention, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
            use_gate, seed.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = GatedAttention(num_heads=2, key_dim=4, mode="mean")
    >>> isinstance(layer, keras.layers.MultiHeadAttention)
    True
    """

    def __init__(self, *args, dropout=0.1, gate_initializer="zeros", mode, **kwargs):
        super().__init__(*args, dropout=dropout, **kwargs)
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        self.gate_initializer = keras.initializers.get(gate_initializer)
        self.mode = mode

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
        # TODO: use `self.gate_initializer` and `self.mode`: they have no effect yet.
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

    def get_config(self):
        return {
            **super().get_config(),
            "gate_initializer": keras.initializers.serialize(self.gate_initializer),
            "mode": self.mode,
        }
