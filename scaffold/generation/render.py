"""From a spec and a template to text: sandboxed Jinja, then black."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaffold.errors import ScaffoldError, UsageError
from scaffold.generation.catalog import Catalog
from scaffold.generation.formatting import LINE_LENGTH, black_mode, format_source
from scaffold.generation.imports import Imports
from scaffold.generation.spec import Argument, Resolved, Spec
from scaffold.generation.template import fill

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

# Stands for a space in backticks while lines are wrapped: no text may contain it.
_NO_BREAK = "\0"


@dataclass(frozen=True)
class Style:
    """How generated files look, whatever is in them.

    Args:
        license_header: The comment lines that each file begins with.
        black: The keys of a `[tool.black]` table.
    """

    license_header: str = ""
    black: Mapping[str, Any] = field(default_factory=dict)


def render(
    catalog: Catalog, resolved: Resolved, style: Style, module: str, files: Sequence[str]
) -> dict[str, str]:
    """Return the generated files, formatted.

    Args:
        catalog: The templates.
        resolved: The spec, resolved.
        style: How the files look.
        module: The dotted name under which a test imports the class.
        files: Which of the template's files: the target's name for the class, `test` for its
            tests, `train` for its training script.

    Raises:
        UsageError: If a name in the spec is one that a file itself needs.
        ScaffoldError: If the template is wrong.
    """
    spec, template = resolved.spec, resolved.template
    if template.base and template.sample is None and "test" in files:
        raise UsageError(
            f"no test can be written: the inputs of `{template.source}` are not known",
            fix="Use --no-tests to generate the class alone.",
        )
    mode = black_mode(style.black)
    environment = _environment(catalog.folders, catalog.compiled, mode.line_length)
    header = "".join(f"# {line}".rstrip() + "\n" for line in style.license_header.splitlines())
    sources = {}
    facts = _facts(resolved, module)
    for file in files:
        source = f"{spec.target}/{spec.template}/{file}.py.jinja"
        text = _rendered(environment, source, {**facts, "imports": Imports(module)})
        sources[file] = format_source(header + text, mode=mode)
        _check_bindings(sources[file], spec)
    return sources


def render_file(catalog: Catalog, source: str, module: str, facts: Mapping[str, Any]) -> str:
    """Return a formatted file that belongs to no spec, such as a script that uses a class.

    Args:
        catalog: Where the template is found.
        source: The template's path there.
        module: The dotted name of the module that it imports.
        facts: The template's variables.

    Raises:
        ScaffoldError: If the template is wrong.
    """
    mode = black_mode({})
    environment = _environment(catalog.folders, catalog.compiled, mode.line_length)
    text = _rendered(environment, source, {**facts, "imports": Imports(module)})
    return format_source(text, mode=mode)


def _rendered(environment: SandboxedEnvironment, source: str, context: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError

    try:
        return environment.get_template(source).render(context)
    except TemplateError as error:
        raise ScaffoldError(
            f"the template {source} is wrong: {error}", fix="Please report it with the command."
        ) from error


def compile_templates(catalog: Catalog, into: Path) -> None:
    """Compile the templates of a catalog, as they are used, for the wheel."""
    from scaffold.generation.precompiled import precompile

    precompile(_environment(catalog.folders, None, LINE_LENGTH), into)


@cache
def _environment(
    folders: tuple[Path, ...], compiled: Path | None, line_length: int
) -> SandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from scaffold.generation.precompiled import Precompiled

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        extensions=["jinja2.ext.do"],
        optimized=False,
        bytecode_cache=Precompiled(compiled) if compiled else None,
    )
    prose = _Prose(line_length)
    environment.filters.update(
        literal=repr,
        quoted=lambda name: f"`{name}`",
        enumerated=_enumerated,
        sentence=_sentence,
        tight=_tight,
        without=_without,
        prose=prose.paragraphs,
        entry=prose.entry,
        comment=prose.comment,
        example=prose.example,
        refusal=prose.refusal,
        literals=prose.literals,
    )
    # A template's module is created once; an `import` in a loop would create it each time.
    environment.globals["macros"] = lambda type_: environment.get_template(
        f"_macros/types/{type_.keyword}.jinja"
    ).module
    return environment


def _facts(resolved: Resolved, module: str) -> dict[str, Any]:
    """Return a template's variables, except for what it collects itself."""
    spec, template, arguments = resolved.spec, resolved.template, resolved.arguments
    composition = resolved.composition
    return {
        "name": spec.name,
        "module": module,
        "package": spec.package,
        "options": dict(spec.options),
        "source": fill(template.source, spec.options),
        "arguments": arguments,
        "by_name": {argument.attribute.name: argument for argument in arguments},
        "rules": template.rules_for(spec.options),
        "own": [argument for argument in arguments if argument.rule is None],
        # What a drop-in for a Keras class leaves out.
        "left_out": {} if _is_its_own(arguments) else template.left_out_for(spec.options),
        "base": template.base_layer,
        "sample": template.sample,
        "training": template.training_for(spec.options),
        "composition": composition and composition.within(module.rpartition(".")[0]),
        "compiled": {
            "loss": spec.compiled.loss_source(),
            "metrics": spec.compiled.metric_sources(),
            "optimizer": spec.compiled.optimizer_source(),
        },
    }


