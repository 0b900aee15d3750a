"""Adding a class to the text of an `__init__.py`."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from scaffold.generation.imports import as_isort
from scaffold.package_init.listed import Listed
from scaffold.package_init.place import with_import
from scaffold.package_init.read import ALL, Import, Init, NotUnderstoodError, Statement
from scaffold.package_init.splice import Row, place
from scaffold.package_init.style import Style


def with_export(source: str, module: str, name: str) -> str:
    """Return the text of an `__init__.py` that imports `name`, and has it in its `__all__`.

    The import is absolute, unless most imports of the package's own modules are relative. An empty
    file gets an `__all__`; any other file without one stays without.

    Args:
        source: The current text.
        module: The dotted name of the class's module, one of the package's own.
        name: The class.

    Raises:
        NotUnderstoodError: If the text is not valid Python, computes its `__all__`, imports in an
            unusual way, or binds the name to something else.
    """
    init = Init.read(source, module.rpartition(".")[0])
    if init.imports(module, name):
        return source
    own = [one for one in init.imports_at_top() if one.own]
    _refuse(init, name, own)
    listed = Listed.find(init)
    style = Style.of(init, own, is_listed=listed is not None)
    body = list(init.tree.body)
    if listed is not None:
        body[listed.index] = listed.with_name(body[listed.index], name)
    fellow = next((one for one in own if _takes_more(one) and init.is_of(one, module)), None)
    if fellow is not None and not style.doubled:
        body[fellow.index] = _with_alias(fellow, name)
    else:
        lines = [style.source(module, name), *[f'{ALL} = ["{name}"]'] * style.begins]
        body = with_import(init, body, lines)
    return _code(init.tree, body)


def _refuse(init: Init, name: str, own: Sequence[Import]) -> None:
    if name in init.bound:
        line = init.bound[name][0][1]
        why = f"line {line} binds `{name}` to something else"
        raise NotUnderstoodError(why, instead="another name, or")
    if own:
        return
    if "__getattr__" in init.bound:
        line = init.bound["__getattr__"][0][1]
        raise NotUnderstoodError(f"line {line} defines `__getattr__`, which may import")
    for node, line in (one for bindings in init.bound.values() for one in bindings):
        if init.is_own(node):
            raise NotUnderstoodError(f"line {line} imports inside an `if` or `try`")


def _takes_more(one: Import) -> bool:
    """Return whether isort would add another name to this line."""
    return (
        len(one.line.body) == 1
        and bool(one.aliases)
        and all(alias.asname is None for alias in one.aliases)
    )


def _with_alias(one: Import, name: str) -> cst.SimpleStatementLine:
    [statement] = one.line.body
    assert isinstance(statement, cst.ImportFrom)
    index = place([as_isort(alias.evaluated_name) for alias in one.aliases], as_isort(name))
    none = cst.SimpleWhitespace("")
    opening = statement.lpar.whitespace_after if statement.lpar else none
    closing = statement.rpar.whitespace_before if statement.rpar else none
    row = Row(opening, one.aliases, closing).with_element(index, cst.ImportAlias(cst.Name(name)))
    changed = statement.with_changes(
        names=row.elements,
        rpar=statement.rpar and statement.rpar.with_changes(whitespace_before=row.closing),
    )
    return one.line.with_changes(body=[changed])


def _code(tree: cst.Module, body: Sequence[Statement]) -> str:
    if tree.body:
        return tree.with_changes(body=body).code
    header = tree.header if any(line.comment for line in tree.header) else []
    return tree.with_changes(body=body, header=header, has_trailing_newline=True).code
