"""`--base` works for every public layer of the installed Keras, or says why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from base_layers import PAGE, classes, page
from conftest import Warm
from generated_tests import JUDGES, assert_passes
from scaffold.conformance.backends import BACKENDS
from scaffold.errors import UsageError
from scaffold.generation.catalog import Catalog
from scaffold.keras_source import public_layers


@pytest.mark.proof(
    *JUDGES, "tests/support/base_layers.py", "templates/layer", "templates/_macros", "scaffold"
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_class_equals_its_base(
    backend: str, warm: Warm, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    generated = [files for files in classes().values() if not isinstance(files, UsageError)]
    if not pytestconfig.getoption("--every-backend"):
        generated = generated[BACKENDS.index(backend) :: len(BACKENDS)]
    for files in generated:
        for name, source in files.items():
            (tmp_path / name).write_text(source)
    report = tmp_path / "report.xml"
    tested = assert_passes(backend, [tmp_path], report, python=warm(backend))
    assert tested.tests >= 5 * len(generated)


def test_the_page_lists_every_layer() -> None:
    assert PAGE.read_text() == page()


def test_public_layers_are_those_that_keras_exports() -> None:
    script = (
        "import keras\n"
        "for name, value in sorted(vars(keras.layers).items()):\n"
        "    if isinstance(value, type) and issubclass(value, keras.layers.Layer):\n"
        "        print(name)\n"
    )
    exported = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert public_layers() == exported.stdout.split()


def test_each_built_in_of_a_template_can_be_derived_from() -> None:
    named = {
        built_in
        for template in Catalog.builtin().templates("layer")
        for options in template.variants()
        if (built_in := template.built_in(options))
    }
    assert len(named) > 40
    works = {f"keras.layers.{name}" for name, one in classes().items() if isinstance(one, dict)}
    assert named <= works


def test_reading_imports_no_keras() -> None:
    script = (
        "import sys\n"
        "from scaffold.keras_source import read_base\n"
        "read_base('Dense')\n"
        "print('keras' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
