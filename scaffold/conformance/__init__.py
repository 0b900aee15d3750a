"""Does a Keras layer or model keep Keras's contract?"""

from scaffold.conformance.case import Case, Input
from scaffold.conformance.finding import Finding, Outcome, Where
from scaffold.conformance.registry import Check, checks

__all__ = ["Case", "Check", "Finding", "Input", "Outcome", "Where", "checks"]
