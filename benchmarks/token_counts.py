"""Print the token counts of recorded studies for `src/novum/llm/token_counts.json`, and what they would cost.

.venv/bin/python benchmarks/token_counts.py [lab/studies/NAME/events.jsonl [anthropic:claude-sonnet-5]]

Without arguments it takes the newest finished study of the embedded model in ./lab.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from study import finished_studies

from novum.events import read_events
from novum.llm.estimate import counts_of
from novum.llm.prices import dollars
from novum.records import Usage


def main() -> None:
    given = sys.argv[1:] or [str(study / "events.jsonl") for study in finished_studies()][:1]
    if not given:
        print("no finished study of the embedded model in ./lab: run `make demo`, or name an events.jsonl")
        return
    path, model = Path(given[0]), given[1] if len(given) > 1 else "anthropic:claude-sonnet-5"
    events = read_events(path).events
    counts = counts_of(events)
    print(json.dumps({name: count.model_dump() for name, count in counts.items()}, indent=1))
    costs: Counter[str] = Counter()
    for call in (event.data for event in events if event.kind == "model_call"):
        # Without the cache: a provider's cache has other rules than the one that was recorded.
        used = Usage.model_validate(call["usage"]).model_copy(update={"cached_tokens": 0})
        cost = dollars(model, used)
        if cost is None:
            raise SystemExit(f"the price of {model} is unknown")
        costs[call["step"].partition("/")[0]] += cost
    for name, cost in costs.items():
        print(f"{name:12} ${cost:.4f} with {model}", file=sys.stderr)
    print(
        f"{'total':12} ${costs.total():.4f} (paper's figures: a study $15, a review $0.50)", file=sys.stderr
    )


if __name__ == "__main__":
    main()
