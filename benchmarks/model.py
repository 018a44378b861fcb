"""How fast an embedded model is here, and how much of a prompt its cache gives back.

    .venv/bin/python benchmarks/model.py [local:qwen2.5-coder-1.5b] [--json]

Needs the model's file (`novum models pull`) and an idle machine: any other busy program slows it. Without the file,
and without a name, it says so and measures nothing.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

from novum.errors import MissingTool
from novum.llm import Message, Request
from novum.llm.registry import open_model
from novum.settings import Settings

FACTS = "Facts of the study. " + " ".join(f"Fact {n}: the value is {n * 37 % 101}." for n in range(180))
QUESTIONS = ("What is fact 3?", "What is fact 7?", "Which facts are alike?")


def request(step: str, text: str, **fields: object) -> Request:
    messages = (Message.of("system", "You are a scientist."), Message.of("user", text))
    return Request.model_validate({"step": step, "messages": messages, "max_tokens": 96, "seed": 1, **fields})


def measure(name: str) -> dict[str, float]:
    """Seconds, tokens per second and shares, for one model."""
    model = open_model(name, Settings())
    started = time.monotonic()
    model.complete(request("load", "Hi.", max_tokens=1))
    load_s = time.monotonic() - started
    replies = [model.complete(request(f"q{n}", f"{FACTS} {q}")) for n, q in enumerate(QUESTIONS)]
    cold, *warm = (reply.usage for reply in replies)
    long = model.complete(request("long", "Tell a long story about an epidemic.", max_tokens=256)).usage
    before = os.times()
    time.sleep(2)
    after = os.times()
    model.close()
    return {
        "load_s": load_s,
        "prompt_tokens_per_s": (cold.prompt_tokens - cold.cached_tokens) / cold.seconds,
        "output_tokens_per_s": long.output_tokens / long.seconds,
        "cached_share_when_the_beginning_is_shared": sum(u.cached_tokens for u in warm)
        / sum(u.prompt_tokens for u in warm),
        "seconds_cold": cold.seconds,
        "seconds_warm": sum(u.seconds for u in warm) / len(warm),
        "idle_processor_share": (after.user + after.system - before.user - before.system) / 2,
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> int:
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    try:
        found = measure(names[0] if names else "local:qwen2.5-coder-1.5b")
    except MissingTool as error:
        print(error.text)
        return error.exit_code if names else 0
    if "--json" in sys.argv:
        print(json.dumps(found, indent=2))
    else:
        for key, value in found.items():
            print(f"{key:45} {value:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
