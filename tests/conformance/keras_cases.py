"""What each public layer of Keras is checked with, and why a few of them are not."""

from __future__ import annotations

from conformance.keras_layer_cases import LAYERS, Table
from conformance.keras_preprocessing_cases import PREPROCESSING

CASES: Table = {**LAYERS, **PREPROCESSING}

WITHOUT = {
    "Layer": "the base class: it computes nothing",
    "Wrapper": "the base class of wrappers: it computes nothing",
    "InputLayer": "it can't be called: it is a placeholder in a Functional model",
    "FlaxLayer": "it wraps a Flax module, and Keras doesn't require Flax",
    "JaxLayer": "it does what the JAX function that it wraps does",
    "TorchModuleWrapper": "it does what the Torch module that it wraps does",
    "TFSMLayer": "it does what the SavedModel that it reads from disk does",
}
