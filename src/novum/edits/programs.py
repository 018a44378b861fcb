"""What a Python source does, apart from how it is written: comments, layout, docstrings and names do not count."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from novum.edits.python import syntax_tree

_TOO_DEEP = "an expression is nested too deep to be compared"


def same_program(old: str, new: str) -> bool:
    """Whether two sources differ in comments, layout and docstrings at most.

    Raises:
        SyntaxError: a source does not parse, or is nested too deep to be compared.
    """
    return _text(_stripped(old)) == _text(_stripped(new))


def same_but_for_names(old: str, new: str) -> bool:
    """Whether one source becomes the other when names that it defines itself are exchanged, one for one.

    Raises:
        SyntaxError: a source does not parse, or is nested too deep to be compared.
    """
    return _renamed(_stripped(old)) == _renamed(_stripped(new))


def imported_names(source: str, without: Collection[str] = ()) -> tuple[str, ...]:
    """What the imports at the top of a file are called there (`np (numpy)`, `math`), those `without` left out.

    Raises:
        SyntaxError: it does not parse.
    """
    found = []
    for node in syntax_tree(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            found += [
                f"{a.asname} ({a.name})" if a.asname else a.name
                for a in node.names
                if not {a.name, getattr(node, "module", "")} & set(without)
            ]
    return tuple(found)


def _stripped(source: str) -> ast.Module:
    """The syntax tree without docstrings and other constants that stand alone."""
    tree = syntax_tree(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            node.body = kept  # type: ignore[attr-defined]
    return tree


def _renamed(tree: ast.Module) -> str:
    """The tree as text, every name that it gives itself replaced by its place in the order of appearance."""
    try:
        return _text(_Renamer().visit(tree))
    except RecursionError:
        raise SyntaxError(_TOO_DEEP) from None


def _text(tree: ast.AST) -> str:
    try:
        return ast.dump(tree)
    except RecursionError:
        raise SyntaxError(_TOO_DEEP) from None


class _Renamer(ast.NodeTransformer):
    """Gives the variables of each function, and the functions and variables of the file, names by their order.

    Imports, attributes, keywords of calls and what a class holds keep their names: others may go by them.
    """

    def __init__(self) -> None:
        self._scopes: list[dict[str, str]] = []

    def visit_Module(self, node: ast.Module) -> ast.AST:
        return self._within(node, _stored(node.body))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._stand_in(node.name)
        own = [a.arg for a in ast.walk(node) if isinstance(a, ast.arg)]
        return self._within(node, [*own, *_stored(node.body)])

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._stand_in(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._stand_in(node.arg)
        return self.generic_visit(node)

    def _within(self, node: ast.AST, names: Iterable[str]) -> ast.AST:
        level = len(self._scopes)
        self._scopes.append({name: f"name_{level}_{n}" for n, name in enumerate(dict.fromkeys(names))})
        self.generic_visit(node)
        self._scopes.pop()
        return node

    def _stand_in(self, name: str) -> str:
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), name)


def _stored(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that statements set in their own scope, in order: not those inside functions and classes."""
    left: list[ast.AST] = list(body)
    while left:
        node = left.pop(0)
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif not isinstance(node, ast.ClassDef | ast.AsyncFunctionDef | ast.Lambda):
            left = [*ast.iter_child_nodes(node), *left]
