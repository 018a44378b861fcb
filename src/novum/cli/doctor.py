"""`novum doctor`: is this machine ready, before anything is spent."""

from __future__ import annotations

from typing import Annotated

import typer

from novum.cli.output import JsonOption, print_json, print_line

_MOST_WIDE = 9
"""Letters of the longest subject."""


def doctor(
    template: Annotated[str, typer.Option(help="Check for this template (default: all that ship).")] = "",
    model: Annotated[
        str, typer.Option(help="Check for this model, KIND:NAME (default: those of the settings).")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Check Python, model or key, LaTeX, sandbox, disk, memory, GPU and template, and say what to mend."""
    from novum.settings import ModelSettings, load_settings
    from novum.study.preflight import preflight, require

    settings = load_settings()
    if model:
        changed = settings.models.model_dump() | dict.fromkeys(
            ("ideas", "code", "writing", "review", "vision")
        )
        settings = settings.model_copy(update={"models": ModelSettings(**changed | {"default": model})})
    lines = preflight(settings, template=template)
    if json:
        print_json({"ready": not any(line.stops for line in lines), "checks": lines})
    else:
        for line in lines:
            mark = "ok  " if line.ok else "FAIL" if line.needed else "note"
            print_line(f"{mark} {line.subject:<{_MOST_WIDE}}  {line.found}")
            if not line.ok and line.next_step:
                print_line(f"     {'':<{_MOST_WIDE}}  -> {line.next_step}")
    require(lines)
