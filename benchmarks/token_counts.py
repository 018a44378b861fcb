"""Print the token counts of recorded studies for `src/novum/llm/token_counts.json`, and what they would cost.

.venv/bin/python benchmarks/token_counts.py lab/studies/NAME/events.jsonl [anthropic:claude-sonnet-4-5]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from novum.events import read_events
from novum.llm.estimate import counts_of
from novum.llm.prices import dollars
from novum.records import Usage


def main() -> None:
    path, model = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "anthropic:claude-sonnet-4-5"
    counts = counts_of(read_events(path).events)
    print(json.dumps({name: count.model_dump() for name, count in counts.items()}, indent=1))
    total = 0.0
    for name, count in counts.items():
        # Without the cache: a provider's cache has other rules than the one that was recorded.
        cost = dollars(model, Usage(prompt_tokens=count.prompt_tokens, output_tokens=count.output_tokens))
        total += cost or 0.0
        print(
            f"{name:12} ${cost:.4f} with {model}" if cost is not None else f"{name:12} price unknown",
            file=sys.stderr,
        )
    print(f"{'total':12} ${total:.4f} (paper's figures: a study $15, a review $0.50)", file=sys.stderr)


if __name__ == "__main__":
    main()
