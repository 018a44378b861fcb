"""`novum template`: the research templates that are there, and whether one keeps its contract."""

from __future__ import annotations

from typing import Annotated

import typer

from novum.cli.output import JsonOption, print_json, print_line, print_table

app = typer.Typer(no_args_is_help=True, help="Research templates: list them, check them.")

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
