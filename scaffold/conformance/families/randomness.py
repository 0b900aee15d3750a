"""Randomness: noise is new in each training step, from generators that the layer tracks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.instruments.audit import audited
from scaffold.conformance.instruments.draws import Draw, drawn, generators_made, outside_keras
from scaffold.conformance.instruments.spying import files_of, sublayers
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays, differ

_SEEDS = (7, 7, 8)
_TRIES = 6


@register(needs=("no-state-in-call",))
def no_untracked_randomness(subject: Subject) -> Iterator[Finding]:
    """Random numbers come from a `keras.random.SeedGenerator` that the layer tracks.

    `fit` traces `call` once and then runs the trace. A number drawn by NumPy or `random` is drawn
    while tracing: it is a constant in every step. So are numbers drawn from an integer seed, on
    every backend, and, on JAX, from a generator that the layer doesn't track. Without a seed, JAX
    refuses to compile at all.

    Fix: set `self.seed_generator = keras.random.SeedGenerator(seed)` in the constructor, and pass
    `seed=self.seed_generator` in each call of `keras.random`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class DropChannels(keras.layers.Layer):
              def __init__(self, rate=0.5, **kwargs):
                  super().__init__(**kwargs)
                  self.rate = rate
                  self.seed_generator = keras.random.SeedGenerator()
                  self.supports_masking = True

              def call(self, inputs, training=None):
                  if not training:
                      return inputs
                  noise = keras.random.uniform(
                      (ops.shape(inputs)[0], 1, inputs.shape[-1]),
                      dtype=self.compute_dtype,
        -             seed=1337,
        +             seed=self.seed_generator,
                  )
                  kept = ops.cast(noise >= self.rate, self.compute_dtype)
                  return inputs * kept / (1 - self.rate)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "rate": self.rate}
    """
    layer, files = subject.build(), files_of(subject.cls)
    tracked = {id(variable) for variable in layer.variables}
    with audited() as audit, generators_made(files) as numpys:
        before = outside_keras(layer)
        with drawn(files) as at_inference:
            subject.call(layer, training=False)
        with drawn(files) as in_training:
            subject.call(layer, training=True)
    after = outside_keras(layer)
    if audit.owners or audit.variables:  # what is created without a seed draws one from `random`
        after["random"] = before["random"]
    fixed = {draw.where for draw in at_inference}
    reported = set()
    for draw in in_training + at_inference:
        got = _fault(draw, tracked, fixed)
        if got and draw.where not in reported:
            reported.add(draw.where)
            yield Finding("a SeedGenerator that the layer tracks", got, draw.where)
    for line in dict.fromkeys(numpys):
        yield Finding("a SeedGenerator that the layer tracks", "NumPy's `default_rng()`", line)
    for name in before if not reported else ():
        if before[name] != after.get(name, before[name]):
            where = _where_drawn(subject, name)
            yield Finding("a SeedGenerator that the layer tracks", f"`{name}`", where)


def _fault(draw: Draw, tracked: set[int], fixed: set[Where | None]) -> str:
    """Return what is wrong with a draw; empty if nothing, or nothing that the user can fix."""
    if draw.generator is not None:
        known = id(draw.generator.state) in tracked
        return "" if known else "an untracked one, constant once JAX compiles it"
    if draw.where is None:
        return ""
    if draw.seed is None:
        return "`seed=None`, the global generator, which JAX can't compile"
    if draw.where in fixed:  # the same numbers in training and at inference: meant to be constant
        return ""
    return f"the seed {draw.seed}, which gives the same numbers in each step"


def _where_drawn(subject: Subject, name: str) -> Where | None:
    """Return the first line outside the constructor that calls something of this name."""
    names = (f"{name}.", f"numpy.{name.removeprefix('np.')}.")
    for method in subject.source.methods():
        for node in ast.walk(method) if method.name not in ("__init__", "build") else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(names):
                return subject.source.at(node)
    return subject.source.where("call")


@register(needs=("no-untracked-randomness",))
def random_in_training(subject: Subject) -> Iterator[Finding]:
    """Each training step draws new random numbers.

    A generator that is reset in `call`, or drawn from only in `build`, gives the same noise in each
    step. The network then learns to cope with that noise, which is no regularization at all. Two
    sub-layers with the same integer seed drop the same units each time.

    Fix: draw in `call`, never assign to a generator's state, and give each generator its own seed.
    To repeat a run, use `keras.utils.set_random_seed`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class AddNoise(keras.layers.Layer):
              def __init__(self, stddev=0.1, **kwargs):
                  super().__init__(**kwargs)
                  self.stddev = stddev
                  self.seed_generator = keras.random.SeedGenerator()
                  self.supports_masking = True

              def call(self, inputs, training=None):
                  if not training:
                      return inputs
        -         self.seed_generator.state.assign([1337, 0])
                  noise = keras.random.normal(
                      ops.shape(inputs), dtype=self.compute_dtype, seed=self.seed_generator
                  )
                  return inputs + self.stddev * noise

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "stddev": self.stddev}
    """
    layer, files = subject.build(), files_of(subject.cls)
    before = _states(layer)
    with drawn(files) as draws:
        subject.call(layer, training=True)
    used = {id(draw.generator.state): draw for draw in draws if draw.generator is not None}
    if not used:
        yield from _noise_of_long_ago(subject, layer)
        return
    after_first = _states(layer)
    subject.call(layer, training=True)
    after_second = _states(layer)
    starts: dict[tuple[int, ...], Draw] = {}
    for key, draw in used.items():
        if after_second.get(key) == after_first.get(key):
            expected = "different random numbers in the second training step"
            yield Finding(expected, "the same as in the first", draw.where)
        earlier = starts.setdefault(before.get(key, (key,)), draw)
        if draw.where and earlier.where and draw.where != earlier.where:
            expected = f"different random numbers than in line {earlier.where.line}"
            yield Finding(expected, "the same: both have the same seed", draw.where)


def _states(layer: Any) -> dict[int, tuple[int, ...]]:
    """Return the states of the seed generators that a layer tracks, by variable."""
    kept = (v for v in layer.non_trainable_variables if _is_seed(v))
    return {id(v): tuple(keras.ops.convert_to_numpy(v.value).tolist()) for v in kept}


def _is_seed(variable: Any) -> bool:
    return "seed_generator_state" in variable.name


def _noise_of_long_ago(subject: Subject, layer: Any) -> Iterator[Finding]:
    """Yield a finding if a layer has a generator, draws nothing, but differs in training."""
    if sublayers(layer) or not _states(layer):
        raise NotApplicable("it draws no random numbers in training")
    before = _changing(layer)
    plain, *noisy = [subject.outputs(layer, training=training) for training in (False, True, True)]
    is_still = not differ(noisy[0], noisy[1])  # Torch's dropout has its own generator
    if is_still and differ(plain, noisy[0]) and before == _changing(layer):
        where = subject.source.where("build", "call")
        yield Finding("random numbers drawn in each training step", "none after the first", where)


@register(needs=("no-untracked-randomness",))
def seed_repeats(subject: Subject) -> Iterator[Finding]:
    """Layers with the same `seed` draw the same numbers, layers with different ones don't.

    If `seed` is accepted but not used, an experiment can't be repeated. A generator with a fixed
    seed makes all layers of a network drop the same units.

    Fix: pass `seed` to each `SeedGenerator` and to each random sub-layer.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class DropSteps(keras.layers.Layer):
              def __init__(self, rate=0.2, seed=None, **kwargs):
                  super().__init__(**kwargs)
                  self.rate = rate
                  self.seed = seed
        -         self.seed_generator = keras.random.SeedGenerator()
        +         self.seed_generator = keras.random.SeedGenerator(seed)
                  self.supports_masking = True

              def call(self, inputs, training=None):
                  if not training:
                      return inputs
                  return keras.random.dropout(
                      inputs,
                      self.rate,
                      noise_shape=(*ops.shape(inputs)[:2], 1),
                      seed=self.seed_generator,
                  )

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "rate": self.rate, "seed": self.seed}
    """
    if not _takes_seed(subject):
        raise NotApplicable("its constructor takes no integer `seed`")
    first, second, other = (_starts(subject, seed, i) for i, seed in enumerate(_SEEDS))
    where = subject.source.where("__init__")
    if not first:
        noisy = _outputs_of_one_seed(subject)
        if not differ(noisy[0], noisy[1]):
            raise NotApplicable("it draws no random numbers in training")
        yield Finding("the same numbers from two layers with seed=7", "different ones", where)
    for index, start in enumerate(first):
        if second[index : index + 1] != [start]:
            yield Finding("the same numbers from two layers with seed=7", "different ones", where)
            return
    if first and first == other:
        yield Finding("different numbers with seed=8 than with seed=7", "the same", where)


def _takes_seed(subject: Subject) -> bool:
    parameter = subject.parameters.get("seed")
    if parameter is None:
        return False
    given = subject.case.args.get("seed", parameter.default)
    return given is None or isinstance(given, int) or given is parameter.empty


def _starts(subject: Subject, seed: int, run: int) -> list[Any]:
    """Return the initial states of the generators of a layer with this seed, in order of use.

    Args:
        subject: The class.
        seed: The argument.
        run: Global seed, which changes the start of everything without a seed.
    """
    keras.utils.set_random_seed(run)
    layer = subject.build(seed=seed)
    before = {id(v): arrays(v.value)[0].tolist() for v in layer.variables}
    with drawn(files_of(subject.cls)) as draws:
        subject.call(layer, training=True)
    states = [draw.generator.state for draw in draws if draw.generator is not None]
    return [before[id(state)] for state in states if id(state) in before]


def _outputs_of_one_seed(subject: Subject) -> list[list[Any]]:
    """Return the outputs in training of two layers with the same seed and weights.

    They show what Keras draws without its generators: Torch's own dropout, if it has no seed.
    """
    one, other = (subject.build(seed=_SEEDS[0]) for _ in range(2))
    other.set_weights(one.get_weights())
    outputs = []
    for run, layer in enumerate((one, other)):
        keras.utils.set_random_seed(run)
        outputs.append(subject.outputs(layer, training=True))
    return outputs


@register(
    needs=(
        "state-changes-only-in-training",
        "no-untracked-randomness",
    ),
    tag="random-at-inference",
)
def inference_repeats(subject: Subject) -> Iterator[Finding]:
    """Two calls at inference give the same outputs.

    Noise that isn't switched off makes `predict` a matter of luck, and `evaluate` measures the
    noise along with the model.

    Fix: return before the noise, `if not training: return inputs`. If a layer is meant to be random
    at inference, give it the tag `random-at-inference`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class ScaleNoise(keras.layers.Layer):
              def __init__(self, stddev=0.1, **kwargs):
                  super().__init__(**kwargs)
                  self.stddev = stddev
                  self.seed_generator = keras.random.SeedGenerator()
                  self.supports_masking = True

              def call(self, inputs, training=None):
        +         if not training:
        +             return inputs
                  noise = keras.random.normal(
                      ops.shape(inputs),
                      mean=1.0,
                      stddev=self.stddev,
                      dtype=self.compute_dtype,
                      seed=self.seed_generator,
                  )
                  return inputs * noise

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "stddev": self.stddev}
    """
    layer = subject.build()
    first = subject.outputs(layer)
    before = _changing(layer)
    with drawn(files_of(subject.cls)) as draws:
        found = differ(first, subject.outputs(layer), 1e-6)
        for _ in range(_TRIES if draws else 0):  # what is drawn may be the same by chance
            found = found or differ(first, subject.outputs(layer), 1e-6)
    if found and before == _changing(layer):
        where = next((draw.where for draw in draws), None) or subject.source.where("call")
        yield Finding("the same outputs from each call at inference", found, where)


def _changing(layer: Any) -> list[bytes]:
    """Return the values of what is neither trained nor the state of a seed generator."""
    kept = (v for v in layer.non_trainable_variables if not _is_seed(v))
    return [keras.ops.convert_to_numpy(v.value).tobytes() for v in kept]
