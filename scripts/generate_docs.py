"""Write the pages of docs/ that are made from code: commands, settings and events.

python scripts/generate_docs.py            write them
python scripts/generate_docs.py --check    exit with 1 when one of them is not up to date
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from novum.events import FORMAT, KINDS
from novum.settings import Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTE = "<!-- Made by scripts/generate_docs.py; change the code instead, then run `make docs`. -->\n"


def cell(text: object) -> str:
    """`text` as one cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


# -- settings ------------------------------------------------------------------------------------------


def settings_page() -> str:
    """Every setting with its type, default, environment variable and meaning."""
    parts = [
        f"# Settings\n\n{NOTE}",
        "Settings are read from `novum.toml` in the working folder; an environment variable overrides the file, and "
        "a flag on the command line overrides both. None of them can switch the sandbox off.\n",
        '```toml\n# novum.toml\nprofile = "quick"\n\n[models]\ndefault = "local:qwen2.5-coder-1.5b"\n\n'
        "[budget]\ndollars = 5.0\n```\n",
        *_settings_group("", Settings, "Top level"),
    ]
    return "\n".join(parts)


def _settings_group(path: str, group: type[BaseModel], title: str) -> Iterator[str]:
    rows, nested = [], []
    for name, field in group.model_fields.items():
        full = f"{path}.{name}" if path else name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            nested.append((full, field.annotation, field.description or ""))
            continue
        variable = "NOVUM_" + full.replace(".", "__").upper()
        default = field.get_default(call_default_factory=True)
        shown = "none" if default is None else repr(str(default) if isinstance(default, Path) else default)
        rows.append(
            f"| `{name}` | `{cell(_type_name(field.annotation))}` | `{cell(shown)}` | `{variable}` "
            f"| {cell(field.description)} |"
        )
    yield f"## {title}\n"
    yield (
        "| setting | type | default | environment | meaning |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
    for full, kind, description in nested:
        yield from _settings_group(full, kind, f"[{full}]: {description}".rstrip("."))


def _type_name(annotation: Any) -> str:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("NoneType", "None")


# -- events --------------------------------------------------------------------------------------------


def events_page() -> str:
    """Every kind of event."""
    rows = "\n".join(f"| `{kind}` | {cell(meaning)} |" for kind, meaning in KINDS.items())
    return (
        f"# Events\n\n{NOTE}\n"
        f"A study's `events.jsonl` (format `{FORMAT}`) is append-only: one JSON object a line with `kind`, `time` "
        "(seconds since 1970, UTC) and `data`, on disk before the study goes on. A last line that a power cut tore "
        "is dropped with a warning when the study is opened; damage anywhere else is an error. Resume, replay, "
        "tests and the audit all read this file.\n\n"
        f"| kind | what it tells |\n|---|---|\n{rows}\n"
    )


# -- commands ------------------------------------------------------------------------------------------


def commands_page() -> str:
    """Every command with its arguments and options."""
    import typer

    from novum.cli import app

    root = typer.main.get_command(app)
    parts = [
        f"# Commands\n\n{NOTE}",
        "Every command exits with 0 when it did what it was asked to, and otherwise says on standard error what "
        "went wrong and what to do next.\n",
        *_command("novum", root),
    ]
    return "\n".join(parts)


def _command(path: str, command: Any) -> Iterator[str]:
    children = getattr(command, "commands", {})
    if not children:
        yield from _one_command(path, command)
    elif path != "novum":
        yield f"## `{path}`\n\n{_help(command)}\n"
    for name, child in children.items():
        if not child.hidden:
            yield from _command(f"{path} {name}", child)


def _one_command(path: str, command: Any) -> Iterator[str]:
    parameters = [p for p in command.params if not getattr(p, "hidden", False) and p.name != "help"]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    usage = [path, *(_metavar(p) for p in arguments), *(["[OPTIONS]"] if options else [])]
    yield f"## `{path}`\n\n{_help(command)}\n"
    yield f"    {' '.join(usage)}\n"
    named = [(_metavar(p), p) for p in arguments]
    named += [(", ".join([*p.opts, *p.secondary_opts]), p) for p in options]
    if named:
        rows = "\n".join(f"| `{name}` | {cell(p.help or '')} | {_default(p)} |" for name, p in named)
        yield f"| | meaning | default |\n|---|---|---|\n{rows}\n"


def _metavar(argument: Any) -> str:
    name = (argument.metavar or argument.name.upper()) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _help(command: Any) -> str:
    return (command.help or "").split("\f")[0].strip()


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or value in ("", (), []) or callable(value) or parameter.required:
        return ""
    return f"`{cell(value)}`"


# -- all -----------------------------------------------------------------------------------------------

PAGES = {"settings.md": settings_page, "events.md": events_page, "commands.md": commands_page}


def main(check: bool) -> int:
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make().rstrip("\n") + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    if check and stale:
        print(
            f"not up to date: {', '.join('docs/' + name for name in stale)}; run `make docs`", file=sys.stderr
        )
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
