"""Training on several devices and processes of this machine gives the same as on one."""

import contextlib
import csv
{%- if cookiecutter.backend == "tensorflow" %}
import json
{%- endif %}
import os
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from {{ cookiecutter.package }} import distribution
{%- if cookiecutter.backend == "tensorflow" %}
from {{ cookiecutter.package }}.config import Config, ConfigError, OptimizerConfig
{%- endif %}
from {{ cookiecutter.package }}.distribution import DistributionError
{%- if cookiecutter.backend == "tensorflow" %}
from {{ cookiecutter.package }}.training import train
{%- endif %}

CONFIG = """
batch_size = 128
[optimizer]
schedule = "constant"
"""
# What the first of two processes prints.
TOGETHER = {% if cookiecutter.backend == "torch" %}"Training in 2 processes.\n"{% else %}"Training on 2 devices.\n"{% endif %}
# The CPU is deterministic, and has room for two processes.
CPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
# The command, by default without dropout, since each process draws its own masks.
COMMAND = """
import os
{%- if cookiecutter.backend == "tensorflow" %}
import tensorflow as tf
devices = [tf.config.LogicalDeviceConfiguration()] * int(os.environ.get("DEVICES", 1))
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
{%- endif %}
import {{ cookiecutter.package }}.cli
import keras
if "DROPOUT" not in os.environ:
    keras.layers.Dropout.call = lambda self, inputs, training=False: inputs
{{ cookiecutter.package }}.cli.main(prog_name="{{ cookiecutter.project }}")
"""


class Training:
    """A training into a folder, in its own process."""

    def __init__(self, folder, *words, **variables):
        config = folder.parent / "config.toml"
        config.write_text(CONFIG, encoding="utf-8")
        words = ["train", "--config", config, "--into", folder, *words]
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.folder = folder
        self.printed = folder.parent / f"{time.time_ns()}.txt"
        with self.printed.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *words],
                env={**os.environ, **CPU, **path, **variables},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ends(self):
        """Wait for the end; return the exit code and the output."""
        return self.process.wait(timeout=120), self.printed.read_text(encoding="utf-8")

    def epochs(self):
        """Return the number of the last epoch with a checkpoint."""
        names = [path.name for path in self.folder.glob("checkpoints/epoch-*")]
        return int(max(names, default="epoch-0")[len("epoch-") :])


