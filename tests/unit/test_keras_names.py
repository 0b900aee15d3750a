"""The names that Keras uses are those of the installed Keras: `make names` regenerates them."""

from tools.keras_names import TARGET, source


def test_names_are_those_of_the_installed_keras() -> None:
    assert TARGET.read_text(encoding="utf-8") == source()
