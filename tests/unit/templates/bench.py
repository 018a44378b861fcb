"""What the tests of templates share: a template that keeps its contract, and a sandbox that is none."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from novum.records import Limits, Outcome
from novum.sandbox import Access

SCRIPT = """
import argparse, json, os, random
import measure

def slope(x, params):
    return params.gain * x

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out_dir", default="run_0")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--gain", type=float, default=2.0)
    params = parser.parse_args()
    os.makedirs(params.out_dir, exist_ok=True)
    values = [slope(1.0, params) + random.Random(s).random() for s in params.seeds]
    with open(os.path.join(params.out_dir, "outputs.json"), "w") as file:
        json.dump(values, file)
    with open(os.path.join(params.out_dir, "series.jsonl"), "w") as file:
        for step, value in enumerate(values):
            file.write(json.dumps({"step": step, "name": "score", "value": value}) + "\\n")
    measure.write(params.out_dir)

main()
"""
MEASURE = """
import json, os, sys

def write(out_dir):
    with open(os.path.join(out_dir, "outputs.json")) as file:
        values = json.load(file)
    entry = {"means": {"score": sum(values) / len(values)}, "values": {"score": values}}
    with open(os.path.join(out_dir, "final_info.json"), "w") as file:
        json.dump({"data": entry}, file)

if __name__ == "__main__":
    write(sys.argv[1].partition("=")[2])
"""
DECLARATION = """
title = "A line with noise"
primary_metric = "score"
requirements = ["numpy>=2"]

[experiment]
seeds_argument = "--seeds"
evaluate = "measure.py"
outputs = ["outputs.json"]
series = "series.jsonl"

[files]
editable = ["experiment.py"]
protected = ["measure.py"]

[limits]
wall_s = 30.0

[profiles.quick]
seeds = 3

[[metrics]]
name = "score"
unit = "points"
direction = "maximize"

[[parameters]]
name = "gain"
kind = "float"
default = 2.0
minimum = 0.0
maximum = 9.0
suggestions = [1.0, 3.0]

[[functions]]
name = "slope"

[paper]
method = ["The slope is \\\\config{gain}, with \\\\config{seeds} seeds."]
"""
PROMPT = json.dumps({"system": "You are careful.", "task_description": "Raise the score."})
IDEAS = json.dumps([{"Name": "Steeper!", "Title": "A steeper line", "Experiment": "Raise the gain."}])


def write_template(folder: Path, **replaced: str | None) -> Path:
    """A template in `folder` that keeps its contract, but for the files that are replaced or left out (None)."""
    files: dict[str, str | None] = {
        "experiment.py": SCRIPT,
        "measure.py": MEASURE,
        "template.toml": DECLARATION,
        "prompt.json": PROMPT,
        "seed_ideas.json": IDEAS,
    }
    files |= {
        name.replace("_py", ".py").replace("_toml", ".toml").replace("_json", ".json"): text
        for name, text in replaced.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if text is not None:
            (folder / name).write_text(text)
    return folder


class PlainSandbox:
    """Runs commands with no confinement at all, with the limit on time; for tests of what is run."""

    name = "plain"
    level = "none"

    def __init__(self) -> None:
        self.seen: list[tuple[Sequence[str], Access | None]] = []

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> Outcome:
        self.seen.append((command, access))
        environment = {**os.environ, **(access.environment if access else {}), "PYTHONDONTWRITEBYTECODE": "1"}
        start = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=workdir, env=environment, capture_output=True, text=True, timeout=limits.wall_s
            )
        except subprocess.TimeoutExpired:
            return Outcome(ended="timeout", message=f"timeout: {limits.wall_s} s", wall_s=limits.wall_s)
        return Outcome(
            ended="exit",
            exit_code=done.returncode,
            message=f"exit code {done.returncode}",
            stdout=done.stdout,
            stderr=done.stderr,
            wall_s=time.monotonic() - start,
        )
