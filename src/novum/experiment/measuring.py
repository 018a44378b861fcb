"""Which statements of an experiment compute its metrics, for a template whose metrics are in the editable file.

A statement belongs to them when it names final_info, a key of its contract or a declared metric; so do the
statements that make what it reports, two steps back, the functions that they call to measure (as their names tell:
`evaluate`, `kl_score`) and what those call, apart from functions that a study is there to change. So does whatever puts
another function in the place of one (`np.mean = ...`, `model.evaluate = ...`). It is a judgement by names: a run whose
metric code differs from the baseline's is not compared with it.
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


def touches_metric(old: str, new: str, metrics: Collection[str], changeable: Collection[str] = ()) -> str:
    """Why the metrics of `new` (a Python source) are not those of `old`, or "".

    `changeable` are the functions that a study may rewrite.

    Raises:
        SyntaxError: a source does not parse.
    """
    try:
        before, after = _metric_code(old, metrics, changeable), _metric_code(new, metrics, changeable)
    except RecursionError:
        return "an expression is nested too deep to tell whether the edit touched the metric"
    if before == after:
        return ""
    changed = sorted(before ^ after, key=lambda code: (len(code), code))[0]
    return f"the edit touched the code that computes the metric: {changed[:160]}"


def _metric_code(source: str, metrics: Collection[str], changeable: Collection[str]) -> frozenset[str]:
    tree = syntax_tree(source)
    functions = {
        n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name not in changeable
    }
    modules = _modules(tree)
    code = {
        _text(n) for n in ast.walk(tree) if isinstance(n, ast.Assign | ast.Expr) and _replaces(n, modules)
    }
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
        for measures in (functions[n] for n in names & functions.keys() if _MEASURES.search(n)):
            called = set(_names_used(measures)) & functions.keys()
            code |= {_text(measures), *(_text(functions[n]) for n in called)}
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


def _modules(tree: ast.AST) -> set[str]:
    """What the imports of a script are called there."""
    imports = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    return {a.asname or a.name.split(".")[0] for node in imports for a in node.names}


def _replaces(statement: ast.Assign | ast.Expr, modules: Collection[str]) -> bool:
    """Whether a statement puts another function in the place of one of a module, or of one that measures."""
    value = statement.value
    if isinstance(statement, ast.Expr):
        setting = (
            isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "setattr"
        )
        return setting and bool(set(_names_used(statement)) & set(modules))
    if isinstance(value, ast.Constant):  # a switch, as `torch.backends.cudnn.benchmark = True`
        return False
    return any(
        _root(target) in modules or (_root(target) != "self" and bool(_MEASURES.search(target.attr)))
        for target in statement.targets
        if isinstance(target, ast.Attribute)
    )


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


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
        and value.func.attr in {"append", "extend", "update", "add"}
    ):
        yield _root(value.func)


def _text(node: ast.AST) -> str:
    return ast.unparse(node)
