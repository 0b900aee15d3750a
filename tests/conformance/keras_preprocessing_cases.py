"""What each preprocessing layer of Keras is checked with."""

from __future__ import annotations

from typing import Any

from conformance.keras_layer_cases import WORDS, Table, case, image
from scaffold.cases import Input

PIXELS = image()
PIXELS_FIRST = image(2, 3, 8, 10)
BOXES = {"boxes": Input((2, 5, 4), low=0.0, high=8.0), "labels": Input((2, 5), "int32", high=3)}
FIRST: dict[str, Any] = {"data_format": "channels_first"}

NUMBERS: Table = {
    "CategoryEncoding": [
        case(WORDS, "keeps-dtype", num_tokens=7),
        case(Input((2, 1), "int32", high=7), "keeps-dtype", num_tokens=7, output_mode="one_hot"),
    ],
    "Discretization": [case(Input((2, 6)), bin_boundaries=[-1.0, 0.0, 1.0])],
    "HashedCrossing": [
        case([Input((2, 1), "int32", high=9)] * 2, "not-compilable", num_bins=5),
    ],
    "Hashing": [case(WORDS, "not-compilable", num_bins=5)],
    "IntegerLookup": [case(WORDS, "not-compilable", vocabulary=[1, 2, 5])],
    "Normalization": [case(Input((2, 6, 3)), mean=[0.5, 1.0, 1.5], variance=[1.0, 2.0, 3.0])],
    "Rescaling": [case(PIXELS, scale=1 / 127.5, offset=-1.0)],
    "StringLookup": [case(Input((2, 6), "string"), vocabulary=["red", "green"])],
    "TextVectorization": [
        case(Input((2, 1), "string"), vocabulary=["red", "green"], output_sequence_length=4),
    ],
    "MelSpectrogram": [
        case(Input((2, 256)), fft_length=64, sequence_stride=16, num_mel_bins=8),
    ],
    "STFTSpectrogram": [
        case(Input((2, 64, 1)), frame_length=16, frame_step=8),
    ],
}

RESIZING: Table = {
    "CenterCrop": [case(PIXELS, height=5, width=6)],
    "Resizing": [
        case(PIXELS, height=5, width=7),
        case(PIXELS_FIRST, height=6, width=4, crop_to_aspect_ratio=True, **FIRST),
    ],
}

RANDOM: Table = {
    "AugMix": [case(PIXELS)],
    "AutoContrast": [case(PIXELS)],
    "ContrastLimitedAdaptiveHistogramEqualization": [case(PIXELS, tile_grid_size=[2, 2])],
    "CutMix": [case({"images": PIXELS, "labels": Input((2, 4), high=1.0)})],
    "Equalization": [case(PIXELS)],
    "MaxNumBoundingBoxes": [
        case(
            {"images": PIXELS, "bounding_boxes": BOXES},
            "keeps-dtype",
            "not-compilable",
            max_number=3,
            bounding_box_format="xyxy",
        ),
    ],
    "MixUp": [case({"images": PIXELS, "labels": Input((2, 4), high=1.0)})],
    "Pipeline": [case(PIXELS, layers=["keras.layers.Rescaling(0.5)", "keras.layers.RandomFlip()"])],
    "RandAugment": [case(PIXELS)],
    "RandomBrightness": [case(PIXELS, factor=0.3)],
    "RandomColorDegeneration": [case(PIXELS, factor=0.5)],
    "RandomColorJitter": [case(PIXELS, brightness_factor=0.3, contrast_factor=0.3)],
    "RandomContrast": [case(PIXELS, factor=0.3)],
    "RandomCrop": [case(PIXELS, "not-compilable", height=5, width=6)],
    "RandomElasticTransform": [case(PIXELS, "not-compilable")],
    "RandomErasing": [case(PIXELS)],
    "RandomFlip": [case(PIXELS), case(PIXELS_FIRST, **FIRST)],
    "RandomGaussianBlur": [case(PIXELS)],
    "RandomGrayscale": [case(PIXELS)],
    "RandomHue": [case(PIXELS, factor=0.3)],
    "RandomInvert": [case(PIXELS, factor=0.5)],
    "RandomPerspective": [case(PIXELS, scale=0.5)],
    "RandomPosterization": [case(PIXELS, factor=4)],
    "RandomRotation": [case(PIXELS, factor=0.2)],
    "RandomSaturation": [case(PIXELS, factor=0.3)],
    "RandomSharpness": [case(PIXELS, factor=0.3)],
    "RandomShear": [case(PIXELS, x_factor=0.2, y_factor=0.1)],
    "RandomTranslation": [case(PIXELS, height_factor=0.2, width_factor=0.3)],
    "RandomZoom": [case(PIXELS, height_factor=0.2)],
    "Solarization": [case(PIXELS, addition_factor=0.2, threshold_factor=0.3)],
}

PREPROCESSING: Table = {**NUMBERS, **RESIZING, **RANDOM}
