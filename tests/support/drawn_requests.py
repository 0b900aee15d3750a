"""Random requests over the manifests: a template, its options, and defaults of its attributes."""

from __future__ import annotations

import random
from collections.abc import Iterator

from scaffold.generation.attributes import REQUIRED, Attribute
from scaffold.generation.attributes.grammar import Assignment
from scaffold.generation.catalog import Catalog
from scaffold.generation.request import Request
from scaffold.generation.template import Template, TemplateAttribute

CATALOG = Catalog.builtin()
# Small values, edge cases, and numbers with and without common divisors.
_WHOLE = (-2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 10, 12)
_REAL = (-0.5, 0.0, 0.1, 0.25, 0.5, 0.9, 1.0, 2.0)
_SIDES = (1, 4, 7, 8, 12, 16, 24, 32)


def templates() -> list[Template]:
    """Return all templates except the one whose attributes come from a Keras class."""
    found = [template for target in ("layer", "model") for template in CATALOG.templates(target)]
    return [template for template in found if not template.base]


def draw(rng: random.Random, template: Template, name: str) -> Request:
    """Return a random request for a template, which may contain contradictions.

    Every attribute gets a default, so that the class can be created without arguments.
    """
    options = {option.name: rng.choice(option.values) for option in template.options}
    assigned = []
    for rule in template.attributes_for(options):
        if rule.default is REQUIRED or rng.random() < 0.5:
            text = _typed(rng, rule, rule.resolve(options))
            assigned.append(Assignment(rule.name, text, f"{rule.name}={text}"))
    spelled = {option: str(value).lower() for option, value in options.items()}
    given = tuple(one for one in assigned if one.value != _NO_DEFAULT)
    return Request(template.target, name, template.name, "pkg", spelled, given)


def draw_several(seed: int, template: Template, number: int) -> Iterator[Request]:
    """Yield a few reproducible requests with different names."""
    rng = random.Random(f"{seed} {template.target} {template.name}")
    words = template.name.title().replace("_", "")
    for index in range(number):
        yield draw(rng, template, f"Drawn{template.target.capitalize()}{words}{index}")


# A layer is never a default.
_NO_DEFAULT = ""


def _typed(rng: random.Random, rule: TemplateAttribute, attribute: Attribute) -> str:
    """Return a random value as typed on the command line."""
    if attribute.optional and rng.random() < 0.3:
        return "None"
    kind = attribute.type
    match kind.keyword:
        case "layer":
            return _NO_DEFAULT
        case "ints" if rule.shape:
            return f"{rng.choice(_SIDES)},{rng.choice(_SIDES)},{rng.choice((1, 3))}"
        case "ints":
            length = getattr(kind, "length", None) or rng.randint(0, 4)
            numbers = [rng.choice(_allowed(attribute, _WHOLE)) for _ in range(length)]
            return ",".join(numbers) or "()"
        case "int":
            return rng.choice(_allowed(attribute, _WHOLE))
        case "float":
            return rng.choice(_allowed(attribute, _REAL))
        case "seed":
            return str(rng.randint(0, 9))
        case "str":
            return rng.choice(("a", "bc", "...x,xy->...y"))
    return rng.choice(kind.completions())


def _allowed(attribute: Attribute, numbers: tuple[float, ...]) -> list[str]:
    constraint = attribute.type.constraint  # type: ignore[attr-defined]
    return [str(number) for number in numbers if constraint.allows(number)]
