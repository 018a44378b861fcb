"""novum run, ideas, resume, replay: commands that work on studies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novum.cli.output import print_json

if TYPE_CHECKING:
    from novum.settings import Settings
    from novum.store import StudyFolder
    from novum.study.approval import Answer
    from novum.study.begin import Order

Model = Annotated[
    str, typer.Option("--model", help="Model of every role, as KIND:NAME (see `novum models list`).")
]
Seed = Annotated[int, typer.Option(help="Seed of everything that is drawn at random.")]
ProfileName = Annotated[
    str, typer.Option("--profile", help="quick (minutes) or full (the scale of a paper).")
]
Budget = Annotated[float | None, typer.Option("--budget", help="Most dollars that model calls may cost.")]
Tokens = Annotated[int | None, typer.Option("--tokens", help="Most tokens, prompts and replies together.")]
Minutes = Annotated[float | None, typer.Option("--minutes", help="Most minutes of wall time.")]
Sandbox = Annotated[
    str, typer.Option("--sandbox", help="Sandbox backend; `auto` takes the strongest there is.")
]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Run model-written code without a sandbox (asks again).")
]
SeedPapers = Annotated[
    int,
    typer.Option(
        "--seed-papers", min=0, max=20, help="Recent papers on the topic to show before ideas are proposed."
    ),
]
OverruleSafety = Annotated[
    str, typer.Option("--overrule-safety", help="Your name, to overrule the safety screen; recorded.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on standard output.")]


def run(
    template: Annotated[
        str, typer.Argument(help="A template's name (see `novum template list`) or its folder.")
    ],
    ideas: Annotated[int, typer.Option(min=1, max=100, help="Number of ideas; each becomes a study.")] = 1,
    idea: Annotated[Path | None, typer.Option(help="File with your own idea (JSON or text).")] = None,
    model: Model = "",
    profile: ProfileName = "",
    seed: Seed = 0,
    budget: Budget = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    approve: Annotated[str, typer.Option(help="Stop for approval at any of: ideas,plan,paper.")] = "",
    sandbox: Sandbox = "",
    unsafe_no_sandbox: Unsafe = False,
    on_known: Annotated[
        str, typer.Option("--on-known", help="What becomes of an idea that is known: keep, drop or ask.")
    ] = "keep",
    on_unknown: Annotated[
        str, typer.Option("--on-unknown", help="The same where it is unknown whether the idea is new.")
    ] = "keep",
    seed_papers: SeedPapers = 0,
    overrule_safety: OverruleSafety = "",
    coder: Annotated[str, typer.Option(help="What edits the code: novum or aider (an installed one).")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print expected and worst-case cost, then stop.")
    ] = False,
    json: Json = False,
) -> None:
    """Take an idea about TEMPLATE through every phase, to a reviewed and audited PDF."""
    from novum.ideation.ideate import user_idea
    from novum.study.begin import Order
    from novum.template import load_template

    settings = _with_coder(chosen_settings(model, profile, budget, tokens, minutes, sandbox), coder)
    loaded = load_template(template)
    if dry_run:
        _estimate(settings, json)
        return
    own = user_idea(idea) if idea else None
    _confirm_unsafe(unsafe_no_sandbox)
    _preflight(settings, template, unsafe_no_sandbox)
    for number in range(ideas):
        order = Order(
            template=loaded,
            profile=settings.profile,
            seed=seed + number,
            idea=own,
            archive=_archive(settings),
            approve=tuple(part for part in approve.split(",") if part),
            overrule_safety=overrule_safety,
            on_known=on_known,
            on_unknown=on_unknown,
            seed_papers=seed_papers,
        )
        _report(_begin_and_conduct(order, settings, unsafe_no_sandbox), json)


def ideas(
    template: Annotated[str, typer.Argument(help="A template's name or its folder.")],
    count: Annotated[int, typer.Option(min=1, max=100, help="Number of ideas.")] = 3,
    model: Model = "",
    profile: ProfileName = "",
    seed: Seed = 0,
    budget: Budget = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    seed_papers: SeedPapers = 0,
    overrule_safety: OverruleSafety = "",
    json: Json = False,
) -> None:
    """Propose ideas for TEMPLATE and judge their novelty, without running anything."""
    from novum.cli.live import View
    from novum.study.begin import Order
    from novum.study.ideas import only_ideas
    from novum.template import load_template

    settings = chosen_settings(model, profile, budget, tokens, minutes, "")
    loaded = load_template(template)
    _preflight(settings, template, unsafe=False, without=("LaTeX",))
    order = Order(
        template=loaded,
        profile=settings.profile,
        seed=seed,
        archive=_archive(settings),
        overrule_safety=overrule_safety,
        seed_papers=seed_papers,
    )
    with View() as view:
        found = only_ideas(order, count, settings, progress=view.progress, listener=view.event)
    if json:
        print_json([idea.model_dump(mode="json") for idea in found])
        return
    for idea in found:
        verdict = idea.novelty.verdict if idea.novelty else "unknown"
        print(f"{idea.name} ({verdict})\n  {idea.title}\n  {idea.hypothesis}\n")


def resume(
    study: Annotated[
        str, typer.Argument(help="A study's folder, name, or part of its name; `last` for the newest.")
    ],
    budget: Budget = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    sandbox: Sandbox = "",
    unsafe_no_sandbox: Unsafe = False,
    json: Json = False,
) -> None:
    """Go on with STUDY where it stopped; nothing that is finished is paid for or run again."""
    from novum.study.begin import find_study

    settings = chosen_settings("", "", budget, tokens, minutes, sandbox)
    _confirm_unsafe(unsafe_no_sandbox)
    _report(_conduct(find_study(settings.lab, study), settings, unsafe_no_sandbox), json)


def replay(
    study: Annotated[str, typer.Argument(help="A study's folder, name, or part of its name.")],
    to: Annotated[
        Path | None, typer.Option(help="Empty folder for the replay (default: beside the study).")
    ] = None,
    json: Json = False,
) -> None:
    """Make STUDY again from its event log and its runs, with no model and no network, and compare."""
    from novum.study.begin import find_study, unused_path
    from novum.study.replay import replay_study

    settings = chosen_settings("", "", None, None, None, "")
    source = find_study(settings.lab, study)
    target = to or unused_path(settings.lab / "replays" / source.name)
    replayed = replay_study(source, target, settings)
    if json:
        print_json(replayed.model_dump(mode="json") | {"identical": replayed.identical})
    else:
        for name, same in replayed.same.items():
            print(f"{'-' if same is None else 'same' if same else 'DIFFERENT':<10}{name}")
        print(f"replayed in {target}")
    if not replayed.identical:
        raise typer.Exit(1)


# -- shared --------------------------------------------------------------------------------------------


def chosen_settings(
    model: str,
    profile: str,
    budget: float | None,
    tokens: int | None,
    minutes: float | None,
    sandbox: str,
) -> Settings:
    """The settings of the folder and the environment, under what the command line says."""
    from novum.errors import UsageError
    from novum.settings import load_settings

    settings = load_settings()
    if profile and profile not in ("quick", "full"):
        raise UsageError(f"there is no profile {profile!r}", "", "choose quick or full")
    update: dict[str, Any] = {
        "budget": settings.budget.changed(dollars=budget, tokens=tokens, minutes=minutes)
    }
    if model:
        # A model named on the command line takes every role.
        update["models"] = settings.models.model_copy(
            update={"default": model, **dict.fromkeys(("ideas", "code", "writing", "review", "vision"))}
        )
    if profile:
        update["profile"] = profile
    if sandbox:
        update["sandbox"] = settings.sandbox.model_copy(update={"backend": sandbox})
    return settings.model_copy(update=update)


def _with_coder(settings: Settings, coder: str) -> Settings:
    """The settings with the coder that the command line names; one that is not installed is told at once."""
    from novum.errors import UsageError
    from novum.experiment.aider import aider_program

    if coder not in ("", "novum", "aider"):
        raise UsageError(f"there is no coder {coder!r}", "", "choose novum or aider")
    settings = settings.model_copy(update={"coder": coder}) if coder else settings
    if settings.coder == "aider":
        aider_program()
    return settings


def _archive(settings: Settings) -> tuple[Any, ...]:
    from novum.study.begin import archived_ideas

    return tuple(archived_ideas(settings.lab))


def _confirm_unsafe(unsafe: bool) -> None:
    if not unsafe:
        return
    print(
        "Code that a model wrote will run with your rights: it can read your files and keys, and use the network.",
        file=sys.stderr,
    )
    typer.confirm("Run without a sandbox?", abort=True, err=True)


def _preflight(settings: Settings, template: str, unsafe: bool, without: tuple[str, ...] = ()) -> None:
    """Stop here when something is missing; what is of the subjects `without` may be."""
    from novum.study.preflight import preflight, require

    lines = preflight(settings, template=template, allow_unsafe=unsafe)
    require([line for line in lines if line.subject not in without])


def _estimate(settings: Settings, json: bool) -> None:
    from novum.cli.estimate import print_estimate

    print_estimate(settings, json)


def _begin_and_conduct(order: Order, settings: Settings, unsafe: bool) -> StudyFolder:
    from novum.study.begin import begin_study

    return _conduct(begin_study(order, settings), settings, unsafe)


def _conduct(folder: StudyFolder, settings: Settings, unsafe: bool) -> StudyFolder:
    from novum.cli.live import View
    from novum.study.conduct import conduct
    from novum.study.opening import open_study

    print(f"study {folder.name} in {folder.root}", file=sys.stderr)
    with (
        View() as view,
        open_study(
            folder, settings, progress=view.progress, allow_unsafe=unsafe, listener=view.event
        ) as opened,
    ):
        try:
            return conduct(opened, _ask_person, settings.lab)
        except (KeyboardInterrupt, OSError) as error:
            error.add_note(
                f"run `novum resume {opened.tools.log.path.parent.name}`; nothing that is done is lost"
            )
            raise


def _ask_person(what: str, summary: str) -> Answer:
    """Ask on the terminal; without one the study stops there and waits for `novum resume`."""
    from novum.errors import UsageError
    from novum.study.approval import Answer

    print(f"\nFor your approval: {what}\n\n{summary}\n", file=sys.stderr)
    if not sys.stdin or not sys.stdin.readable():
        raise UsageError(
            f"the {what} must be approved", "there is no standard input", "run `novum resume` in a terminal"
        )
    try:
        said = input("yes, no, or a comment: ").strip()
    except EOFError:
        raise UsageError(
            f"the {what} must be approved", "standard input is closed", "run `novum resume` in a terminal"
        ) from None
    if said.lower() in {"y", "yes"}:
        return Answer(True)
    return Answer(False, "" if said.lower() in {"n", "no", ""} else said)


def _report(folder: StudyFolder, json: bool) -> None:
    from novum.study.summary import summarise_study

    summary = summarise_study(folder)
    if json:
        print_json(summary.model_dump(mode="json"))
        return
    print(summary.text)
