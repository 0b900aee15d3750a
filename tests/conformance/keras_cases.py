"""What each public layer of Keras is checked with, and why a few of them are not."""

from __future__ import annotations

from conformance.keras_layer_cases import LAYERS, Table
from conformance.keras_preprocessing_cases import PREPROCESSING

CASES: Table = {**LAYERS, **PREPROCESSING}

WITHOUT = {
    "Layer": "the base class: it computes nothing",
    "Wrapper": "the base class of wrappers: it computes nothing",
    "InputLayer": "a call of it raises: it is a place in a Functional model",
    "FlaxLayer": "it wraps a module of Flax, which is no part of what Keras needs",
    "JaxLayer": "what it does is what the function of JAX does that it wraps",
    "TorchModuleWrapper": "what it does is what the module of Torch does that it wraps",
    "TFSMLayer": "what it does is what the SavedModel does that it reads from a disk",
}
