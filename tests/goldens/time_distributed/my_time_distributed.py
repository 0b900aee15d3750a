"""`MyTimeDistributed`: a layer applied to each time step."""

import inspect

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyTimeDistributed(keras.layers.Layer):
    """A layer applied to each time step: `outputs[:, t] = layer(inputs[:, t])`.

    All steps share the layer's weights. The mask, `(batch, steps, ...)`, is passed on;
    if the layer accepts one, it gets `mask[:, t]`. Masked steps are computed too.

    Args:
        layer: Layer to apply to each step.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, ...)`, with rank at least 3; `(batch, ...)` is the input shape
        of the layer.

    Output shape:
        `(batch, steps, ...)`, where `(batch, ...)` is the output shape of the layer.

    Raises:
        TypeError: If `layer` has the wrong type.
        ValueError: If the input has fewer than 3 axes, or the mask does not match its
            batch and steps.

    Example:

    >>> layer = MyTimeDistributed(keras.layers.Dense(4))
    >>> tuple(layer(keras.ops.ones((2, 6, 3))).shape)
    (2, 6, 4)

    Reference:
        Drop-in for `keras.layers.TimeDistributed`, but with the activity regularizer of
        `layer`, which Keras ignores.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, keras.layers.Layer):
            raise TypeError(f"`layer` must be a layer. Received: layer={layer!r}")
        self.layer = layer
        taken = inspect.signature(layer.call).parameters
        self._layer_takes_mask = "mask" in taken
        self._layer_takes_training = "training" in taken
        self.supports_masking = True

    def build(self, input_shape):
        step_shape = self._step_shape(input_shape)
        if not self.layer.built:
            self.layer.build(step_shape)

    def call(self, inputs, training=None, mask=None):
        if mask is not None:
            self._check_mask(mask.shape, inputs.shape)
        passes_mask = self._layer_takes_mask and mask is not None
        inputs = ops.moveaxis(inputs, 1, 0)
        if passes_mask:
            mask = ops.moveaxis(mask, 1, 0)

        def step(t):
            given = {"training": training} if self._layer_takes_training else {}
            if passes_mask:
                given["mask"] = mask[t]
            # Not `self.layer(...)`, which would add an activity loss for each step.
            return self.layer.call(inputs[t], **given)

        if inputs.shape[0] is None:
            outputs = ops.vectorized_map(step, ops.arange(ops.shape(inputs)[0]))
        else:
            outputs = ops.stack([step(t) for t in range(inputs.shape[0])])
        outputs = ops.cast(ops.moveaxis(outputs, 0, 1), self.compute_dtype)
        if self.layer.activity_regularizer is not None:
            loss = self.layer.activity_regularizer(outputs)
            batch = ops.cast(ops.shape(outputs)[0], loss.dtype)
            self.add_loss(ops.divide_no_nan(loss, batch))
        return outputs

    def _step_shape(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                "The input must have at least 3 axes. "
                f"Received: input_shape={input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def _check_mask(self, mask_shape, input_shape):
        pairs = zip(mask_shape[:2], input_shape[:2], strict=False)
        known = [pair for pair in pairs if None not in pair]
        if len(mask_shape) < 2 or any(size != other for size, other in known):
            raise ValueError(
                "`mask` must start with the batch and the steps of the input. "
                f"Received: mask.shape={mask_shape}, inputs.shape={input_shape}"
            )

    def compute_output_shape(self, input_shape):
        step_shape = self._step_shape(input_shape)
        batch, *sizes = self.layer.compute_output_shape(step_shape)
        return (batch, input_shape[1], *sizes)

    def get_config(self):
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
        }

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
