"""The layers."""

from {{ cookiecutter.package }}.layers.squeeze_excite import SqueezeExcite

__all__ = ["SqueezeExcite"]
