"""Proof for the template `resnet`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "resnet": ["MyResNet"],
        "resnet_functional": ["FunctionalResNet", "--style=functional"],
        "resnet_bottleneck": ["BottleneckResNet"],
        "resnet_bottleneck_features": [
            *("FeaturesBottleneckResNet", "--head=none", "--style=functional"),
        ],
        "resnet_embedding": ["EmbeddingResNet", "--head=embedding"],
        "resnet_with_attributes": [
            "WideResNet",
            *("num_classes=2", "filters=96,192", "num_blocks=2,1", "small_images=true"),
            *("activation=gelu", "data_format=channels_first"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "resnet",
            "num_classes=1000, data_format='channels_last'",
            "(224, 224, 3)",
            11_699_112,
            "ResNet-18 in torchvision, 11,689,512, with the means and variances of all "
            "4,800 normalized channels",
        ),
        Size(
            "resnet_bottleneck",
            "num_classes=1000, data_format='channels_last'",
            "(224, 224, 3)",
            25_610_152,
            "ResNet-50 in torchvision, 25,557,032, with the means and variances of all "
            "26,560 normalized channels",
        ),
        Size(
            "resnet_bottleneck",
            "num_classes=1000, num_blocks=(3, 8, 36, 3), data_format='channels_last'",
            "(224, 224, 3)",
            60_344_232,
            "ResNet-152 in torchvision, 60,192,808, with the means and variances of all "
            "75,712 normalized channels",
        ),
    ],
    judged={
        "if self.strides > 1 or channels != self.filters: -> if self.strides > 2 or channels != self.filters:": "where the network has strides of 2, the channels change too",
    },
)
