{%- if cookiecutter.backend == "tensorflow" -%}
"""Training on several devices or machines, by `tf.distribute`.

`mirrored` is for the GPUs of one machine, `multi_worker` for several machines, each of which has
the variable TF_CONFIG. TensorFlow splits every batch among them and sums up the gradients.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import click
import tensorflow as tf


class DistributionError(click.ClickException):
    """A job of several devices or processes that can't start, or can't go on."""


class MultiWorkerMirroredStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """TensorFlow's strategy, and what `fit` of Keras 3.15 asks of it beyond that."""

    def reduce(self, reduce_op, value, axis=None):
        if isinstance(value, tuple):  # A batch: Keras builds the model from its shapes.
            return tf.nest.map_structure(lambda x: self.experimental_local_results(x)[0], value)
        if self.experimental_local_results(value)[0].shape.rank == 0:
            axis = None  # Keras says axis 0 for a loss, too.
        return super().reduce(reduce_op, value, axis)


STRATEGIES = {
    "none": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "multi_worker": MultiWorkerMirroredStrategy,
}


class Job:
    """This process's place among those that train together.

    Args:
        strategy: A `tf.distribute.Strategy`.
    """

    # Each process has all of the data: TensorFlow takes its part of every batch.
    part = (0, 1)

    def __init__(self, strategy):
        self.strategy = strategy
        self.scope = strategy.scope
        # The chief writes the files of the run.
        self.is_chief = strategy.extended.should_checkpoint

    def epochs(self, epoch):
        """Return what each device's process gives here."""
        if self.strategy.num_replicas_in_sync == 1:
            return [epoch]
        one = self.strategy.experimental_distribute_values_from_function(
            lambda _: tf.constant([epoch])
        )
        return self.strategy.gather(one, axis=0).numpy().tolist()


