"""Classes, Keras's and users', read from source: none of them is imported."""

from __future__ import annotations

from scaffold.keras_source.classes import modules_named
from scaffold.keras_source.handed_on import HandedOn
from scaffold.keras_source.read import (
    constructor,
    own_class,
    public_layers,
    public_names,
    read_base,
)
from scaffold.keras_source.signature import BaseLayer, Parameter, Signature

__all__ = [
    "BaseLayer",
    "HandedOn",
    "Parameter",
    "Signature",
    "constructor",
    "modules_named",
    "own_class",
    "public_layers",
    "public_names",
    "read_base",
]
