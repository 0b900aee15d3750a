"""Finds which values in a method are surely tensors, and where Python or NumPy uses one.

What is uncertain doesn't count as a tensor, so that every reported use is one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scaffold.conformance.instruments.kinds import (
    FREE_SIZES,
    ITERATORS,
    KERAS,
    NUMBERS,
    SOME_BACKENDS,
    STATIC,
    STRUCTURES,
    UNKNOWN,
    Kind,
    all_tensors,
    arguments,
    arithmetic,
    asked_types,
    is_word,
    least,
)
from scaffold.conformance.instruments.reach import Methods, Reached

Take = Literal["truth", "number", "iteration", "size", "numpy", "method"]
Held = Literal["variable", "layer", "other"]


@dataclass(frozen=True)
class Use:
    """A use of a tensor that only some backends allow.

    Args:
        take: `truth`: used as a condition; `number`: converted to a Python number; `iteration`;
            `size`: its values determine a shape; `numpy`: passed to NumPy; `method`: an attribute
            that only the tensors of some backends have.
        node: The node that uses it.
        reached: The function that contains the node.
    """

    take: Take
    node: ast.AST
    reached: Reached


class Taint:
    """The uses of tensors in `call` and what it runs.

    Args:
        methods: The methods of the class.
        held: Tells what an attribute of the layer is.
    """

    def __init__(self, methods: Methods, held: Callable[[str], Held]) -> None:
        self.methods = methods
        self.held = held
        self.silent = 0  # while it is not yet known what is certain
        self._results: dict[tuple[Any, ...], Kind] = {}
        self._uses: dict[tuple[Take, ast.AST], Use] = {}

    def uses(self, given: Mapping[str, Kind]) -> list[Use]:
        """Return all uses, given the kinds of the parameters of `call`."""
        call = self.methods.find("call")
        if call:
            self.result(call, given)
        return list(self._uses.values())

    def result(self, reached: Reached, given: Mapping[str, Kind]) -> Kind:
        """Return the kind of what a function returns for arguments of these kinds."""
        key = reached.function, tuple(sorted(given.items())), bool(self.silent)
        if key not in self._results:
            self._results[key] = Kind.OTHER  # for recursive functions
            flow = _Flow(self, reached, given)
            flow.run(reached.function.body)
            self._results[key] = min(flow.returned, default=Kind.OTHER)
        return self._results[key]

    def add(self, use: Use) -> None:
        """Add a use, once."""
        self._uses.setdefault((use.take, use.node), use)


class _Flow:
    """What the names of one function hold, statement by statement."""

    def __init__(self, taint: Taint, reached: Reached, given: Mapping[str, Kind]) -> None:
        self._taint = taint
        self._reached = reached
        asked = asked_types(reached.function)
        self._known = {name: kind for name, kind in given.items() if name not in asked}
        self.returned: list[Kind] = []

    def run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                kind = self._kind(value)
                for target in targets:
                    self._bind(target, kind, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, self._kind(value), value)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                kinds = self._known.get(name, Kind.OTHER), self._kind(value)
                self._known[name] = arithmetic(op, *kinds)
            case ast.Return(value=value):
                self.returned.append(self._kind(value) if value else Kind.OTHER)
            case ast.If(test=test, body=body, orelse=orelse):
                self._truth(test)
                self._branches(body, orelse)
            case ast.While(test=test, body=body):
                self._loop(lambda: self._truth(test), body)
            case ast.For(target=target, iter=iterable, body=body):
                self._loop(lambda: self._bind_item(target, iterable), body)
            case ast.With(items=items, body=body):
                for item in items:
                    self._kind(item.context_expr)
                self.run(body)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                self._branches([*body, *orelse], *(handler.body for handler in handlers))
                self.run(final)
            case ast.Assert(test=test):
                self._truth(test)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                self._known.pop(name, None)
            case _:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self._kind(child)

    def _branches(self, *bodies: list[ast.stmt]) -> None:
        before, ends = dict(self._known), []
        for body in bodies:
            self._known = dict(before)
            self.run(body)
            if not (body and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue)):
                ends.append(self._known)
        self._known = least(ends) if ends else before

    def _loop(self, enter: Callable[[], None], body: list[ast.stmt]) -> None:
        """Run a loop: first until it is known what its names hold from the second iteration on."""
        self._taint.silent += 1
        for _ in range(3):
            before = dict(self._known)
            enter()
            self.run(body)
            self._known = least([before, self._known])
        self._taint.silent -= 1
        before = dict(self._known)
        enter()
        self.run(body)
        self._known = least([before, self._known])

    def _bind(self, target: ast.expr, kind: Kind, value: ast.expr | None = None) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self._known[name] = kind
            case ast.Tuple(elts=parts) | ast.List(elts=parts), ast.Tuple(elts=values) if len(
                parts
            ) == len(values):
                kinds = [self._quiet(each) for each in values]
                for part, each in zip(parts, kinds, strict=True):
                    self._bind(part, each)
            case ast.Tuple(elts=parts) | ast.List(elts=parts), _:
                if kind is Kind.TENSOR and value is not None:
                    self._use("iteration", value)
                for part in parts:
                    self._bind(part, kind)
            case ast.Starred(value=inner), _:
                self._bind(inner, min(kind, Kind.TENSORS))

    def _bind_item(self, target: ast.expr, iterable: ast.expr) -> None:
        kind = self._kind(iterable)
        if kind is Kind.TENSOR:
            self._use("iteration", iterable)
        self._bind(target, Kind.OTHER if kind is Kind.DICT else kind)

    def _quiet(self, node: ast.expr) -> Kind:
        self._taint.silent += 1
        kind = self._kind(node)
        self._taint.silent -= 1
        return kind

    def _use(self, take: Take, node: ast.AST) -> None:
        if not self._taint.silent:
            self._taint.add(Use(take, node, self._reached))

    def _truth(self, test: ast.expr) -> None:
        if self._kind(test) is Kind.TENSOR:
            self._use("truth", test)

    def _kind(self, node: ast.expr) -> Kind:
        match node:
            case ast.Name(id=name):
                return self._known.get(name, Kind.OTHER)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=value, slice=index):
                return self._item(node, self._kind(value), index)
            case ast.BinOp(left=left, op=op, right=right):
                return arithmetic(op, self._kind(left), self._kind(right), left)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._truth(operand)
                return Kind.OTHER
            case ast.UnaryOp(operand=operand):
                return self._kind(operand)
            case ast.BoolOp(values=values):
                for value in values[:-1]:
                    self._truth(value)
                return min(self._kind(value) for value in values)
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._truth(test)
                return min(self._kind(body), self._kind(orelse))
            case ast.NamedExpr(target=target, value=value):
                kind = self._kind(value)
                self._bind(target, kind)
                return kind
        return self._structure(node)

    def _structure(self, node: ast.expr) -> Kind:
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return all_tensors(self._kind(part) for part in parts)
            case ast.Dict(values=parts):
                return all_tensors([self._kind(part) for part in parts])
            case ast.ListComp(elt=part, generators=generators) | ast.GeneratorExp(
                elt=part, generators=generators
            ):
                for generator in generators:
                    self._bind_item(generator.target, generator.iter)
                    for test in generator.ifs:
                        self._truth(test)
                return all_tensors([self._kind(part)])
            case ast.Starred(value=value):
                return min(self._kind(value), Kind.TENSORS)
            case ast.Lambda():
                return Kind.OTHER
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._kind(child)
        return Kind.OTHER

    def _attribute(self, node: ast.Attribute) -> Kind:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            held = self._reached.is_method and self._taint.held(node.attr) == "variable"
            return Kind.TENSOR if held else Kind.OTHER
        kind = self._kind(node.value)
        is_variable = isinstance(node.value, ast.Attribute)
        if kind is Kind.TENSOR and node.attr in SOME_BACKENDS and not is_variable:
            self._use("method", node)
        return Kind.OTHER

    def _item(self, node: ast.Subscript, kind: Kind, index: ast.expr) -> Kind:
        chosen = self._kind(index)
        if kind is Kind.TENSOR and chosen is Kind.TENSOR and isinstance(index, ast.Compare):
            self._use("size", node)
        return Kind.TENSORS if kind is Kind.DICT else kind

    def _comparison(self, node: ast.Compare) -> Kind:
        kinds = [self._kind(part) for part in (node.left, *node.comparators)]
        if any(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in node.ops):
            return Kind.OTHER
        if any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            other = (part for part in (node.left, *node.comparators) if is_word(part))
            return Kind.TENSOR if max(kinds) is Kind.TENSOR and not any(other) else Kind.OTHER
        if max(kinds) <= Kind.DICT:
            return Kind.OTHER
        if len(node.ops) > 1:
            self._use("truth", node)
        return Kind.TENSOR

    def _call(self, node: ast.Call) -> Kind:
        given = [self._kind(argument) for argument in node.args]
        named = {word.arg: self._kind(word.value) for word in node.keywords}
        most = max([Kind.OTHER, *given, *named.values()])
        most = Kind.TENSORS if most is Kind.DICT else most
        if full := self._reached.names.full(node.func):
            return self._imported(node, full, most)
        if isinstance(node.func, ast.Name) and node.func.id not in self._known:
            self._builtin(node, node.func.id, given)
        if reached := self._taint.methods.called(self._reached, node):
            return self._taint.result(reached, arguments(reached, node, given, named))
        return self._unknown(node.func, most)

    def _unknown(self, function: ast.expr, most: Kind) -> Kind:
        match function:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                is_layer = self._taint.held(name) == "layer"
                return min(most, Kind.TENSORS) if is_layer else Kind.OTHER
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="call"):
                return min(most, Kind.TENSORS)
            case ast.Name(id="abs"):
                return most
        self._kind(function)
        return Kind.OTHER

    def _imported(self, node: ast.Call, full: str, most: Kind) -> Kind:
        name = full.rpartition(".")[2]
        if full.startswith(("numpy.", "scipy.", "math.")):
            if most is not Kind.OTHER:
                self._use("numpy", node)
            return Kind.OTHER
        if full.startswith("keras.random.") and name != "SeedGenerator":
            return Kind.TENSOR
        if not full.startswith(KERAS) or most is Kind.OTHER:
            return Kind.OTHER
        if name == "convert_to_numpy":
            self._use("numpy", node)
        if name in FREE_SIZES or (name == "where" and len(node.args) + len(node.keywords) == 1):
            self._use("size", node)
        if name in STATIC | UNKNOWN:
            return Kind.OTHER
        return Kind.TENSORS if name in STRUCTURES else Kind.TENSOR

    def _builtin(self, node: ast.Call, name: str, given: list[Kind]) -> None:
        if Kind.TENSOR not in given:
            return
        if name in NUMBERS:
            self._use("number", node)
        elif name in ITERATORS and (given[0] is Kind.TENSOR or name in ("zip", "min", "max")):
            self._use("iteration", node)
