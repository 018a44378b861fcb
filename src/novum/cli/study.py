"""novum status, show, write, review, check: look at studies and work on their papers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from novum.cli.output import print_json, print_progress
from novum.cli.run import Budget, Minutes, Tokens, chosen_settings

Study = Annotated[
    str, typer.Argument(help="A study's folder, name, or part of its name; `last` for the newest.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on standard output.")]


def status(json: Json = False) -> None:
    """List the studies of the workspace and where each stands."""
    from novum.settings import load_settings
    from novum.store.index import status as listed

    lab = load_settings().lab
    found = listed(lab, warn=print_progress)
    if json:
        print_json(found)
        return
    for study in found:
        if study.problem:
            print(f"{study.name:<50} unreadable: {study.problem}")
            continue
        state = "finished" if study.finished else f"stopped in {study.phase or 'no phase'}"
        print(f"{study.name:<50} {state:<24} {study.idea}")
    if not found:
        print(f"no studies in {lab}; begin one with `novum run epidemic`")


def show(study: Study, json: Json = False) -> None:
    """Show one study: its idea, runs, results, audit, review, cost and time."""
    from novum.settings import load_settings
    from novum.study.begin import find_study
    from novum.study.summary import summarise_study

    folder = find_study(load_settings().lab, study)
    summary = summarise_study(folder)
    if json:
        print_json(summary.model_dump(mode="json"))
        return
    print(summary.text)
    for part in (folder.notes, folder.paper / "reviews" / "review.md"):
        if part.exists():
            print(f"\n{part.read_text(encoding='utf-8').rstrip()}")


def write(
    study: Study,
    unsafe_no_sandbox: Annotated[bool, typer.Option("--unsafe-no-sandbox", help="See `novum run`.")] = False,
    json: Json = False,
) -> None:
    """Write the chosen draft of STUDY from its recorded results (again, after a change of novum or its style)."""
    from novum.cli.live import View
    from novum.paper.write import write_again
    from novum.settings import load_settings
    from novum.study.begin import find_study
    from novum.study.opening import open_study
    from novum.study.summary import usage_of
    from novum.study.watch import watched

    settings = load_settings()
    folder = find_study(settings.lab, study)
    with (
        View() as view,
        open_study(
            folder, settings, progress=view.progress, allow_unsafe=unsafe_no_sandbox, listener=view.event
        ) as opened,
    ):
        view.spent(usage_of(opened.tools.log.events()).model_dump())
        pdf = write_again(watched(opened.tools))
    if json:
        print_json({"paper": pdf})
    else:
        print(pdf)


def check(study: Study, json: Json = False) -> None:
    """Audit STUDY: numbers, claims, citations, figures and code against its records."""
    from novum.events import EventLog
    from novum.literature.library import open_library
    from novum.paper.audit import audit_study
    from novum.paper.write import chosen_draft
    from novum.settings import load_settings
    from novum.study.begin import find_study
    from novum.study.opening import order_of, recorded_template

    settings = load_settings()
    folder = find_study(settings.lab, study)
    with EventLog(folder.events) as log:
        template = recorded_template(folder, order_of(log, folder))
        draft, _ = chosen_draft(log)
        audit = audit_study(folder, log, open_library(settings.literature), template, draft)
    if json:
        print_json(audit.model_dump(mode="json"))
    else:
        print(audit.text)
    if not audit.passes:
        raise typer.Exit(1)


def review(
    target: Annotated[str, typer.Argument(help="A PDF, or a study.")],
    model: Annotated[str, typer.Option("--model", help="Model that reviews, as KIND:NAME.")] = "",
    profile: Annotated[str, typer.Option("--profile", help="quick or full.")] = "",
    budget: Budget = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    json: Json = False,
) -> None:
    """Review a PDF, or a study's paper, on the form of a conference. Reviews are marked as machine-written."""
    from novum.review.reviewer import review_pdf
    from novum.study.begin import find_study

    settings = chosen_settings(model, profile, budget, tokens, minutes, "")
    path = Path(target)
    if path.suffix.lower() != ".pdf":
        path = find_study(settings.lab, target).paper / "paper.pdf"
    made = review_pdf(path, settings)
    if json:
        print_json(made.model_dump(mode="json"))
    else:
        print(made.text)
