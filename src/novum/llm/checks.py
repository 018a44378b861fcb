"""What can be said about a model before it is asked: file, size, runtime, memory, key. No network, no load."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from novum.errors import MissingTool, UsageError
from novum.llm.catalogue import CATALOGUE, model_file
from novum.settings import Settings

Finding = tuple[bool, str, str]

# The variables of which one must be set, by provider. A provider that is not here is asked about at its first call.
KEY_VARIABLES: dict[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "azure": ("AZURE_OPENAI_API_KEY",),
    "bedrock": ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"),
    "cohere": ("CO_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshotai": ("MOONSHOTAI_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openai-chat": ("OPENAI_API_KEY",),
    "openai-responses": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "xai": ("XAI_API_KEY",),
}


class Named(Protocol):
    """What is checked: `name` is whole, `rest` follows its first colon."""

    @property
    def name(self) -> str: ...
    @property
    def rest(self) -> str: ...
    @property
    def settings(self) -> Settings: ...


def local(model: Named) -> Iterator[Finding]:
    """File, size, runtime, memory."""
    runtime = importlib.util.find_spec("xllamacpp") is not None
    yield runtime, f"runtime xllamacpp {'found' if runtime else 'missing'}", 'pip install "novum[local]"'
    try:
        file = model_file(model.rest)
    except UsageError as error:
        yield False, f"{error.what}; {error.why}", error.next_step
        return
    known = CATALOGUE.get(model.rest)
    if not file.is_file():
        yield (
            False,
            f"model file {file} is missing",
            f"novum models pull {known.name if known else ''}".strip(),
        )
        return
    size = file.stat().st_size
    right = known is None or size == known.size_bytes
    yield right, f"model file {file}, {size / 1e6:,.0f} MB", "its size is wrong: novum models pull --again"
    needed = known.memory_bytes if known else size * 2
    free = available_memory_bytes()
    text = f"memory: needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB available"
    yield free > needed, text, "close other programs, or use a hosted model"


def hosted(model: Named) -> Iterator[Finding]:
    """A provider that there is, its SDK, a key in the environment."""
    from novum.llm.hosted import HostedModel

    provider = model.name.partition(":")[0]
    try:
        # Its capabilities need the provider and its SDK, but no key and no network.
        _ = HostedModel(model.name).capabilities
    except (UsageError, MissingTool) as error:
        yield False, f"{error.what}; {error.why}", error.next_step
        return
    if model.settings.models.base_url and provider == "openai":
        yield True, f"server {model.settings.models.base_url} (not asked)", ""
        return
    if provider not in KEY_VARIABLES:
        yield True, f"provider {provider}: its key is not checked before the first call", ""
        return
    names = KEY_VARIABLES[provider]
    found = [name for name in names if os.environ.get(name)]
    text = f"key for {provider}: {found[0] if found else 'none of ' + ', '.join(names)}"
    yield bool(found), text, f"export {names[0]}=...; or use local:qwen2.5-coder-1.5b, which needs no key"


def script(model: Named) -> Iterator[Finding]:
    """A script that can be read."""
    from novum.llm.scripted import from_file

    yield _read(Path(model.rest), from_file)


def event_log(model: Named) -> Iterator[Finding]:
    """An event log that can be read."""
    from novum.llm.replay import ReplayModel

    yield _read(Path(model.rest.partition("#")[0]), ReplayModel)


def _read(path: Path, read: Callable[[Path], object]) -> Finding:
    try:
        read(path)
    except UsageError as error:
        return False, f"{error.what}: {error.why}", error.next_step or "check the path"
    return True, f"file {path}", ""


def folder_writable(model: Named) -> Iterator[Finding]:
    """The folder of questions and answers, or the nearest that exists above it."""
    path = Path(model.rest).absolute()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    yield (
        existing.is_dir() and os.access(existing, os.W_OK),
        f"folder {path}",
        "it cannot be written; name another",
    )


def seed(model: Named) -> Iterator[Finding]:
    """A whole number."""
    yield model.rest.isdecimal(), "random replies: for tests only", "give a whole number: random:7"


def available_memory_bytes() -> int:
    """Memory that programs can still have (Linux's MemAvailable), or all of it where that is not told."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(fields["MemAvailable"].split()[0]) * 1024


CHECKS: dict[str, Callable[[Named], Iterator[Finding]]] = {
    "local": local,
    "scripted": script,
    "random": seed,
    "manual": folder_writable,
    "replay": event_log,
}
