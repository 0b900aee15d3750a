"""`GatedLSTM`: `keras.layers.LSTM` with its own `call`."""

import keras


@keras.saving.register_keras_serializable(package="golden")
class GatedLSTM(keras.layers.LSTM):
    """TODO: what it does beyond `keras.layers.LSTM`.

    `keras.layers.LSTMCell` computes each step, and `call` processes whole sequences. To
    change a step, derive from that cell and pass it to `keras.layers.RNN`.

    Args:
        *args, **kwargs: Arguments of `keras.layers.LSTM`: units, activation,
            recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, return_sequences, return_state, go_backwards,
            stateful, unroll, use_cudnn.

    Example:

    >>> layer = GatedLSTM(units=4)
    >>> isinstance(layer, keras.layers.LSTM)
    True
    """

    def call(self, sequences, initial_state=None, mask=None, training=False):
        # TODO: compute what `keras.layers.LSTM` does not compute.
        return super().call(
            sequences, initial_state=initial_state, mask=mask, training=training
        )
