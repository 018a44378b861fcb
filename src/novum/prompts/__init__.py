"""Prompts are files: `NAME.md.j2`, and `NAME.small.md.j2` where a small model needs another one.

A file begins with front matter in TOML between two `+++` lines (`id`, `version`, `inputs`, `output`), then the
system message under `=== system ===` (optional: the shared one otherwise) and the question under
`=== user ===`. What is stable comes first and the task last, so that prompt caches work. An undeclared or
missing input is an error.
"""

from novum.prompts.loader import Prompt, PromptLibrary

__all__ = ["Prompt", "PromptLibrary"]
