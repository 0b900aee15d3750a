"""What proves the template `deformable_conv`."""

from __future__ import annotations

from proofs.proof import Proof, Training

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
    training=[
        Training(
            "deformable_conv2d",
            "from my_deformable_conv2d import MyDeformableConv2D\n"
            "def layers():\n"
            "    return [MyDeformableConv2D(16, 3, activation='relu'),\n"
            "            MyDeformableConv2D(32, 3, strides=2, activation='relu'),\n"
            "            keras.layers.Flatten(), keras.layers.Dense(10)]\n",
        ),
        Training(
            "modulated_deformable_conv2d",
            "from my_modulated_deformable_conv2d import MyModulatedDeformableConv2D\n"
            "def layers():\n"
            "    return [MyModulatedDeformableConv2D(16, 3, activation='relu'),\n"
            "            MyModulatedDeformableConv2D(32, 3, strides=2, activation='relu'),\n"
            "            keras.layers.Flatten(), keras.layers.Dense(10)]\n",
        ),
    ],
)
