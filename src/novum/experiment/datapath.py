"""Whether a change of an experiment touches how its data are made or split, for a template with an evaluator.

The data come from the protected modules. So what counts is, function by function: the statements that name such a
module, those that set what came out of it or was made from that directly, and the places at which others use it.
It is a judgement by names, like that of `measuring`. A protected module that holds a network, and what the functions
of the script work out, are not data; a change that brings in data of another origin is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from novum.edits.python import syntax_tree

_IN_PLACE = frozenset({"append", "extend", "update", "add", "fill", "insert", "sort"})
_WAYS_ROUND = frozenset({"importlib", "__import__", "exec", "eval"})
_SIMPLE = (
    ast.Assign
    | ast.AugAssign
    | ast.AnnAssign
    | ast.Expr
    | ast.Return
    | ast.Import
    | ast.ImportFrom
    | ast.Delete
    | ast.Assert
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Names(NamedTuple):
    """What the names of a script stand for."""

    data: frozenset[str]
    """Modules and functions that data come from."""
    work: frozenset[str]
    """Its own functions and classes, and modules that hold networks: what they return is no data."""


def touches_data(old: str, new: str, protected: Mapping[str, str]) -> str:
    """Why a run of `new` (a Python source) is measured on other data than one of `old`, or "".

    `protected` are the protected Python files, name to source.

    Raises:
        SyntaxError: a source does not parse.
    """
    try:
        before, after = _data_code(old, protected), _data_code(new, protected)
    except RecursionError:
        return "an expression is nested too deep to tell whether the change touches the data"
    changed = sorted(before ^ after, key=lambda code: (len(code), code))
    return f"the change touches how the data are made or split: {changed[0][:160]}" if changed else ""


def _data_code(source: str, protected: Mapping[str, str]) -> set[str]:
    tree = syntax_tree(source)
    scopes = [n for n in tree.body if isinstance(n, _Function | ast.ClassDef)]
    networks = {_module(name) for name, text in protected.items() if _has_network(text)}
    modules = {_module(name) for name in protected} - networks
    own = {scope.name for scope in scopes} | _imported(tree, networks)
    names = _Names(_imported(tree, modules) | _WAYS_ROUND, frozenset(own))
    outside = list(_statements(tree))
    names = names._replace(data=names.data | _from_modules(outside, names))
    # Functions that hand on data are where data come from too.
    makers = {scope.name for scope in scopes if _hands_on(list(_statements(scope)), names)}
    names = _Names(names.data | makers, names.work - makers)
    code = _in_scope(outside, names)
    for scope in scopes:
        arguments = {a.arg for a in ast.walk(scope) if isinstance(a, ast.arg)}
        code |= _in_scope(list(_statements(scope)), names._replace(data=names.data - arguments))
    return code


# -- what a script is made of --------------------------------------------------------------------------


def _module(name: str) -> str:
    return name.removesuffix(".py").replace("/", ".")


def _has_network(source: str) -> bool:
    """Whether a module defines a class with a `forward` method."""
    try:
        classes = [n for n in ast.walk(syntax_tree(source)) if isinstance(n, ast.ClassDef)]
    except SyntaxError:
        return False
    return any(isinstance(n, ast.FunctionDef) and n.name == "forward" for c in classes for n in c.body)


def _imported(tree: ast.AST, modules: Collection[str]) -> frozenset[str]:
    """The names that imports anywhere in the script give to `modules` and to what is in them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {a.asname or a.name.split(".")[0] for a in node.names if a.name in modules}
        elif isinstance(node, ast.ImportFrom):
            whole = node.module or ""
            for a in node.names:
                if whole in modules or f"{whole}.{a.name}".lstrip(".") in modules:
                    found.add(a.asname or a.name)
    return frozenset(found)


