"""How a unit ended: values that are written as JSON and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["passed", "failed", "late", "not run"]
SOURCE = "source"  # stands for a backend where a unit is about the files themselves


@dataclass(frozen=True)
class Step:
    """One thing that was tried.

    Args:
        name: Such as `tests`.
        status: `late` if it did not end in time, `not run` if one before it failed.
        seconds: How long it took.
        message: What went wrong.
        facts: What was found out, by name.
    """

    name: str
    status: Status
    seconds: float = 0.0
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How an example did on a backend and a device.

    Args:
        example: Its name.
        backend: The backend, or `source` for its files.
        device: `cpu` or `gpu`.
        digest: Of all that the result depends on.
        steps: In the order in which they ran.
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
        """How long all steps took."""
        return sum(step.seconds for step in self.steps)

    @property
    def problem(self) -> Step | None:
        """The first step that went wrong."""
        return next((step for step in self.steps if step.status in ("failed", "late")), None)

    def facts(self) -> dict[str, Any]:
        """What all steps have found out."""
        return {name: value for step in self.steps for name, value in step.facts.items()}

    def data(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return {"proved": self.proved, "seconds": round(self.seconds, 3), **asdict(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Result:
        """The result that `data` gave."""
        steps = tuple(Step(**step) for step in data["steps"])
        return cls(data["example"], data["backend"], data["device"], data["digest"], steps)
