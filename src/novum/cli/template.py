"""`novum template`: list, check, make, install and measure research templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from novum.cli.output import JsonOption, print_json, print_line, print_progress, print_table

app = typer.Typer(no_args_is_help=True, help="Research templates: list, check, make, install, measure.")

TemplateArgument = Annotated[
    str, typer.Argument(help="A template's name (see `novum template list`) or its folder.")
]


@app.command("list")
def list_templates(as_json: JsonOption = False) -> None:
    """Show the templates that ship with novum."""
    from novum.template import builtin_templates, load_template

    templates = [load_template(folder) for folder in builtin_templates().values()]
    if as_json:
        print_json(
            [
                {
                    "name": t.name,
                    "title": t.title,
                    "domain": t.domain,
                    "folder": t.folder,
                    "requires": t.requirements,
                }
                for t in templates
            ]
        )
        return
    rows = ((t.name, t.domain, t.title, ", ".join(t.requirement_names())) for t in templates)
    print_table(("template", "domain", "title", "requires"), rows)
    print_line("Any folder with an experiment.py is a template too: see docs/templates.md")


@app.command("check")
def check(
    template: TemplateArgument,
    no_run: Annotated[bool, typer.Option("--no-run", help="Read it only; run nothing.")] = False,
    seconds: Annotated[float, typer.Option(min=1.0, help="Longest trial run, in seconds.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Hold a template to every clause of its contract, the last by a short trial run in the sandbox."""
    from novum.experiment.contract import check_template
    from novum.sandbox.open import open_sandbox
    from novum.settings import load_settings

    sandbox = None if no_run else open_sandbox(load_settings().sandbox.backend)
    clauses, notes = check_template(template, sandbox, trial_s=seconds)
    broken = [clause for clause in clauses if not clause.ok]
    if as_json:
        print_json({"ok": not broken, "clauses": clauses, "notes": notes})
    else:
        for clause in clauses:
            print_line(f"{'ok    ' if clause.ok else 'BROKEN'}  {clause}")
        for note in notes:
            print_line(f"note    {note}")
        print_line(f"{len(clauses) - len(broken)} of {len(clauses)} clauses hold")
    if broken:
        raise typer.Exit(2)


@app.command("new")
def new(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    as_json: JsonOption = False,
) -> None:
    """Write a small template that keeps its contract, to start from."""
    from novum.template.making import new_template

    made = new_template(folder)
    if as_json:
        print_json({"folder": made})
        return
    print_line(f"made {made}; change it, and run `novum template check {folder}`")


@app.command("adopt")
def adopt(
    source: Annotated[
        Path, typer.Argument(help="A training script, or the folder that holds it.", exists=True)
    ],
    folder: Annotated[Path, typer.Argument(help="The template's folder, not there yet.")],
    script: Annotated[str, typer.Option(help="The script's name, when it is not evident.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a template of your own training script, and say what it must still tell."""
    from novum.template.making import adopt as make

    adopted = make(source, folder, script)
    if as_json:
        print_json(adopted._asdict())
        return
    print_line(f"made {adopted.folder} with parameters: {', '.join(adopted.parameters) or 'none'}")
    for clause in adopted.to_do:
        print_line(f"TO DO   {clause}")
    print_line(f"then run `novum template check {adopted.folder}`")


@app.command("install")
def install_template(
    template: TemplateArgument,
    again: Annotated[bool, typer.Option("--again", help="Make it anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the Python environment that a template's requirements ask for, in the sandbox. Needs a network."""
    from novum.experiment.installing import install
    from novum.sandbox.open import open_sandbox
    from novum.settings import load_settings
    from novum.template import load_template
    from novum.template.installing import template_python, unmet

    loaded = load_template(template)
    if unmet(loaded.requirements):
        install(loaded, open_sandbox(load_settings().sandbox.backend), tell=print_progress, again=again)
    python = template_python(loaded)
    if as_json:
        print_json({"template": loaded.name, "python": python})
    else:
        print_line(f"{loaded.name} runs on {python}")


@app.command("baseline")
def baseline(
    template: TemplateArgument,
    profile: Annotated[str, typer.Option(help="`quick` or `full`.")] = "quick",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Number of seeds; the profile's by default.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a template unchanged, and tell how much its metrics vary from seed to seed."""
    from novum.errors import UsageError
    from novum.experiment.baseline import measure_baseline
    from novum.sandbox.open import open_sandbox
    from novum.settings import load_settings
    from novum.template import load_template

    if profile not in ("quick", "full"):
        raise UsageError(f"there is no profile {profile!r}", "", "use quick or full")
    sandbox = open_sandbox(load_settings().sandbox.backend)
    measured = measure_baseline(
        load_template(template), sandbox, "quick" if profile == "quick" else "full", seeds
    )
    if as_json:
        print_json(measured)
        return
    columns = ("metric", "n", "mean", "sd", "95% low", "95% high", "noise floor", "unit")
    rows = (
        (f"{m.dataset}/{m.metric}", m.n, *map(_short, (m.mean, m.sd, m.low, m.high, m.noise_floor)), m.unit)
        for m in measured.metrics
    )
    print_table(columns, rows)
    print_line(f"{measured.wall_s:g} s, {measured.peak_memory_bytes >> 20} MiB, on {measured.machine}")


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
