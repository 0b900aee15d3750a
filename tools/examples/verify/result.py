"""The result of a unit: values that are written as JSON and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["passed", "failed", "late", "not run"]
SOURCE = "source"  # the backend of a unit for the files themselves


@dataclass(frozen=True)
class Step:
    """One step of a unit.

    Args:
        name: Such as `tests`.
        status: `late` if it timed out, `not run` if a step before it failed.
        seconds: Its duration.
        message: What went wrong.
        facts: Measured values, by name.
    """

    name: str
    status: Status
    seconds: float = 0.0
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The result of an example on a backend and a device.

    Args:
        example: The name of the example.
        backend: The backend, or `source` for its files.
        device: `cpu` or `gpu`.
        digest: A digest of everything that the result depends on.
        steps: The steps, in the order in which they ran.
    """

    example: str
    backend: str
    device: str
    digest: str
    steps: Sequence[Step]

    @property
    def proved(self) -> bool:
        """Whether every step passed."""
        return all(step.status == "passed" for step in self.steps)

    @property
    def seconds(self) -> float:
        """The duration of all steps."""
        return sum(step.seconds for step in self.steps)

    @property
    def problem(self) -> Step | None:
        """The first step that failed or timed out."""
        return next((step for step in self.steps if step.status in ("failed", "late")), None)

    def facts(self) -> dict[str, Any]:
        """Return the facts of all steps."""
        return {name: value for step in self.steps for name, value in step.facts.items()}

    def data(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        return {"proved": self.proved, "seconds": round(self.seconds, 3), **asdict(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Result:
        """Create a result from the output of `data`."""
        steps = tuple(Step(**step) for step in data["steps"])
        return cls(data["example"], data["backend"], data["device"], data["digest"], steps)