def _statements(scope: ast.Module | _Function | ast.ClassDef) -> Iterator[ast.stmt]:
    """The simple statements of a function, or of the file outside its functions, and the heads of the others."""
    parts: list[ast.AST] = [scope]
    if isinstance(scope, ast.Module):
        parts = [n for n in scope.body if not isinstance(n, _Function | ast.ClassDef)]
    for node in (n for part in parts for n in ast.walk(part)):
        if isinstance(node, _SIMPLE):
            yield node
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield _assigned(node.target, node.iter)
        elif isinstance(node, ast.If | ast.While):
            yield ast.Expr(node.test)
        elif isinstance(node, ast.withitem):
            expression = node.context_expr
            yield _assigned(node.optional_vars, expression) if node.optional_vars else ast.Expr(expression)
        elif isinstance(node, ast.arguments):
            yield from (ast.Expr(default) for default in (*node.defaults, *node.kw_defaults) if default)


def _assigned(target: ast.expr, value: ast.expr) -> ast.Assign:
    return ast.copy_location(ast.Assign([target], value), value)


# -- what of it is about data --------------------------------------------------------------------------


def _in_scope(statements: list[ast.stmt], names: _Names) -> set[str]:
    """The code of one function that is about data."""
    data = _data_names(statements, names)
    code = set()
    for statement in statements:
        handed_on = (
            isinstance(statement, ast.Return) and data & _used(statement) and not _is_work(statement, names)
        )
        if handed_on or _mentions(statement, names.data) or data & set(_made(statement)):
            code.add(ast.unparse(statement))
        else:
            code |= set(_uses(statement, data))
    return code


def _data_names(statements: list[ast.stmt], names: _Names) -> set[str]:
    """What came out of a protected module, and what was made from that directly."""
    first = _from_modules(statements, names)
    derived = {name for s in statements if first & _used(s) and not _is_work(s, names) for name in _made(s)}
    return {*first, *derived}


def _from_modules(statements: list[ast.stmt], names: _Names) -> frozenset[str]:
    return frozenset(name for s in statements if _mentions(s, names.data) for name in _made(s))


def _hands_on(statements: list[ast.stmt], names: _Names) -> bool:
    """Whether a function returns or yields data."""
    data = _data_names(statements, names) | names.data
    return any(
        isinstance(s, ast.Return) or isinstance(getattr(s, "value", None), ast.Yield | ast.YieldFrom)
        for s in statements
        if data & _used(s) and not _is_work(s, names)
    )


def _mentions(statement: ast.stmt, data: Collection[str]) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return any((a.asname or a.name.split(".")[0]) in data for a in statement.names)
    return any(
        (isinstance(n, ast.Name) and n.id in data)
        or (isinstance(n, ast.Attribute) and n.attr == "modules" and _root(n) == "sys")
        for n in ast.walk(statement)
    )


def _is_work(statement: ast.stmt, names: _Names) -> bool:
    """Whether a statement calls a function or class of the script, or a network."""
    return any(isinstance(n, ast.Call) and _root(n.func) in names.work for n in ast.walk(statement))


def _used(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _made(statement: ast.stmt) -> Iterator[str]:
    """What a statement sets, wholly or in part, or changes in place (`x[0] = y`, `x.fill_(y)`, `x.append(y)`)."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield _root(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method = node.func.attr
            if method in _IN_PLACE or (method.endswith("_") and not method.startswith("_")):
                yield _root(node.func)


def _root(node: ast.expr) -> str:
    """The name with which a chain of attributes, items and calls begins, or ""."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _uses(statement: ast.stmt, data: Collection[str]) -> Iterator[str]:
    """Each place at which a statement uses data: what of them (`shown[chosen]`), and what it is given to."""
    parents = {child: node for node in ast.walk(statement) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in data:
            part: ast.AST = node
            while isinstance(above := parents[part], ast.Attribute | ast.Subscript) and above.value is part:
                part = above
            taker: ast.AST | None = part
            while taker is not None and not (isinstance(taker, ast.Call) and taker.func is not part):
                taker = parents.get(taker)
            given_to = ast.unparse(taker.func) if isinstance(taker, ast.Call) else ""
            yield f"{given_to}({ast.unparse(part)})"
