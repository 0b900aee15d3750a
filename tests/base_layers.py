"""A class on every public layer of the installed Keras, and docs/base-layers.md, which lists them.

`python tests/base_layers.py` renews the page.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from scaffold.errors import UsageError
from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.render import Style, render
from scaffold.generation.spec import Request, make_spec
from scaffold.keras_source import public_layers

PAGE = Path(__file__).parent.parent / "docs" / "base-layers.md"
GAIN = "gain:float=1.0{>0}"
ABOUT = """\
`scaffold layer MyDense --base keras.layers.Dense` gives a class that derives from a layer of Keras,
with a test that holds it equal to its base, and that it comes back from a file.

- It hands its base's arguments on as `*args` and `**kwargs`, and `get_config` adds only its own to
  its base's. So it works where another version of Keras has other arguments: what was generated
  for Keras 3.15.1 passes its tests on 3.12.0.
- `call` names what its base's `call` takes, since Keras looks there for `training` and masks.
- `units=64` gives an argument of the base another default. It is then given by name only.
- A base without a `get_config` (`ELU`) keeps its full signature: Keras saves the arguments of such
  a class by itself, but not those of a class below it.
- `inspect.signature` shows `*args` and `**kwargs`. The docstring names the base's arguments, and
  `scaffold model --layer` and `scaffold check` find them in the source.
- `call` of a recurrent layer sees whole sequences only. To change a step, derive from its cell, as
  `keras.layers.LSTMCell` is, and pass that to `keras.layers.RNN`.
- Only a layer of Keras can be the base.

It is generated, and its tests pass, on TensorFlow, JAX and Torch, for these (`make sweep`, and
`make layers-oldest` and `make layers-newest` for other versions of Keras; aliases such as
`AvgPool2D` count by themselves):
"""


@cache
def classes() -> dict[str, dict[str, str] | UsageError]:
    """Return the generated files by name for each public layer, or why there are none."""
    catalog, found = Catalog.builtin(), dict[str, dict[str, str] | UsageError]()
    for name in public_layers():
        request = Request(
            "layer",
            f"Gained{name}",
            attributes=(read_attribute(GAIN),),
            base=f"keras.layers.{name}",
        )
        try:
            spec, _ = make_spec(catalog, request, "bases")
            sources = render(catalog, spec, Style(), spec.module, ["layer", "test"])
        except UsageError as error:
            found[name] = error
        else:
            layer, test = sources.values()
            found[name] = {f"{spec.module}.py": layer, f"test_{spec.module}.py": test}
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
            "Not for these:",
            "",
            "| Layer | Why |",
            "| --- | --- |",
            *why,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