def losses(folder):
    """Return the losses of each epoch in `log.csv`."""
    with (folder / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == list(range(len(rows)))
    return [(float(row["loss"]), float(row["val_loss"])) for row in rows]


def assert_same(training, other):
    """Check that the first epochs are the same, up to rounding."""
    ours, others = losses(training.folder), losses(other.folder)
    epochs = min(len(ours), len(others))
    assert epochs >= 3
    np.testing.assert_allclose(ours[:epochs], others[:epochs], rtol=1e-3)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A training that is not distributed."""
    folder = tmp_path_factory.mktemp("alone")
    with Training(folder / "run", "--epochs", "6") as training:
        code, printed = training.ends()
    assert code == 0, printed
    return training
{%- if cookiecutter.backend == "tensorflow" %}


def test_two_devices_are_the_same_as_one(alone, tmp_path):
    words = ("--epochs", "3", "--distribute", "mirrored")
    with Training(tmp_path / "run", *words, DEVICES="2") as training:
        code, printed = training.ends()
        assert code == 0, printed
        assert "Training on 2 devices.\n" in printed
        assert_same(training, alone)
{%- elif cookiecutter.backend == "jax" %}


def test_eight_devices_are_the_same_as_one(alone, tmp_path):
    words = ("--epochs", "3", "--distribute", "data_parallel")
    devices = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    with Training(tmp_path / "run", *words, **devices) as training:
        code, printed = training.ends()
        assert code == 0, printed
        assert "Training on 8 devices.\n" in printed
        assert_same(training, alone)
{%- endif %}


def two_together():
    """Return the arguments and the variables of each of two processes of a job."""
    {%- if cookiecutter.backend == "tensorflow" %}
    cluster = {"worker": [f"127.0.0.1:{free_port()}" for _ in range(2)]}
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    configs = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
    return ("--distribute", "multi_worker"), [{"TF_CONFIG": config} for config in configs]
    {%- elif cookiecutter.backend == "jax" %}
    job = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    }
    variables = [{**job, "KERAS_DISTRIBUTION_PROCESS_ID": str(index)} for index in range(2)]
    return ("--distribute", "data_parallel"), variables
    {%- else %}
    job = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    variables = [{**job, "RANK": str(index), "LOCAL_RANK": str(index)} for index in range(2)]
    return ("--distribute", "ddp"), variables
    {%- endif %}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def together(folder, other, *words, **variables):
    """Run two processes to the end; return their exit codes and outputs."""
    distribute, variables_of = two_together()
    with contextlib.ExitStack() as stack:
        trainings = [
            stack.enter_context(Training(into, *words, *distribute, **own, **variables))
            for into, own in zip((folder, other), variables_of, strict=True)
        ]
        return zip(*(training.ends() for training in trainings), strict=True)


def test_two_processes_train_with_dropout(alone, tmp_path):
    shutil.copytree(alone.folder, tmp_path / "run")
    words = ("--resume", "--epochs", "7")
    codes, printed = together(tmp_path / "run", tmp_path / "run", *words, DROPOUT="1")
    assert codes == (0, 0), printed
    assert TOGETHER in printed[0] and TOGETHER not in printed[1]
    assert losses(tmp_path / "run")[:6] == losses(alone.folder)
    # With dropout, the training loss is a little higher, but not the validation loss.
    assert 0 < losses(tmp_path / "run")[6][1] < losses(alone.folder)[4][1]


def test_processes_that_do_not_share_the_run(alone, tmp_path):
    shutil.copytree(alone.folder, tmp_path / "run")
    codes, printed = together(tmp_path / "run", tmp_path / "other", "--resume", "--epochs", "7")
    assert codes[0] == 1 and codes[1] != 0, printed
    message = f"Error: the processes resume from different epochs: {tmp_path / 'run'} must be on a "
    assert message in printed[0] and "Traceback" not in printed[0]


def test_two_processes_are_the_same_as_one_and_resume_after_a_loss(alone, tmp_path):
    words, (here, there) = two_together()
    words = ("--epochs", "1000", *words)
    with (
        Training(tmp_path / "run", *words, **here) as chief,
        Training(tmp_path / "other", *words, **there) as other,
    ):
        while chief.epochs() < 2 and chief.process.poll() is None:
            time.sleep(0.1)
        other.process.kill()
        code, printed = chief.ends()
    assert code == 1, printed
    assert "Error: a process of the job was lost. Run the same command with --resume" in printed
    assert not other.folder.exists()  # Only the chief writes.

    words, (here, there) = two_together()
    words = ("--epochs", str(chief.epochs() + 1), "--resume", *words)
    with (
        Training(tmp_path / "run", *words, **here) as chief,
        Training(tmp_path / "run", *words, **there) as other,
    ):
        for process in (chief, other):
            code, printed = process.ends()
            assert code == 0, printed
    assert_same(chief, alone)
{%- if cookiecutter.backend == "tensorflow" %}


def test_gradients_are_not_accumulated_on_several_devices(tmp_path):
    config = Config(optimizer=OptimizerConfig(gradient_accumulation_steps=2))
    with pytest.raises(ConfigError, match=r"^Keras can't accumulate gradients on several devices"):
        train(config, tmp_path / "run", strategy="mirrored", verbose=0)
    assert not (tmp_path / "run").exists()


def test_workers_need_their_variables(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with (
        pytest.raises(DistributionError, match=r"^multi_worker needs TF_CONFIG"),
        distribution.start("multi_worker", 128),
    ):
        pass


@pytest.mark.parametrize("config", ["{", '{"cluster": {"worker": ["a:1"]}}'])
def test_invalid_variables(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    with (
        pytest.raises(DistributionError, match=r"^multi_worker can't start, see TF_CONFIG: "),
        distribution.start("multi_worker", 128),
    ):
        pass
{%- elif cookiecutter.backend == "jax" %}


def test_a_batch_must_be_split_evenly(monkeypatch):
    monkeypatch.setattr("jax.device_count", lambda: 3)
    with (
        pytest.raises(DistributionError, match=r"^a batch of 128 can't be split among 3 devices$"),
        distribution.start("data_parallel", 128),
    ):
        pass


def test_processes_need_their_variables(monkeypatch):
    monkeypatch.setenv(distribution.NAMES[0], "localhost:1")
    monkeypatch.delenv(distribution.NAMES[1], raising=False)
    monkeypatch.setenv(distribution.NAMES[2], "first")
    for message in (r"^KERAS_DISTRIBUTION_NUM_PROCESSES is not set", r"^the job can't start, see "):
        with (
            pytest.raises(DistributionError, match=message),
            distribution.start("data_parallel", 128),
        ):
            pass
        monkeypatch.setenv(distribution.NAMES[1], "2")


def test_padding_of_a_batch_has_no_weight():
    jobs = [distribution.Job(4), distribution.Job(4)]
    for index, job in enumerate(jobs):
        job.part = (index, 2)
    numbers = np.arange(10)
    parts = [job.pad(numbers, -numbers) for job in jobs]
    x, y, weights = map(np.concatenate, zip(*parts, strict=True))
    assert (x == -y).all()
    assert len(x) == 12 and set(x) == set(numbers)
    # Keras divides by the number of examples.
    np.testing.assert_allclose((weights * x).mean(), numbers.mean(), rtol=1e-6)
{%- else %}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, r"^ddp must be started by torchrun"),
        ({"RANK": "0", "LOCAL_RANK": "0"}, r"^ddp can't start: .* WORLD_SIZE expected"),
    ],
)
def test_processes_need_their_variables(monkeypatch, variables, message):
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DistributionError, match=message), distribution.start("ddp", 128):
        pass


@pytest.fixture
def one_process(monkeypatch):
    job = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    for name, value in {**job, "MASTER_PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)


def test_one_process_raises_its_errors_and_can_start_again(one_process):
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^mine$"), distribution.start("ddp", 128) as job:
            assert job.is_chief
            raise ValueError("mine")


def test_a_batch_must_be_split_evenly(one_process, monkeypatch, capsys):
    monkeypatch.setattr("torch.distributed.get_world_size", lambda *_: 3)
    monkeypatch.setattr("os._exit", sys.exit)
    with pytest.raises(SystemExit, match=r"^1$"), distribution.start("ddp", 128):
        pass
    message = "Error: a batch of 128 can't be split among 3 processes\n"
    assert capsys.readouterr().err == message
{%- endif %}
