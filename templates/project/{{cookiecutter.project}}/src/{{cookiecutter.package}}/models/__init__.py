"""The models."""

from {{ cookiecutter.package }}.models.digit_classifier import DigitClassifier

__all__ = ["DigitClassifier"]
