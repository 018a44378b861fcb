"""Load and render prompt files."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from pydantic import ValidationError

from novum.errors import UsageError
from novum.records import Record

_FOLDER = Path(__file__).parent
_FRONT = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n(.*)\Z", re.DOTALL)
_CACHE_POINT = "\x1e"
"""What `{{ cache_point }}` stands for until a prompt is split there; not a character of any text."""
_SYSTEM, _USER = "=== system ===\n", "=== user ===\n"


class FrontMatter(Record):
    """What a prompt file declares about itself."""

    id: str
    version: int
    inputs: tuple[str, ...]
    output: str
    """`text`, or what the answer is, for people who read the file."""


class Prompt(Record):
    """A rendered prompt. `hash` is that of the file, so that a call's event says which text asked."""

    id: str
    hash: str
    system: str
    user_parts: tuple[str, ...]
    """The question, split behind each beginning that other questions share (`{{ cache_point }}` in a file)."""

    @property
    def user(self) -> str:
        """The whole question."""
        return "".join(self.user_parts)


class PromptLibrary:
    """The prompt files of a folder (default: those that ship)."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._folder = folder
        self._environment = SandboxedEnvironment(
            loader=jinja2.FileSystemLoader(folder),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.globals["cache_point"] = _CACHE_POINT

    def names(self) -> list[str]:
        """All prompt names, variants included (`write_section`, `write_section.small`)."""
        files = self._folder.glob("*.md.j2")
        return sorted(f.name.removesuffix(".md.j2") for f in files if not f.name.startswith("_"))

    def render(self, name: str, inputs: Mapping[str, Any], *, small: bool = False) -> Prompt:
        """Render `name`, or its variant for small models where there is one.

        Raises:
            UsageError: there is no such prompt, its front matter is not valid, or `inputs` are not exactly the
                declared ones.
        """
        variant = f"{name}.small"
        chosen = variant if small and (self._folder / f"{variant}.md.j2").exists() else name
        front, body, digest = self._read(chosen)
        given, declared = set(inputs), set(front.inputs)
        if given != declared:
            raise UsageError(
                f"prompt {chosen!r} declares the inputs {sorted(declared)}", f"it was given {sorted(given)}"
            )
        system, question = self._split(chosen, body)
        first, *rest = self._fill(chosen, question, inputs).split(_CACHE_POINT)
        return Prompt(
            id=f"{front.id}@{front.version}",
            hash=digest,
            system=self._fill(chosen, system, inputs),
            user_parts=tuple(part for part in (first, *(r.lstrip("\n") for r in rest)) if part),
        )

    def front_matter(self, name: str) -> FrontMatter:
        """What the file `name` declares."""
        return self._read(name)[0]

    def _read(self, name: str) -> tuple[FrontMatter, str, str]:
        path = self._folder / f"{name}.md.j2"
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"there is no prompt {name!r}", str(error)) from error
        match = _FRONT.match(text)
        if not match:
            raise UsageError(f"the prompt file {path} has no front matter between two +++ lines")
        try:
            front = FrontMatter(**tomllib.loads(match[1]))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise UsageError(f"the front matter of {path} is not valid", str(error)) from error
        return front, match[2], hashlib.sha256(text.encode()).hexdigest()[:16]

    def _split(self, name: str, body: str) -> tuple[str, str]:
        head, marker, question = body.partition(_USER)
        if not marker:
            raise UsageError(f"prompt {name!r} has no line {_USER.strip()!r}")
        system = head.partition(_SYSTEM)[2]
        return system or '{% include "_system.md.j2" %}', question

    def _fill(self, name: str, text: str, inputs: Mapping[str, Any]) -> str:
        try:
            filled = self._environment.from_string(text).render(**inputs)
        except jinja2.TemplateError as error:
            raise UsageError(f"prompt {name!r} cannot be rendered", str(error)) from error
        # Blank lines left by control blocks are noise for a model and cost tokens.
        return re.sub(r"\n{3,}", "\n\n", filled).strip()
