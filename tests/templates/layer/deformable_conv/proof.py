"""What proves the template `deformable_conv`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "deformable_conv2d": ["MyDeformableConv2D"],
        "modulated_deformable_conv2d": ["MyModulatedDeformableConv2D"],
        "deformable_conv_with_attributes": [
            "BendingConv",
            *("--template=dcn", "filters=6", "kernel_size=3,2", "strides=2", "padding=same"),
            *("activation=relu", "use_bias=no", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    judged={
        "padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))) -> padded = ops.pad(images, ((0, 1), (1, 1), (1, 1), (0, 0)))": (
            "one more image behind all others, which nobody looks at"
        ),
        'data_format="channels_last", ) -> )': ("a test is missing, with another default of Keras"),
        'data_format="channels_last", -> data_format=None,': (
            "a test is missing, with another default of Keras"
        ),
        'data_format="channels_last", -> data_format="CHANNELS_LAST",': ("Keras takes any case"),
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels}) -> self.input_spec = keras.layers.InputSpec(axes={-1: channels})": (
            "another rank is refused by `compute_output_shape` too"
        ),
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=None, axes={-1: channels})": (
            "another rank is refused by `compute_output_shape` too"
        ),
        "starts -= ops.maximum((output_size - 1) * stride + taps - size, 0) // 2 -> starts -= ops.maximum((output_size - 1) * stride + taps - size, 1) // 2": (
            "half of 1, rounded down, is 0"
        ),
    },
)
