"""Training curves as plots: the coordinates that the page's template draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 280, 190
LEFT, RIGHT, TOP, BOTTOM = 40, 270, 28, 142
_HELD_OUT = "val_"
_STEPS = 4


@dataclass(frozen=True)
class Tick:
    """A number next to an axis, and its position on the axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A curve.

    Args:
        label: The data: `training` or `held out`.
        points: Its points, for `polyline`.
        end: The last point.
        last: The value at the last point.
    """

    label: str
    points: str
    end: tuple[float, float]
    last: str


@dataclass(frozen=True)
class Plot:
    """A metric by epoch."""

    metric: str
    lines: Sequence[Line]
    across: Sequence[Tick]
    up: Sequence[Tick]

    @property
    def said(self) -> str:
        """The plot in words."""
        ends = " and ".join(f"{line.last} on {line.label} data" for line in self.lines)
        return f"{self.metric} by epoch, ending at {ends}"


def plots(curves: Mapping[str, Sequence[float]]) -> list[Plot]:
    """Return a plot for each metric, the loss first, without values that are not finite."""
    names = [name for name in curves if not name.startswith(_HELD_OUT)]
    names.sort(key=lambda name: (name != "loss", "loss" not in name, name))
    return [plot for name in names if (plot := _plot(name, curves))]


def _plot(name: str, curves: Mapping[str, Sequence[float]]) -> Plot | None:
    given = {"training": curves[name], "held out": curves.get(f"{_HELD_OUT}{name}", ())}
    kept = {label: [*_finite(values)] for label, values in given.items()}
    values = [value for points in kept.values() for _, value in points]
    if not values:
        return None
    epochs = max(epoch for points in kept.values() for epoch, _ in points)
    ups = _ticks(min(values), max(values))
    across = _Axis(1, max(epochs, 2), LEFT, RIGHT)
    up = _Axis(ups[0], ups[-1], BOTTOM, TOP)
    whole = sorted({max(1, round(tick)) for tick in _ticks(1, epochs) if tick <= epochs})
    lines = [_line(label, points, across, up) for label, points in kept.items() if points]
    return Plot(
        name.replace("_", " "),
        lines,
        [Tick(across.at(epoch), str(epoch)) for epoch in whole],
        [Tick(up.at(value), _text(value, ups)) for value in ups],
    )


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def _line(label: str, points: Sequence[tuple[int, float]], across: _Axis, up: _Axis) -> Line:
    drawn = [(across.at(epoch), up.at(value)) for epoch, value in points]
    return Line(label, " ".join(f"{x},{y}" for x, y in drawn), drawn[-1], f"{points[-1][1]:.4g}")


def _finite(values: Sequence[float]) -> Iterator[tuple[int, float]]:
    return ((epoch, value) for epoch, value in enumerate(values, 1) if math.isfinite(value))


def _ticks(low: float, high: float) -> list[float]:
    """Return evenly spaced round numbers that enclose `low` and `high`."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    rough = (high - low) / _STEPS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _text(value: float, ticks: Sequence[float]) -> str:
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    return f"{value:.{min(decimals, 6)}f}"
