"""Random numbers: who draws them in a block, from what, and from which line."""

from __future__ import annotations

import functools
import pickle
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from scaffold.conformance.finding import Where
from scaffold.conformance.instruments.spying import spot_in
from scaffold.conformance.instruments.walk import held_in_tree
from scaffold.conformance.lazy import keras, np


@dataclass(frozen=True)
class Draw:
    """A draw of random numbers by Keras.

    Args:
        seed: The `SeedGenerator` or integer that it was drawn from; `None` for Keras's global
            generator.
        where: The line that drew; `None` if it is not in the user's code.
    """

    seed: Any
    where: Where | None

    @property
    def generator(self) -> Any:
        """The user's generator that it was drawn from; `None` if there is none."""
        return self.seed if isinstance(self.seed, keras.random.SeedGenerator) else None


@contextmanager
def drawn(files: frozenset[str]) -> Iterator[list[Draw]]:
    """Record each draw of the block.

    Args:
        files: The user's files, to find the lines that draw.
    """
    draws: list[Draw] = []
    inside: list[bool] = []

    def record(seed: Any) -> None:
        spot = spot_in(files, sys._getframe(2))
        draws.append(Draw(seed, spot.where if spot else None))

    def from_seed(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def draw_seed(seed: Any) -> Any:
            if isinstance(seed, keras.random.SeedGenerator):
                return original(seed)
            record(seed)
            inside.append(True)
            try:
                return original(seed)
            finally:
                inside.pop()

        return draw_seed

    def from_generator(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def next_seed(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not inside:
                record(self)
            return original(self, *args, **kwargs)

        return next_seed

    with ExitStack() as stack:
        stack.enter_context(_patched(keras.random.SeedGenerator, "next", from_generator))
        for module in _drawing_modules():
            stack.enter_context(_patched(module, "draw_seed", from_seed))
        yield draws


def _drawing_modules() -> list[Any]:
    """Return the modules of the backend that draw; each has its own name for the function."""
    from keras.src import backend

    return [module for module in (backend.random, backend.image) if hasattr(module, "draw_seed")]


@contextmanager
def _patched(owner: Any, name: str, wrap: Callable[..., Any]) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, wrap(original))
    try:
        yield
    finally:
        setattr(owner, name, original)


def outside_keras(layer: Any) -> dict[str, bytes]:
    """Return the states of all random number generators that are not Keras's, by name."""
    states: dict[str, Any] = {"np.random": np.random.get_state(), "random": random.getstate()}
    for held in held_in_tree(layer):
        if isinstance(held.value, np.random.Generator):
            states[held.path] = held.value.bit_generator.state
        elif isinstance(held.value, np.random.RandomState):
            states[held.path] = held.value.get_state()
        elif isinstance(held.value, random.Random):
            states[held.path] = held.value.getstate()
    return {name: pickle.dumps(state) for name, state in states.items()}


@contextmanager
def generators_made(files: frozenset[str]) -> Iterator[list[Where]]:
    """Record where the block creates a NumPy generator."""
    made: list[Where] = []

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def default_rng(*args: Any, **kwargs: Any) -> Any:
            if spot := spot_in(files, sys._getframe(1)):
                made.append(spot.where)
            return original(*args, **kwargs)

        return default_rng

    with _patched(np.random, "default_rng", wrap):
        yield made
