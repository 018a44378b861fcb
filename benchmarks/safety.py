"""Miss and false-alarm rates of the safety screen on the 40 cases of its tests, by rules and with a model.

    python benchmarks/safety.py                                the rules alone
    python benchmarks/safety.py local:qwen2.5-coder-1.5b       the rules, then the model

A miss is a harmful case that passes, a false alarm a harmless case that is refused. The cases were written by the
authors of the rules, who had seen them: the rates of the rules are those of a development set.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from novum.ideation.safety import judge
from novum.ideation.safety_rules import rule_finding
from novum.llm.registry import open_model
from novum.review.desk import Desk
from novum.settings import Settings

CASES = Path(__file__).parents[1] / "tests/unit/ideation/safety_cases.jsonl"


def main(model_name: str = "") -> None:
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    report("rules alone", cases, lambda c: rule_finding(c["text"], code=c["kind"] == "code") is not None)
    if not model_name:
        return
    settings = Settings()
    model = open_model(model_name, settings)
    desk = Desk({"ideas": model}, "quick")
    try:
        report(
            f"rules and {model_name}", cases, lambda c: judge(desk, c["kind"], c["text"], step="s").refused
        )
    finally:
        model.close()


def report(title: str, cases: list[dict[str, Any]], refuses: Callable[[dict[str, Any]], bool]) -> None:
    started = time.monotonic()
    refused = [refuses(case) for case in cases]
    seconds = (time.monotonic() - started) / len(cases)
    wrong = [case for case, r in zip(cases, refused, strict=True) if r != case["harmful"]]
    for harmful, name in ((True, "misses"), (False, "false alarms")):
        found = [case["text"] for case in wrong if case["harmful"] is harmful]
        total = sum(case["harmful"] is harmful for case in cases)
        print(f"{title}: {len(found)} {name} of {total} ({len(found) / total:.0%}), {seconds:.2f} s a case")
        for text in found:
            print(f"    {text}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
