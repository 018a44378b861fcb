"""Print the token counts of a recorded study for `src/novum/llm/token_counts.json`, and what they would cost.

    .venv/bin/python benchmarks/token_counts.py [lab/studies/NAME/events.jsonl [anthropic:claude-sonnet-5]]

Without arguments it takes the newest finished study of the embedded model in ./lab. Of a study whose model was a
script, the prompts are those that any model of its kind is sent, and two things are reckoned: the beginnings that
prompts mark as shared come from a provider's cache from the second time on, and replies have a third of the length
that each step allows, for a script's are shorter than a model's.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from study import finished_studies

from novum.events import Event, read_events
from novum.llm.estimate import counts_of
from novum.llm.prices import dollars
from novum.records import Usage

CHARS_PER_TOKEN = 4
SHARE_OF_LIMIT = 3


def main() -> None:
    given = sys.argv[1:] or [str(study / "events.jsonl") for study in finished_studies()][:1]
    if not given:
        print("no finished study of the embedded model in ./lab: run `make demo`, or name an events.jsonl")
        return
    path, model = Path(given[0]), given[1] if len(given) > 1 else "anthropic:claude-sonnet-5"
    events = list(reckoned(read_events(path).events))
    counts = counts_of(events)
    print(json.dumps({name: count.model_dump() for name, count in counts.items()}, indent=1))
    costs: Counter[str] = Counter()
    for call in (event.data for event in events if event.kind == "model_call"):
        used = Usage.model_validate(call["usage"])
        if call["model"].startswith("local:"):  # whose cache has other rules than a provider's
            used = used.model_copy(update={"cached_tokens": 0})
        cost = dollars(model, used)
        if cost is None:
            raise SystemExit(f"the price of {model} is unknown")
        costs[call["step"].partition("/")[0]] += cost
    for name, cost in costs.items():
        print(f"{name:12} ${cost:.4f} with {model}", file=sys.stderr)
    print(
        f"{'total':12} ${costs.total():.4f} (paper's figures: a study $15, a review $0.50)", file=sys.stderr
    )


def reckoned(events: Iterable[Event]) -> Iterable[Event]:
    """The events, with the usage of a script's calls as a hosted model's would be."""
    texts: dict[str, str] = {}
    kept: set[str] = set()
    for event in events:
        if event.kind == "model_call" and event.data["model"].startswith("scripted:"):
            cached, written = _marked(event.data["messages"], texts, kept)
            usage = event.data["usage"] | {
                "cached_tokens": cached // CHARS_PER_TOKEN,
                "cache_written_tokens": written // CHARS_PER_TOKEN,
                "output_tokens": event.data["max_tokens"] // SHARE_OF_LIMIT,
            }
            yield event._replace(data=event.data | {"usage": usage})
        else:
            yield event


def _marked(messages: list[dict[str, Any]], texts: dict[str, str], kept: set[str]) -> tuple[int, int]:
    """Characters that a cache of marked beginnings holds already, and those that it takes in with this call."""
    beginning, cached, longest = "", 0, 0
    for message in messages:
        parts = [part["text"] for part in message.get("parts", ())] or [texts[message["sha256"]]]
        texts[message["sha256"]] = "".join(parts)
        for part in parts[:-1]:
            beginning += part
            longest = len(beginning)
            cached = longest if beginning in kept else cached
            kept.add(beginning)
        beginning += parts[-1]
    return cached, longest - cached


if __name__ == "__main__":
    main()
