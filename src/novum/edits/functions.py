"""Replace one whole function, its name and arguments pinned: the edit that a small model can make."""

from __future__ import annotations

import ast
import textwrap

from novum.edits.changes import lines_of
from novum.edits.python import broken_line, syntax_tree
from novum.errors import EditError


def function_source(source: str, name: str) -> str:
    """The source of the top-level function `name`, decorators included, ending with a newline.

    Raises:
        EditError: `source` does not parse or defines no such function, or several.
    """
    node = _the_function(_parsed(source, "the file"), name)
    first, last = _span(node)
    return "".join(lines_of(source)[first:last]).rstrip("\r\n") + "\n"


def replace_function(source: str, name: str, new_source: str) -> str:
    """`source` with its top-level function `name` replaced by `new_source`.

    The new function must have the same name and arguments, and nothing may stand beside it but imports that the
    file has already. A docstring that it lacks is taken over from the old one.

    Raises:
        EditError: the old or the new source does not parse, or the new one is not that function alone.
    """
    file = _parsed(source, "the file")
    old = _the_function(file, name)
    text = textwrap.dedent(new_source.replace("\r\n", "\n")).strip("\n") + "\n"
    parsed = _parsed(text, "the new function")
    try:
        new = _only_function(parsed, name, file)
        _check_signature(old, new)
    except RecursionError:
        raise EditError(
            f"the new {name} has an expression that is nested too deep", "", "write it in steps"
        ) from None
    first, last = _span(new)
    lines = lines_of(text)[first:last]
    kept = ast.get_docstring(old, clean=False)
    if ast.get_docstring(new) is None and kept is not None:
        lines = _with_docstring(lines, new, first, source, old)
    body = "".join(lines).rstrip("\n") + "\n"
    newline = "\r\n" if source.count("\r\n") * 2 > source.count("\n") else "\n"
    start, end = _span(old)
    whole = lines_of(source)
    tail = whole[end:]
    changed = "".join([*whole[:start], body.replace("\n", newline), *tail])
    _parsed(changed, "the file with the new function")
    return changed


def _parsed(source: str, what: str) -> ast.Module:
    try:
        return syntax_tree(source)
    except SyntaxError as error:
        where = f" at line {error.lineno}" if error.lineno else ""
        raise EditError(
            f"{what} is not valid Python{where}",
            f"{error.msg}: {broken_line(source, error)}",
            "write the whole function as plain Python",
        ) from None


def _the_function(tree: ast.Module, name: str) -> ast.FunctionDef:
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(found) == 1:
        return found[0]
    known = ", ".join(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    raise EditError(
        f"the file defines {name!r} {len(found)} times at its top level",
        f"its functions are: {known}",
        "name one",
    )


def _only_function(tree: ast.Module, name: str, file: ast.Module) -> ast.FunctionDef:
    """The one function of `tree`; imports that the file has already may stand beside it."""
    present = {ast.dump(node) for node in file.body if isinstance(node, ast.Import | ast.ImportFrom)}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    others = [n for n in tree.body if not isinstance(n, ast.FunctionDef) and ast.dump(n) not in present]
    if len(functions) != 1 or others:
        what = f"{len(functions)} functions" + (f" and {len(others)} other statements" if others else "")
        raise EditError(
            f"the reply must be the function {name} and nothing else",
            f"it has {what}",
            f"write only `def {name}(...):` with its body; put imports inside the body",
        )
    if functions[0].name != name:
        raise EditError(
            f"the new function is called {functions[0].name}", f"it replaces {name}", f"keep the name {name}"
        )
    return functions[0]


def _check_signature(old: ast.FunctionDef, new: ast.FunctionDef) -> None:
    if _arguments(old) != _arguments(new):
        raise EditError(
            f"the arguments of {old.name} must stay as they are",
            f"they were ({_arguments(old)}) and would be ({_arguments(new)})",
            f"begin with `def {old.name}({_arguments(old)}):`",
        )


def _arguments(node: ast.FunctionDef) -> str:
    """The arguments without annotations, which do not change what a call means."""
    bare = ast.parse(f"def f({ast.unparse(node.args)}): pass").body[0]
    assert isinstance(bare, ast.FunctionDef)
    for argument in ast.walk(bare.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(bare.args)


def _span(node: ast.FunctionDef) -> tuple[int, int]:
    """First and last line, from 0, the last exclusive; decorators belong to the function."""
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return first - 1, node.end_lineno or node.lineno


def _with_docstring(
    lines: list[str], new: ast.FunctionDef, offset: int, source: str, old: ast.FunctionDef
) -> list[str]:
    """The new function's lines with the old docstring above its body; unchanged when the body is on the def line."""
    place = new.body[0].lineno - 1 - offset
    if lines[place][: new.body[0].col_offset].strip() or not isinstance(old.body[0], ast.Expr):
        return lines
    quoted = lines_of(source)[old.body[0].lineno - 1 : old.body[0].end_lineno]
    indent = " " * new.body[0].col_offset
    text = textwrap.dedent("".join(quoted).replace("\r\n", "\n")).rstrip("\n") + "\n"
    return [*lines[:place], *textwrap.indent(text, indent).splitlines(keepends=True), *lines[place:]]
