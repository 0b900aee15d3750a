"""The names that Keras has taken are those of the Keras installed: `make names` renews them."""

from tools.keras_names import TARGET, source


def test_names_are_those_of_the_installed_keras() -> None:
    assert TARGET.read_text(encoding="utf-8") == source()
