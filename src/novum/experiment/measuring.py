"""Which statements of an experiment compute its metrics, for a template whose metrics are in the editable file.

A statement belongs to them when it names final_info, a key of its contract or a declared metric; so do the
statements that make what it reports, two steps back, and the functions that they call to measure (as their names
tell: `evaluate`, `kl_score`). It is a judgement by names: a run whose metric code differs from the baseline's is
not compared with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from novum.edits.python import syntax_tree

_KEYS = frozenset({"means", "stderrs", "final_info_dict", "values"})
_STEPS = 2
_MEASURES = re.compile(r"eval|metric|score|measure|accura|error|estimate|(^|_)kl(_|$)|test", re.IGNORECASE)
_Statement = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Return


def touches_metric(old: str, new: str, metrics: Collection[str]) -> str:
    """Why the metrics of `new` (a Python source) are not those of `old`, or "".

    Raises:
        SyntaxError: a source does not parse.
    """
    before, after = _metric_code(old, metrics), _metric_code(new, metrics)
    if before == after:
        return ""
    changed = sorted(before ^ after, key=len)[0]
    return f"the edit touched the code that computes the metric: {changed[:160]}"


def _metric_code(source: str, metrics: Collection[str]) -> frozenset[str]:
    tree = syntax_tree(source)
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    code: set[str] = set()
    for scope in (tree, *(n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef))):
        code |= _in_scope(_statements(scope), functions, metrics)
    return frozenset(code)


def _statements(scope: ast.Module | ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    """The simple statements of a function, or of the file outside its functions: the same name is the same thing."""
    inside = isinstance(scope, ast.Module)
    parts = [n for n in scope.body if not (inside and isinstance(n, ast.FunctionDef | ast.ClassDef))]
    return [node for part in parts for node in ast.walk(part) if isinstance(node, _Statement)]


def _in_scope(
    statements: list[ast.stmt], functions: Mapping[str, ast.FunctionDef], metrics: Collection[str]
) -> set[str]:
    wanted = [s for s in statements if _reports(s, metrics)]
    code = {_text(s) for s in wanted}
    for _ in range(_STEPS):
        names = {name for s in wanted for name in _names_used(s)}
        code |= {_text(functions[n]) for n in names & functions.keys() if _MEASURES.search(n)}
        wanted = [s for s in statements if names & set(_names_made(s)) and _text(s) not in code]
        code |= {_text(s) for s in wanted}
    return code


def _reports(statement: ast.stmt, metrics: Collection[str]) -> bool:
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if "final_info" in text or text in _KEYS or text.removesuffix("_mean") in metrics:
                return True
        if isinstance(node, ast.Name) and "final_info" in node.id:
            return True
    return False


def _names_used(statement: ast.stmt) -> Iterator[str]:
    return (n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _names_made(statement: ast.stmt) -> Iterator[str]:
    """What a statement sets, or adds to (`losses.append(loss)`)."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
    value = getattr(statement, "value", None)
    if (
        isinstance(statement, ast.Expr)
        and isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
    ):
        root = value.func.value
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and value.func.attr in {"append", "extend", "update", "add"}:
            yield root.id


def _text(node: ast.AST) -> str:
    return ast.unparse(node)
