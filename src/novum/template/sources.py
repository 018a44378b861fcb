"""What the source of an experiment says without being run: its arguments and its functions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

from novum.template.clauses import Findings


class Option(NamedTuple):
    """An argument of the command line. `default` is None, and `choices` empty, when not a constant."""

    line: int
    default: Any
    choices: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """As the script spells it."""


class FunctionPart(NamedTuple):
    """A function at the top level of a file."""

    signature: str
    source: str
    line: int


class ScriptFacts(NamedTuple):
    """What one script defines."""

    options: Mapping[str, Option]
    """By name without dashes."""
    functions: Mapping[str, FunctionPart]
    """Those that are defined once at the top level."""


def script_facts(texts: Mapping[str, str], name: str, findings: Findings) -> ScriptFacts:
    """Read the script `name`; what breaks the contract goes into `findings`."""
    text = texts.get(name)
    if text is None:
        findings.broken("the script exists", name, f"add {name}, which runs with --out_dir=FOLDER")
        return ScriptFacts({}, {})
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        findings.broken(
            "the script is Python", name, f"mend it: {error}", line=getattr(error, "lineno", None)
        )
        return ScriptFacts({}, {})
    findings.kept("the script is Python", name)
    return ScriptFacts(_options(tree), _functions(tree, text))


def _options(tree: ast.Module) -> dict[str, Option]:
    options = {}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if node.func.attr == "add_argument":
            given = {k.arg: _constant(k.value) for k in node.keywords}
            choices = given.get("choices")
            texts = (
                tuple(c for c in choices if isinstance(c, str)) if isinstance(choices, list | tuple) else ()
            )
            for name in names:
                # argparse reads --learning-rate as learning_rate.
                options[name.lstrip("-").replace("-", "_")] = Option(
                    node.lineno, given.get("default"), texts, tuple(names)
                )
    return options


def _constant(node: ast.expr | None) -> Any:
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return None


def _functions(tree: ast.Module, text: str) -> dict[str, FunctionPart]:
    lines = text.splitlines()
    found: dict[str, FunctionPart] = {}
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and names.count(node.name) == 1:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            source = "\n".join(lines[first - 1 : node.end_lineno])
            head = "\n".join(lines[node.lineno - 1 : max(node.lineno, node.body[0].lineno - 1)])
            found[node.name] = FunctionPart(head, source, node.lineno)
    return found
