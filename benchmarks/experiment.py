"""What the harness and the sandbox add to a run, beside the bare `python experiment.py`.

    python benchmarks/experiment.py [--template epidemic] [--repeats 9]

Interleaved pairs: the template's script alone, and the whole run (its code exported from git, the script in the
sandbox, the harvest, the evaluator in a second sandbox, the record), which ends with metrics that count. The
evaluator alone is timed too: it is work that somebody has to do, not overhead of confining anything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from novum.events import EventLog
from novum.experiment.coder import Edit
from novum.experiment.environment import environment_for
from novum.experiment.runner import Runner
from novum.experiment.workspace import Workspace
from novum.literature.library import Library
from novum.llm.scripted import from_replies
from novum.records import PlannedRun
from novum.sandbox.open import open_sandbox
from novum.settings import ROLES
from novum.store import StudyFolder
from novum.template import load_template
from novum.tools import Tools

BOUND_S = 0.3


class Bench:
    """One template beside its bare script."""

    def __init__(self, template: str, folder: Path, log: EventLog) -> None:
        self.template = load_template(template)
        self.environment = environment_for(self.template)
        self.folder = folder
        self.tools = Tools(
            folder=StudyFolder(folder),
            log=log,
            template=self.template,
            models=dict.fromkeys(ROLES, from_replies({})),
            sandbox=open_sandbox("auto"),
            library=Library([]),
            profile="quick",
        )
        self.workspace = Workspace(folder / "code", 1_795_000_000)
        self.baseline = self.workspace.start(self.template.run_contents())
        self.runner = Runner(self.tools, self.workspace, self.environment)

    def bare(self, number: int) -> float:
        """Seconds of the script alone."""
        work = self._laid_out(f"bare_{number}")
        vector = self.template.argument_vector({}, "quick", self.template.seeds("quick"))
        return _seconds(lambda: self._python([self.template.script, "--out_dir=out", *vector], work))

    def evaluator(self, number: int) -> float:
        """Seconds of the evaluator alone, on what `bare` left."""
        work = self.folder / f"bare_{number}"
        return _seconds(lambda: self._python([self.template.evaluate, "--out_dir=out"], work))

    def whole(self, number: int) -> float:
        """Seconds of a run in the harness; each is another run, for the same one is executed once."""
        planned = PlannedRun(name=f"run_{number}", rationale="Measured.", arguments={})
        # Another commit of the same code would be the same run: a comment makes it another.
        script = self.workspace.folder / self.template.script
        script.write_text(script.read_text(encoding="utf-8") + f"\n# {number}\n", encoding="utf-8")
        edit = Edit(self.workspace.commit(str(number)))
        took = _seconds(
            lambda: self.runner.execute(
                planned, edit, step=f"run_{number}", keep_failure_as=f"failed_{number}"
            )
        )
        if not (self.folder / "runs" / planned.name / "final_info.json").is_file():
            raise SystemExit(f"the run failed; see {self.folder}")
        return took

    def _laid_out(self, name: str) -> Path:
        work = self.folder / name
        for file, content in self.template.contents().items():
            (work / file).parent.mkdir(parents=True, exist_ok=True)
            (work / file).write_bytes(content)
        return work

    def _python(self, arguments: list[str], work: Path) -> None:
        command = [str(self.environment.python), *arguments]
        subprocess.run(command, cwd=work, check=True, capture_output=True)


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--template", default="epidemic")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="novum-bench-") as scratch,
        EventLog(Path(scratch) / "events.jsonl") as log,
    ):
        bench = Bench(options.template, Path(scratch), log)
        rows = [(bench.bare(n), bench.evaluator(n), bench.whole(n)) for n in range(1, options.repeats + 1)]
    bare, evaluator, whole = (statistics.median(column) for column in zip(*rows, strict=True))
    over = statistics.median(w - b for b, _, w in rows)
    own = statistics.median(w - b - e for b, e, w in rows)
    if options.json:
        figures = {"bare_s": bare, "evaluator_s": evaluator, "whole_s": whole, "over_s": over, "own_s": own}
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
        return
    print(f"bare script        {bare:6.3f} s")
    print(f"evaluator alone    {evaluator:6.3f} s")
    print(f"whole run          {whole:6.3f} s")
    print(f"over the script    {over:6.3f} s ({'ok' if over <= BOUND_S else 'ABOVE'}, at most {BOUND_S:g})")
    print(f"  without evaluator {own:5.3f} s")


if __name__ == "__main__":
    main()
