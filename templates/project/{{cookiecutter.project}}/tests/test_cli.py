"""The command line, from a training to predictions."""

import zipfile

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from {{ cookiecutter.package }} import distribution
from {{ cookiecutter.package }} import export as exporting
from {{ cookiecutter.package }}.cli import FORMATS, STRATEGIES, main
from {{ cookiecutter.package }}.data import load_data
from {{ cookiecutter.package }}.models import DigitClassifier

{% if cookiecutter.backend == "torch" -%}
# Torch's converter is deprecated, and warns about the checks of Keras that it can't trace.
converts = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning"
)
{%- elif cookiecutter.backend == "jax" -%}
# Keras's converter uses a deprecated API of JAX.
converts = pytest.mark.filterwarnings("ignore:The `native_serialization`:DeprecationWarning")
{%- else -%}
# The converters use deprecated APIs of each other and of NumPy.
converts = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
{%- endif %}


def run(*words):
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The model of a short training, and the last line printed."""
    folder = tmp_path_factory.mktemp("run")
    config = folder / "config.toml"
    config.write_text("batch_size = 128\n", encoding="utf-8")
    result = run("train", "--config", str(config), "--into", str(folder / "run"), "--epochs", "1")
    assert result.exit_code == 0, result.output
    return folder / "run/best.keras", result.output.splitlines()[-1]


def test_train_prints_the_result(trained):
    path, last = trained
    assert last.startswith("1 epochs; the best has accuracy 0.")
    assert last.endswith(f": {path}")


def test_evaluate(trained):
    result = run("evaluate", "--model", str(trained[0]))
    assert result.exit_code == 0
    parts = (part.rsplit(" ", 1) for part in result.output.strip().split(", "))
    measured = {name: float(value) for name, value in parts}
    assert [*measured] == ["accuracy", "loss", "majority class"]
    data = load_data()
    images, labels = data.test
    given = keras.models.load_model(trained[0]).predict(images, verbose=0).argmax(axis=-1)
    majority = max(range(10), key=data.train[1].tolist().count)
    assert measured["accuracy"] == pytest.approx(np.mean(given == labels), abs=1e-4)
    assert measured["majority class"] == pytest.approx(np.mean(labels == majority), abs=1e-4)


def test_files_without_a_model(trained, tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("not a model", encoding="utf-8")
    halved = tmp_path / "halved.keras"
    halved.write_bytes(trained[0].read_bytes()[:9999])
    empty = tmp_path / "empty.keras"
    zipfile.ZipFile(empty, "w").close()
    strange = tmp_path / "strange.keras"
    with zipfile.ZipFile(trained[0]) as source, zipfile.ZipFile(strange, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"DigitClassifier", b"Unknown"))
    for file in (path, halved, empty, strange):
        for words in (("evaluate",), ("export",)):
            result = run(*words, "--model", str(file))
            assert result.exit_code == 1
            assert result.output.startswith(f"Error: {file} can't be loaded: ")
            assert result.output.count("\n") == 1


def test_predict(trained, tmp_path):
    np.save(tmp_path / "images.npy", load_data().test[0][:5])
    result = run("predict", str(tmp_path / "images.npy"), "--model", str(trained[0]))
    assert result.exit_code == 0
    rows = [line.split(",") for line in result.output.splitlines()]
    assert len(rows) == 5
    assert all(label in "0123456789" and 0.1 <= float(p) <= 1 for label, p in rows)


def test_predict_refuses_other_arrays(trained, tmp_path):
    np.save(tmp_path / "flat.npy", np.zeros((5, 64)))
    np.save(tmp_path / "none.npy", np.zeros((0, 8, 8, 1)))
    np.savez(tmp_path / "several.npz", np.zeros((5, 8, 8, 1)))
    (tmp_path / "empty.npy").touch()
    (tmp_path / "text.npy").write_text("not an array", encoding="utf-8")
    for name, message in [
        ("flat.npy", "must have the shape (n, 8, 8, 1). Received: (5, 64), float64"),
        ("none.npy", "has no images"),
        ("several.npz", "is not a .npy file"),
        ("empty.npy", "is not a .npy file"),
        ("text.npy", "is not a .npy file"),
    ]:
        result = run("predict", str(tmp_path / name), "--model", str(trained[0]))
        assert (result.exit_code, result.output) == (1, f"Error: {tmp_path / name} {message}\n")


@converts
@pytest.mark.parametrize("kind", FORMATS)
def test_export_gives_the_same_outputs(trained, tmp_path, kind):
    words = ("--model", str(trained[0]), "--format", kind, "--into", str(tmp_path / "out"))
    result = run("export", *words)
    assert result.exit_code == 0, result.output
    (written,) = (tmp_path / "out").iterdir()
    last = result.output.splitlines()[-1]
    assert last.startswith(f"{written}: outputs differ by at most ")


@converts
def test_export_of_mixed_precision_is_in_float32(tmp_path):
    keras.utils.set_random_seed(0)
    model = DigitClassifier((8, 8, 1), dtype="mixed_bfloat16")
    model.save(tmp_path / "mixed.keras")
    into = tmp_path / "out"
    result = run("export", "--model", str(tmp_path / "mixed.keras"), "--into", str(into))
    assert result.exit_code == 0, result.output
    images = load_data().test[0][:3]
    outputs = exporting.run(into / exporting.FILES[FORMATS[0]], FORMATS[0], images)
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs, model.predict(images, verbose=0), atol=0.05)


def test_export_reports_errors(trained, tmp_path, monkeypatch):
    def fails(*_):
        raise ValueError("no such operation\nin the middle")

    monkeypatch.setattr(exporting, "convert", fails)
    (tmp_path / "file").touch()
    for folder, reason in [
        (tmp_path / "file/out", "NotADirectoryError: [Errno 20] Not a directory: "),
        (tmp_path / "out", "ValueError: no such operation"),
    ]:
        result = run("export", "--model", str(trained[0]), "--into", str(folder))
        assert result.exit_code == 1
        target = folder / exporting.FILES[FORMATS[0]]
        message = f"Error: {trained[0]} can't be exported to {target}: {reason}"
        assert result.output.startswith(message) and result.output.count("\n") == 1


@converts
def test_export_refuses_other_outputs(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "run", lambda target, kind, images: np.zeros(10))
    result = run("export", "--model", str(trained[0]), "--into", str(tmp_path))
    assert result.exit_code == 1
    target = tmp_path / exporting.FILES[FORMATS[0]]
    assert result.output.splitlines()[-1].startswith(f"Error: outputs of {target} differ ")


def test_train_refuses_a_second_run(trained):
    folder = trained[0].parent
    config = folder.parent / "config.toml"
    result = run("train", "--config", str(config), "--into", str(folder), "--epochs", "1")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {folder} already has a run: add --resume, or choose another folder\n"
    )


def test_train_refuses_an_invalid_configuration(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("epoch = 1\n", encoding="utf-8")
    result = run("train", "--config", str(path), "--into", str(tmp_path / "run"))
    assert result.exit_code == 1
    assert result.output == f"Error: {path}: unknown key `epoch`: did you mean `epochs`?\n"
    assert not (tmp_path / "run").exists()


def test_a_training_without_a_finite_loss(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text("epochs = 2\n[optimizer]\nlearning_rate = 1e38\n", encoding="utf-8")
    result = run("train", "--config", str(config), "--into", str(tmp_path / "run"))
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == (
        "Error: no epoch had a finite `val_loss`, so there is no best model. "
        "Try a lower `learning_rate` in another folder"
    )
    assert not (tmp_path / "run/best.keras").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file/run"
    result = run("train", "--into", str(folder), "--config", config_of(tmp_path))
    assert result.exit_code == 1
    assert result.output == f"Error: {folder} was not written: Not a directory\n"


def test_choices_are_those_of_the_modules():
    assert [*distribution.STRATEGIES] == STRATEGIES
    assert [*exporting.FILES] == FORMATS


def test_missing_data(tmp_path, monkeypatch):
    def missing(**_):
        raise FileNotFoundError(2, "No such file or directory", "digits.csv.gz")

    monkeypatch.setattr("{{ cookiecutter.package }}.data.load_digits", missing)
    result = run("train", "--into", str(tmp_path / "run"), "--config", config_of(tmp_path))
    assert result.exit_code == 1
    assert result.output == (
        "Error: the data can't be read: [Errno 2] No such file or directory: 'digits.csv.gz'\n"
    )
    assert not (tmp_path / "run").exists()


def config_of(folder):
    path = folder / "config.toml"
    path.write_text("epochs = 1\n", encoding="utf-8")
    return str(path)
