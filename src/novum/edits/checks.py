"""Checks of changed sources before any run: they parse, their imports exist, they shadow no module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from novum.edits.python import broken_line, syntax_tree


def check_sources(
    files: Mapping[str, str], available: Collection[str], folder: Path | None = None
) -> list[str]:
    """What is wrong with the Python files among `files` (name to source), each in a sentence.

    `available` are the top-level modules that can be imported; modules of `folder` and of `files` can be too.
    """
    own = {PurePosixPath(name).parts[0].removesuffix(".py") for name in files}
    if folder is not None:
        own |= {path.stem for path in folder.glob("*.py")}
        own |= {p.name for p in folder.iterdir() if p.is_dir() and p.name.isidentifier()}
    problems = []
    for name, source in files.items():
        if not name.endswith(".py"):
            continue
        try:
            tree = syntax_tree(source)
        except SyntaxError as error:
            shown = broken_line(source, error)
            problems.append(f"{name}:{error.lineno or '?'} is not valid Python: {error.msg}: {shown}")
            continue
        if problem := shadowing(name, available, folder):
            problems.append(problem)
        problems += _imports(name, tree, {*available, *own, *sys.stdlib_module_names})
    return problems


def shadowing(name: str, available: Collection[str], folder: Path | None) -> str:
    """Why the new file `name` would hide a module that others import, or ""."""
    module = PurePosixPath(name).parts[0].removesuffix(".py")
    exists = folder is not None and (folder / PurePosixPath(name).parts[0]).exists()
    if not exists and (module in sys.stdlib_module_names or module in available):
        return f"{name} would hide the module {module}: give the file another name"
    return ""


def _imports(name: str, tree: ast.Module, known: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            modules = [node.module]
        else:
            continue
        for module in modules:
            top = module.split(".")[0]
            if top not in known:
                others = ", ".join(sorted(set(known) - sys.stdlib_module_names))
                yield (
                    f"{name}:{node.lineno} imports {top}, which is not there; "
                    f"available beside the standard library: {others}"
                )
