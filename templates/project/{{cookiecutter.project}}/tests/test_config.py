"""Valid configurations, and the errors for invalid ones."""

from pathlib import Path

import pytest

from {{ cookiecutter.package }}.config import Config, ConfigError, OptimizerConfig, load_config

ROOT = Path(__file__).parents[1]


def load(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_the_config_of_the_project_has_the_defaults():
    assert load_config(ROOT / "config.toml") == Config()


def test_reads_every_kind_of_value(tmp_path):
    config = load(
        tmp_path,
        'dtype_policy = "mixed_bfloat16"\n[optimizer]\nglobal_clipnorm = 1\nuse_ema = true\n',
    )
    optimizer = OptimizerConfig(global_clipnorm=1.0, use_ema=True)
    assert config == Config(dtype_policy="mixed_bfloat16", optimizer=optimizer)


def test_the_number_of_epochs_can_be_overridden(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("epochs = 3\n", encoding="utf-8")
    assert load_config(path, epochs=7) == Config(epochs=7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown key `epoch`: did you mean `epochs`?"),
        ("[optimiser]", "unknown key `optimiser`: did you mean `optimizer`?"),
        ("[optimizer]\nrate = 1.0", "unknown key `optimizer.rate`"),
        ("optimizer = 3", "`optimizer` must be a table: write [optimizer]"),
        ("epochs = 2.5", "`epochs` must be of type int. Received: 2.5"),
        ("epochs = true", "`epochs` must be of type int. Received: True"),
        (
            "[optimizer]\nglobal_clipnorm = 'big'",
            "`optimizer.global_clipnorm` must be of type float. Received: 'big'",
        ),
        ("epochs = 0", "`epochs` must be positive"),
        ("batch_size = 0", "`batch_size` must be positive"),
        ("seed = -1", "`seed` must be between 0 and 4294967295"),
        ("seed = 4294967296", "`seed` must be between 0 and 4294967295"),
        (
            "dtype_policy = 'float8'",
            "`dtype_policy` must be one of float32, mixed_bfloat16, mixed_float16",
        ),
        ("[optimizer]\nlearning_rate = 0", "`optimizer.learning_rate` must be positive"),
        ("[optimizer]\nwarmup_epochs = -1", "`optimizer.warmup_epochs` must be at least 0"),
        ("[optimizer]\nschedule = 'cos'", "`optimizer.schedule` must be one of constant, cosine"),
        ("[optimizer]\nweight_decay = -0.1", "`optimizer.weight_decay` must be at least 0"),
        ("[optimizer]\nglobal_clipnorm = 0.0", "`optimizer.global_clipnorm` must be positive"),
        (
            "[optimizer]\ngradient_accumulation_steps = 1",
            "`optimizer.gradient_accumulation_steps` must be at least 2",
        ),
        ("[optimizer]\nema_momentum = 2.0", "`optimizer.ema_momentum` must be between 0 and 1"),
        ("[early_stopping]\npatience = 0", "`early_stopping.patience` must be at least 1"),
    ],
)
def test_refuses(tmp_path, text, message):
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert error.value.message == f"{tmp_path / 'config.toml'}: {message}"


def test_refuses_invalid_toml(tmp_path):
    with pytest.raises(ConfigError, match=r"config.toml is not valid TOML: "):
        load(tmp_path, "epochs 3")


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"missing.toml not found$"):
        load_config(tmp_path / "missing.toml")
