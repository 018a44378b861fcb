"""Where the time of finished studies went: `python benchmarks/study.py [lab/studies/NAME ...]`.

Prints, for each study, the seconds of each phase, the share of wall time that was neither a model call, nor a
run, nor LaTeX (the baseline is the study's own wall time, so it is a ratio within one run), and the share of
prompt tokens that the prompt cache served. Without arguments it takes the newest finished study of the embedded
model in ./lab, for which the thresholds are meant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
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


def finished_studies(lab: Path = Path("lab")) -> Iterator[Path]:
    """The folders of the finished studies of the embedded model in `lab`, the newest first."""
    logs = sorted(lab.glob("studies/*/events.jsonl"), key=lambda log: log.stat().st_mtime, reverse=True)
    for log in logs:
        events = read_events(log).events
        embedded = any(e.kind == "model_call" and e.data["model"].startswith("local:") for e in events)
        if embedded and any(e.kind == "study_finished" for e in events):
            yield log.parent


def main() -> int:
    studies = [Path(name) for name in sys.argv[1:]] or list(finished_studies())[:1]
    if not studies:
        print("no finished study of the embedded model in ./lab: run `make demo`, or name a study's folder")
        return 0
    measured = [measure(study) for study in studies]
    good = all(overhead <= MOST_OVERHEAD and share >= LEAST_CACHED for overhead, share in measured)
    print(
        f"at most {MOST_OVERHEAD:.0%} outside and at least {LEAST_CACHED:.0%} cached: {'yes' if good else 'NO'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
