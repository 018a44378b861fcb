"""Where the time of finished studies went: `python benchmarks/study.py lab/studies/*`.

Prints, for each study, the seconds of each phase, the share of wall time that was neither a model call, nor a
run, nor LaTeX (the baseline is the study's own wall time, so it is a ratio within one run), and the share of
prompt tokens that the prompt cache served.
"""

from __future__ import annotations

import sys
from pathlib import Path

from novum.events import read_events

MOST_OVERHEAD = 0.03
LEAST_CACHED = 0.60


def measure(study: Path) -> tuple[float, float]:
    """Overhead and cached share of one study, printed too."""
    events = read_events(study / "events.jsonl").events
    phases = [e.data for e in events if e.kind == "phase_finished"]
    calls = [e.data["usage"] for e in events if e.kind == "model_call"]
    wall = sum(p["seconds"] for p in phases)
    inside = sum(p["model"] + p["runs"] + p["latex"] for p in phases)
    prompt = sum(c["prompt_tokens"] for c in calls)
    cached = sum(c["cached_tokens"] for c in calls)
    print(study.name)
    for phase in phases:
        own = phase["seconds"] - phase["model"] - phase["runs"] - phase["latex"]
        print(
            f"  {phase['phase']:<11}{phase['seconds']:7.1f} s   model {phase['model']:6.1f}"
            f"   runs {phase['runs']:5.1f}   LaTeX {phase['latex']:5.1f}   other {own:5.1f}"
        )
    overhead, share = (wall - inside) / wall, cached / prompt if prompt else 0.0
    print(f"  {'all':<11}{wall:7.1f} s   outside model, runs and LaTeX {overhead:.1%}   cached {share:.0%}")
    return overhead, share


def main() -> int:
    measured = [measure(Path(name)) for name in sys.argv[1:]]
    if not measured:
        print(__doc__)
        return 2
    good = all(overhead <= MOST_OVERHEAD and share >= LEAST_CACHED for overhead, share in measured)
    print(
        f"at most {MOST_OVERHEAD:.0%} outside and at least {LEAST_CACHED:.0%} cached: {'yes' if good else 'NO'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
