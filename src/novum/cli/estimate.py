"""`novum run --dry-run`: what a study would cost, before a key is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novum.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from novum.llm.estimate import PhaseEstimate, Rates
    from novum.records import Usage
    from novum.settings import Settings


def print_estimate(settings: Settings, json: bool) -> None:
    """Print expected and worst-case tokens, dollars and time of a study, by phase, for the model of its role."""
    from novum.llm.estimate import PHASE_ROLES, estimate

    names = {settings.models.for_role(role) for role in PHASE_ROLES.values()}
    by_model = {name: _rates(name, settings) for name in names}
    rates = {role: by_model[settings.models.for_role(role)] for role in PHASE_ROLES.values()}
    made = estimate(settings.profile, rates)
    if json:
        print_json(made)
        return
    print_line(f"profile {settings.profile}; {made.source}")
    columns = ["phase", "model", "tokens", "cost", "time", "worst tokens", "worst cost", "worst time"]
    print_table(columns, [_row(phase) for phase in (*made.phases, made.total)])


def _rates(name: str, settings: Settings) -> Rates:
    from novum.llm.estimate import EMBEDDED, HOSTED, Rates
    from novum.llm.registry import open_model

    model = open_model(name, settings)
    speed = EMBEDDED if name.startswith("local:") else HOSTED
    return Rates(name, model.price, speed, model.capabilities.reasoning_tokens)


def _row(phase: PhaseEstimate) -> list[str]:
    return [phase.phase, phase.model, *_cells(phase.expected), *_cells(phase.worst)]


def _cells(usage: Usage) -> list[str]:
    dollars = "unknown" if usage.dollars is None else f"${usage.dollars:.2f}"
    return [f"{usage.prompt_tokens + usage.output_tokens:,}", dollars, f"{usage.seconds / 60:.0f} min"]
