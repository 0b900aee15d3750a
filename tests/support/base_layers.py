"""A subclass of every public layer of the installed Keras, and docs/base-layers.md.

`python tests/support/base_layers.py` regenerates the page.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from scaffold.errors import UsageError
from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.keras_source import public_layers

PAGE = Path(__file__).parents[2] / "docs" / "base-layers.md"
GAIN = "gain:float=1.0{>0}"
ABOUT = """\
`scaffold layer MyDense --base keras.layers.Dense` generates a class that derives from a Keras
layer, with a test that it equals its base and survives saving and loading.

- It forwards its base's arguments as `*args` and `**kwargs`, and `get_config` adds only its own to
  its base's. So it works with versions of Keras that have other arguments: a class generated for
  Keras 3.15.1 passes its tests on 3.12.0.
- `call` has the named arguments of its base's `call`, since Keras looks there for `training` and
  masks.
- `units=64` changes the default of an argument of the base, which is then keyword-only.
- With a base without a `get_config` (`ELU`), the class has the full signature: Keras saves the
  arguments of such a base automatically, but not those of its subclasses.
- `inspect.signature` shows `*args` and `**kwargs`. The docstring lists the base's arguments, and
  `scaffold model --layer` and `scaffold check` find them in the source.
- `call` of a recurrent layer only sees whole sequences. To change a step, derive from its cell,
  such as `keras.layers.LSTMCell`, and pass that to `keras.layers.RNN`.
- Only a Keras layer can be the base.

The tests of the generated class pass on TensorFlow, JAX and Torch for these layers (`make sweep`,
and `make layers-oldest` and `make layers-newest` for other versions of Keras; aliases such as
`AvgPool2D` are listed separately):
"""


@cache
def classes() -> dict[str, dict[str, str] | UsageError]:
    """Return the generated files of each public layer by name, or why there are none."""
    catalog, found = Catalog.builtin(), dict[str, dict[str, str] | UsageError]()
    for name in public_layers():
        request = Request(
            "layer",
            f"Gained{name}",
            attributes=(read_attribute(GAIN),),
            base=f"keras.layers.{name}",
        )
        try:
            resolved = resolve(catalog, request, "bases")
            sources = render(catalog, resolved, Style(), resolved.spec.module, ["layer", "test"])
        except UsageError as error:
            found[name] = error
        else:
            layer, test = sources.values()
            module = resolved.spec.module
            found[name] = {f"{module}.py": layer, f"test_{module}.py": test}
    return found


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def page() -> str:
    """Return the text of docs/base-layers.md."""
    found = classes()
    refused = {name: error for name, error in found.items() if isinstance(error, UsageError)}
    works = [f"`{name}`" for name in found if name not in refused]
    why = [
        f"| `{name}` | {_capital(error.message)} {error.fix} |" for name, error in refused.items()
    ]
    return "\n".join(
        [
            "# Layers to derive from",
            "",
            ABOUT,
            f"{', '.join(works)}.",
            "",
            "Not supported:",
            "",
            "| Layer | Why |",
            "| --- | --- |",
            *why,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
