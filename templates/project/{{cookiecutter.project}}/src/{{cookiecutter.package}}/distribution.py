{%- if cookiecutter.backend == "tensorflow" -%}
"""Training on several devices or machines, with `tf.distribute`.

`mirrored` is for the GPUs of one machine, `multi_worker` for several machines, each with the
environment variable TF_CONFIG. TensorFlow splits every batch among them and sums the gradients.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import click
import tensorflow as tf


class DistributionError(click.ClickException):
    """A job of several devices or processes that can't start or continue."""


class MultiWorkerMirroredStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """TensorFlow's strategy, adapted to `fit` of Keras 3.15."""

    def reduce(self, reduce_op, value, axis=None):
        if isinstance(value, tuple):  # A batch: Keras builds the model from its shapes.
            return tf.nest.map_structure(lambda x: self.experimental_local_results(x)[0], value)
        if self.experimental_local_results(value)[0].shape.rank == 0:
            axis = None  # Keras passes axis 0 for a loss as well.
        return super().reduce(reduce_op, value, axis)


STRATEGIES = {
    "none": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "multi_worker": MultiWorkerMirroredStrategy,
}


class Job:
    """This process's part in a job.

    Args:
        strategy: A `tf.distribute.Strategy`.
    """

    # Each process has all the data: TensorFlow takes its part of every batch.
    part = (0, 1)

    def __init__(self, strategy):
        self.strategy = strategy
        self.scope = strategy.scope
        # The chief writes the files of the run.
        self.is_chief = strategy.extended.should_checkpoint

    def epochs(self, epoch):
        """Gather `epoch` from all devices."""
        if self.strategy.num_replicas_in_sync == 1:
            return [epoch]
        one = self.strategy.experimental_distribute_values_from_function(
            lambda _: tf.constant([epoch])
        )
        return self.strategy.gather(one, axis=0).numpy().tolist()


@contextlib.contextmanager
def start(strategy: str, batch_size: int) -> Iterator[Job]:
    """Join the other processes, and report it if one is lost.

    Args:
        strategy: One of `STRATEGIES`.
        batch_size: Global batch size, over all devices.

    Raises:
        DistributionError: If the job can't start, or a process is lost.
    """
    if strategy == "multi_worker" and "TF_CONFIG" not in os.environ:
        raise DistributionError("multi_worker needs TF_CONFIG: see the README")
    try:
        chosen = STRATEGIES[strategy]()
    except (KeyError, TypeError, ValueError, tf.errors.OpError) as error:
        reason, *_ = str(error).partition("\n")
        raise DistributionError(f"{strategy} can't start, see TF_CONFIG: {reason}") from error
    if strategy == "multi_worker":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # TensorFlow delays it.
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
            "a process of the job was lost. Run the same command with --resume to continue from "
            "the last finished epoch"
        ) from error
{%- elif cookiecutter.backend == "jax" -%}
"""Training on several devices or machines, with `keras.distribution` and `jax.distributed`.

`data_parallel` uses all devices of this process. If KERAS_DISTRIBUTION_JOB_ADDRESSES,
KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID are set, it uses those of all
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
NAMES = [f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")]
TIMEOUT = 60  # Seconds without a heartbeat after which a process counts as lost.


class DistributionError(click.ClickException):
    """A job of several devices or processes that can't start or continue."""


