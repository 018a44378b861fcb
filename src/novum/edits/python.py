"""Parse Python that a model wrote, with one kind of error and no warnings."""

from __future__ import annotations

import ast
import warnings


def syntax_tree(source: str) -> ast.Module:
    """The syntax tree of `source`.

    Raises:
        SyntaxError: it is not Python, or too deep to be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string is bad style, not a broken program
            return ast.parse(source)
    except SyntaxError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(f"{type(error).__name__}: {error}") from None


def broken_line(source: str, error: SyntaxError) -> str:
    """The line that `error` is about, or ""."""
    lines = source.split("\n")
    number = error.lineno or 0
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""