@contextlib.contextmanager
def start(strategy: str, batch_size: int) -> Iterator[Job]:
    """Join the other processes, and see to it that the loss of one is understood.

    Args:
        strategy: One of `STRATEGIES`.
        batch_size: Examples in a step, over all devices.

    Raises:
        DistributionError: If the job can't be started so, or has lost a process.
    """
    if strategy == "multi_worker" and "TF_CONFIG" not in os.environ:
        raise DistributionError("multi_worker needs TF_CONFIG: the README has how to start it")
    try:
        chosen = STRATEGIES[strategy]()
    except (KeyError, TypeError, ValueError, tf.errors.OpError) as error:
        reason, *_ = str(error).partition("\n")
        raise DistributionError(f"{strategy} can't start, see TF_CONFIG: {reason}") from error
    if strategy == "multi_worker":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # TensorFlow holds it back.
    replicas = chosen.num_replicas_in_sync
    if batch_size % replicas:
        raise DistributionError(f"a batch of {batch_size} can't be split among {replicas} devices")
    job = Job(chosen)
    if job.is_chief and strategy != "none":
        print(f"Training on {replicas} devices.", flush=True)
    try:
        yield job
    except (tf.errors.AbortedError, tf.errors.UnavailableError) as error:
        raise DistributionError(
            "a process of the job was lost. The same command with --resume goes on from the last "
            "epoch that was finished"
        ) from error
{%- elif cookiecutter.backend == "jax" -%}
"""Training on several devices or machines, by `keras.distribution` and `jax.distributed`.

`data_parallel` takes all devices of this process. Where KERAS_DISTRIBUTION_JOB_ADDRESSES,
KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID are set, it takes those of all
processes, one of which runs on each machine.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

import click
import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

STRATEGIES = ("none", "data_parallel")
PLACE = [f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")]
TIMEOUT = 60  # Seconds without a sign of life after which a process counts as lost.


class DistributionError(click.ClickException):
    """A job of several devices or processes that can't start, or can't go on."""


class Job:
    """This process's place among those that train together.

    Args:
        batch_size: Examples in a step, over all devices.
    """

    def __init__(self, batch_size):
        self.batch_size = batch_size
        self.part = (jax.process_index(), jax.process_count())
        # The chief writes the files of the run.
        self.is_chief = jax.process_index() == 0

    def epochs(self, epoch):
        """Return what each process gives here."""
        return multihost_utils.process_allgather(np.array([epoch])).ravel().tolist()

    @contextlib.contextmanager
    def alone(self):
        """Make variables, as saving does, that the other processes don't make at the same time."""
        distribution = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(distribution)

    def pad(self, x, y):
        """Return this process's part of `x` and `y`, filled up to whole batches, and weights.

        What is filled in weighs nothing, and the rest so much more that Keras's mean over all of
        it is the mean over `x` and `y`.
        """
        size = -(-len(x) // self.batch_size) * self.batch_size
        weights = np.where(np.arange(size) < len(x), size / len(x), 0.0).astype("float32")
        index, parts = self.part
        rows = np.resize(np.arange(len(x)), size)[index::parts]
        return x[rows], y[rows], weights[index::parts]


@contextlib.contextmanager
def start(strategy: str, batch_size: int) -> Iterator[Job]:
    """Join the other processes, and see to it that the loss of one is understood.

    Args:
        strategy: One of `STRATEGIES`.
        batch_size: Examples in a step, over all devices.

    Raises:
        DistributionError: If the job can't be started so.
    """
    if strategy == "none":
        yield Job(batch_size)
        return
    if PLACE[0] in os.environ:
        join()
    try:
        devices = jax.device_count()
        if batch_size % devices:
            raise DistributionError(
                f"a batch of {batch_size} can't be split among {devices} devices"
            )
        # `Batches` and `pad` give each process its part.
        with keras.distribution.DataParallel(auto_shard_dataset=False).scope():
            job = Job(batch_size)
            if job.is_chief:
                print(f"Training on {devices} devices.", flush=True)
            yield job
    except BaseException as error:
        if jax.process_count() == 1:
            raise
        report(error)
        # Any other way out waits for the processes that wait for this one.
        sys.stdout.flush()
        os._exit(1)
    jax.distributed.shutdown()


def join():
    """Join the other processes."""
    missing = [name for name in PLACE if name not in os.environ]
    if missing:
        raise DistributionError(f"{missing[0]} is not set: the README has how to start a job")
    address, processes, index = (os.environ[name] for name in PLACE)
    jax.config.update("jax_enable_preemption_service", False)  # Which holds back SIGTERM.
    try:
        jax.distributed.initialize(
            address,
            int(processes),
            int(index),
            cluster_detection_method="deactivate",  # On Slurm, it would take one GPU alone.
            heartbeat_timeout_seconds=TIMEOUT,
            shutdown_timeout_seconds=TIMEOUT,
        )
    except (ValueError, RuntimeError) as error:
        reason, *_ = str(error).partition("\n")
        raise DistributionError(f"the job can't start, see {', '.join(PLACE)}: {reason}") from error

{%- else -%}
"""Training in several processes, one for each GPU of one or more machines, by `torch.distributed`.

`torchrun` starts them and sets the variables that name their places.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from datetime import timedelta

import click
import keras
import torch
from torch import distributed

STRATEGIES = ("none", "ddp")
TIMEOUT = timedelta(minutes=2)  # All wait for the chief, while it writes a checkpoint.


class DistributionError(click.ClickException):
    """A job of several processes that can't start, or can't go on."""


class Job:
    """This process's place among those that train together.

    Args:
        rank: Int from 0, which one it is.
        processes: Int, how many there are.
    """

    def __init__(self, rank=0, processes=1):
        self.part = (rank, processes)
        # The chief writes the files of the run.
        self.is_chief = rank == 0

    def epochs(self, epoch):
        """Return what each process gives here."""
        given = [epoch] * self.part[1]
        if len(given) > 1:
            distributed.all_gather_object(given, epoch)
        return given

    def callbacks(self):
        """Return what must come before all other callbacks."""
        return [Average()] if self.part[1] > 1 else []

    def replicate(self, model):
        """Start the built `model` from the chief's weights, and average its gradients from now on.

        All calls go through `DistributedDataParallel`, with whatever `train_step` the model has.
        """
        if self.part[1] == 1:
            return
        module = torch.nn.Module()
        module.weights = torch.nn.ParameterList(one.value for one in model.variables)
        module.forward = model.call
        parallel = torch.nn.parallel.DistributedDataParallel(module)
        model.call = lambda *args, **kwargs: parallel(*args, **kwargs)


class Average(keras.callbacks.Callback):
    """What is not in the gradients, averaged over all processes."""

    def on_test_begin(self, logs=None):
        # The statistics of BatchNormalization are those of this process's examples.
        for variable in self.model.non_trainable_variables:
            if variable.value.is_floating_point():
                variable.assign(mean(variable.value.detach()))

    def on_epoch_end(self, epoch, logs=None):
        logs.update(zip(logs, mean(torch.tensor([*logs.values()])).tolist(), strict=True))


def mean(tensor):
    """Return the mean over all processes."""
    total = tensor.clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


@contextlib.contextmanager
def start(strategy: str, batch_size: int) -> Iterator[Job]:
    """Join the other processes, and see to it that the loss of one is understood.

    Args:
        strategy: One of `STRATEGIES`.
        batch_size: Examples in a step, over all processes.

    Raises:
        DistributionError: If the job can't be started so.
    """
    if strategy == "none":
        yield Job()
        return
    if not {"RANK", "LOCAL_RANK"} <= os.environ.keys():
        raise DistributionError("ddp is started by torchrun: the README has how")
    try:
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group(timeout=TIMEOUT)
    except (ValueError, RuntimeError) as error:
        reason, *_ = str(error).partition("\n")
        raise DistributionError(f"ddp can't start: {reason}") from error
    processes = distributed.get_world_size()
    job = Job(distributed.get_rank(), processes)
    try:
        if batch_size % processes:
            raise DistributionError(
                f"a batch of {batch_size} can't be split among {processes} processes"
            )
        if job.is_chief:
            print(f"Training in {processes} processes.", flush=True)
        yield job
    except BaseException as error:
        if processes == 1:
            raise
        report(error)
        # Any other way out waits for the other processes, or is aborted by a thread of Torch's.
        sys.stdout.flush()
        os._exit(1)
    finally:
        distributed.destroy_process_group()
{%- endif %}
{%- if cookiecutter.backend != "tensorflow" %}


def report(error):
    """Print what has ended this process."""
    if isinstance(error, click.ClickException):
        error.show()
    {%- if cookiecutter.backend == "jax" %}
    elif "Gloo" in str(error) or "NCCL" in str(error):
    {%- else %}
    elif "gloo" in str(error) or isinstance(error, distributed.DistError):
    {%- endif %}
        lost = DistributionError(
            "a process of the job was lost. The same command with --resume goes on from the last "
            f"epoch that was finished. {% if cookiecutter.backend == "jax" %}JAX{% else %}Torch{% endif %} says: {str(error).splitlines()[0]}"
        )
        lost.show()
    else:
        traceback.print_exception(error)
{%- endif %}