class Job:
    """This process's part in a job.

    Args:
        batch_size: Global batch size, over all devices.
    """

    def __init__(self, batch_size):
        self.batch_size = batch_size
        self.part = (jax.process_index(), jax.process_count())
        # The chief writes the files of the run.
        self.is_chief = jax.process_index() == 0

    def epochs(self, epoch):
        """Gather `epoch` from all processes."""
        return multihost_utils.process_allgather(np.array([epoch])).ravel().tolist()

    @contextlib.contextmanager
    def alone(self):
        """Allow this process alone to create variables, as saving does."""
        distribution = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(distribution)

    def pad(self, x, y):
        """Return this process's part of `x` and `y`, padded to whole batches, and weights.

        Padding has weight 0. The other weights are scaled up, so that Keras's mean over all
        examples is the mean over `x` and `y`.
        """
        size = -(-len(x) // self.batch_size) * self.batch_size
        weights = np.where(np.arange(size) < len(x), size / len(x), 0.0).astype("float32")
        index, parts = self.part
        rows = np.resize(np.arange(len(x)), size)[index::parts]
        return x[rows], y[rows], weights[index::parts]


@contextlib.contextmanager
def start(strategy: str, batch_size: int) -> Iterator[Job]:
    """Join the other processes, and report it if one is lost.

    Args:
        strategy: One of `STRATEGIES`.
        batch_size: Global batch size, over all devices.

    Raises:
        DistributionError: If the job can't start.
    """
    if strategy == "none":
        yield Job(batch_size)
        return
    if NAMES[0] in os.environ:
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
        # Any other exit would wait for processes that wait for this one.
        sys.stdout.flush()
        os._exit(1)
    jax.distributed.shutdown()


def join():
    """Join the other processes."""
    missing = [name for name in NAMES if name not in os.environ]
    if missing:
        raise DistributionError(f"{missing[0]} is not set: see the README")
    address, processes, index = (os.environ[name] for name in NAMES)
    jax.config.update("jax_enable_preemption_service", False)  # It delays SIGTERM.
    try:
        jax.distributed.initialize(
            address,
            int(processes),
            int(index),
            cluster_detection_method="deactivate",  # On Slurm, it would use only one GPU.
            heartbeat_timeout_seconds=TIMEOUT,
            shutdown_timeout_seconds=TIMEOUT,
        )
    except (ValueError, RuntimeError) as error:
        reason, *_ = str(error).partition("\n")
        raise DistributionError(f"the job can't start, see {', '.join(NAMES)}: {reason}") from error

{%- else -%}
"""Training in several processes, one for each GPU of one or more machines.

`torchrun` starts them and sets the environment variables of `torch.distributed`.
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
TIMEOUT = timedelta(minutes=2)  # All processes wait while the chief writes a checkpoint.


class DistributionError(click.ClickException):
    """A job of several processes that can't start or continue."""


class Job:
    """This process's part in a job.

    Args:
        rank: Int, rank of this process.
        processes: Int, number of processes.
    """

    def __init__(self, rank=0, processes=1):
        self.part = (rank, processes)
        # The chief writes the files of the run.
        self.is_chief = rank == 0

    def epochs(self, epoch):
        """Gather `epoch` from all processes."""
        given = [epoch] * self.part[1]
        if len(given) > 1:
            distributed.all_gather_object(given, epoch)
        return given

    def callbacks(self):
        """Return the callbacks that must run before all others."""
        return [Average()] if self.part[1] > 1 else []

    def replicate(self, model):
        """Copy the chief's weights to the built `model`, and average its gradients from now on.

        All calls go through `DistributedDataParallel`, whatever `train_step` the model has.
        """
        if self.part[1] == 1:
            return
        module = torch.nn.Module()
        module.weights = torch.nn.ParameterList(one.value for one in model.variables)
        module.forward = model.call
        parallel = torch.nn.parallel.DistributedDataParallel(module)
        model.call = lambda *args, **kwargs: parallel(*args, **kwargs)


class Average(keras.callbacks.Callback):
    """Averages over all processes what is not in the gradients."""

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
    """Join the other processes, and report it if one is lost.

    Args:
        strategy: One of `STRATEGIES`.
        batch_size: Global batch size, over all processes.

    Raises:
        DistributionError: If the job can't start.
    """
    if strategy == "none":
        yield Job()
        return
    if not {"RANK", "LOCAL_RANK"} <= os.environ.keys():
        raise DistributionError("ddp must be started by torchrun: see the README")
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
        # Any other exit would wait for the other processes, or be aborted by a thread of Torch.
        sys.stdout.flush()
        os._exit(1)
    finally:
        distributed.destroy_process_group()
{%- endif %}
{%- if cookiecutter.backend != "tensorflow" %}


def report(error):
    """Print the error that ends this process."""
    if isinstance(error, click.ClickException):
        error.show()
    {%- if cookiecutter.backend == "jax" %}
    elif "Gloo" in str(error) or "NCCL" in str(error):
    {%- else %}
    elif "gloo" in str(error) or isinstance(error, distributed.DistError):
    {%- endif %}
        lost = DistributionError(
            "a process of the job was lost. Run the same command with --resume to continue from "
            f"the last finished epoch. {% if cookiecutter.backend == "jax" %}JAX{% else %}Torch{% endif %} reports: {str(error).splitlines()[0]}"
        )
        lost.show()
    else:
        traceback.print_exception(error)
{%- endif %}
