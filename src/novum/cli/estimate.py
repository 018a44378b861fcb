"""`novum run --dry-run`: what a study would cost, before a key is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novum.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from novum.llm.estimate import PhaseEstimate
    from novum.records import Usage
    from novum.settings import Settings


def print_estimate(settings: Settings, json: bool) -> None:
    """Print expected and worst-case tokens, dollars and time of a study, by phase, for the default model."""
    from novum.llm.estimate import EMBEDDED, HOSTED, estimate
    from novum.llm.registry import open_model

    model = open_model(settings.models.default, settings)
    made = estimate(
        settings.profile,
        model.price,
        speed=EMBEDDED if model.name.startswith("local:") else HOSTED,
        reasoning_tokens=model.capabilities.reasoning_tokens,
    )
    if json:
        print_json(made)
        return
    print_line(f"model {model.name}, profile {settings.profile}; {made.source}")
    columns = ["phase", "tokens", "cost", "time", "worst tokens", "worst cost", "worst time"]
    print_table(columns, [_row(phase) for phase in (*made.phases, made.total)])


def _row(phase: PhaseEstimate) -> list[str]:
    return [phase.phase, *_cells(phase.expected), *_cells(phase.worst)]


def _cells(usage: Usage) -> list[str]:
    dollars = "unknown" if usage.dollars is None else f"${usage.dollars:.2f}"
    return [f"{usage.prompt_tokens + usage.output_tokens:,}", dollars, f"{usage.seconds / 60:.0f} min"]