def _is_its_own(arguments: Sequence[Argument]) -> bool:
    """Return whether a class has arguments or defaults that the template does not have."""
    return any(argument.rule is None or argument.assigned for argument in arguments)


@dataclass(frozen=True)
class _Prose:
    """Text wrapped to the line length of a generated file."""

    line_length: int

    def paragraphs(self, text: str, indent: int = 4) -> str:
        """Wrap the paragraphs of a docstring; those indented by four are kept unchanged."""
        margin = " " * indent
        parts = []
        for part in text.strip().split("\n\n"):
            if part.startswith("    "):
                parts.append(textwrap.indent(_docstring(part), margin))
            else:
                parts.append(self._fill(" ".join(part.split()), margin, margin))
        return "\n\n".join(parts).lstrip()

    def entry(self, text: str, indent: int = 8) -> str:
        """Wrap an entry of an `Args` section, with its further lines indented."""
        return self._fill(" ".join(text.split()), " " * indent, " " * (indent + 4)).lstrip()

    def comment(self, text: str, indent: int = 8) -> str:
        """Wrap a comment."""
        return self._fill(text, " " * indent + "# ", " " * indent + "# ")

    def example(self, name: str, arguments: str, variable: str = "layer") -> str:
        """Return the line or lines of a docstring's example that create a layer."""
        line = f">>> {variable} = {name}({arguments})"
        if len(line) + 4 <= self.line_length:
            return line
        inner = self._fill(arguments, "    ...     ", "    ...     ").lstrip()
        return f">>> {variable} = {name}(\n{inner}\n... )".replace("\n    ...", "\n...")

    def refusal(self, name: str, text: str, indent: int = 16) -> str:
        """Return the error message about an argument, in one literal if that fits its line."""
        article = "" if text.startswith(("'", '"')) else "an " if text[0] in "aeiou" else "a "
        first = _in_quotes(f"`{name}` must be {article}{text}.")
        second = f"Received: {name}={{{name}!r}}"
        whole = f'f"{_in_braces(first)} {second}"'
        if len(whole) + indent <= self.line_length:
            return whole
        return f'{self.literals(f"{first} ", indent=indent)}\nf"{second}"'

    def literals(self, text: str, prefix: str = "", indent: int = 16) -> str:
        """Return a text as literals, one per line, with spaces between them."""
        width = max(self.line_length - indent - len(prefix) - 3, 20)
        lines = textwrap.wrap(
            _unbroken(text), width, break_long_words=False, break_on_hyphens=False
        )
        ends = [" "] * (len(lines) - 1) + [text[len(text.rstrip()) :]]
        pairs = zip(lines, ends, strict=True)
        return "\n".join(f'{prefix}"{line}{end}"' for line, end in pairs).replace(_NO_BREAK, " ")

    def _fill(self, text: str, first: str, further: str) -> str:
        # At the beginning of a line, doctest would run it.
        unbroken = re.sub(" (?=>>>)", _NO_BREAK, _unbroken(text))
        filled = textwrap.fill(
            _docstring(unbroken),
            width=max(self.line_length, 40),
            initial_indent=first,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return filled.replace(_NO_BREAK, " ")


def _enumerated(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1])] * (len(parts) > 1) + [*parts[-1:]])


def _unbroken(text: str) -> str:
    """Replace spaces in backticks, so that wrapping does not break there."""
    return re.sub("`[^`]*`", lambda code: code[0].replace(" ", _NO_BREAK), text)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _tight(text: str) -> str:
    """Remove the blank lines that macros leave in code."""
    return "".join(line + "\n" for line in text.splitlines() if line.strip())


def _without(text: str, key: str) -> str:
    """Remove the entry of `key` from the entries of a dict, one per line."""
    lines = (line for line in text.splitlines() if not key or not line.strip().startswith(key))
    return "".join(f"{line}\n" for line in lines)


def _docstring(text: str) -> str:
    """Escape `text` for use between triple quotes."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _in_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _in_braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _check_bindings(source: str, spec: Spec) -> None:
    """Refuse a class name that the file also binds to something else."""
    name = re.escape(spec.name)
    defined = rf"(?:class|def) {name}\b"
    assigned = rf"(?:\w+, )*{name}(?:, \w+)* ="
    imported = rf"(?:from|import) .*\b{name}(?:,|$)"
    binding = rf"^(?:{defined}|{assigned}|{imported})"
    if len(re.findall(binding, source, flags=re.MULTILINE)) > 1:
        raise UsageError(
            f"`{spec.name}` is already used in the generated test",
            fix=f"Call it `My{spec.name}`, for example.",
        )
