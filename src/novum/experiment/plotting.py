"""The figures of the template's plot script, which a large model may edit first.

The script is code like any other: it runs in the sandbox, sees copies of the runs that it cannot write to, and what
it leaves is taken as pictures only. What it plots is written down and held against the records of the runs.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model

from novum.edits import Applied, apply_reply
from novum.edits.checks import check_sources
from novum.errors import AnswerError, EditError, UsageError
from novum.experiment.environment import environment_for
from novum.experiment.notes import run_title
from novum.experiment.plotted import Plotted, read_plotted, recorded_numbers, typed_constants, unmatched
from novum.experiment.results import BASELINE
from novum.records import Figure, Idea, Outcome, Results
from novum.sandbox import Access
from novum.sandbox.harvest import harvest, read_json
from novum.tools import Question, Tools

MAX_REPAIRS = 4
"""Times that a plot script of the model may be mended; then the template's own draws."""
_MOST_FIGURES = 4
_CAPTURE, _PLOTTED = "_capture.py", "plotted.json"
_OWN = Path(__file__).with_name("capture.py")


class Drawn(NamedTuple):
    """What a plot script left in a folder."""

    outcome: Outcome
    pictures: tuple[str, ...]
    """Stems of the pictures."""
    captions: dict[str, str]
    plotted: dict[str, Plotted]


def template_figures(
    tools: Tools,
    results: Results,
    target: Path,
    taken: frozenset[str],
    screen_code: Callable[[str, str], None],
) -> list[Figure]:
    """The figures of the plot script, moved to `target`; names that are `taken` are left out."""
    if not tools.template.plot or not tools.template.texts.get(tools.template.plot, "").strip():
        tools.log.note("figure", file="", source="template", reason="the template has no plot script")
        return []
    plotter = _Plotter(tools, results, screen_code)
    with tempfile.TemporaryDirectory(prefix="novum-plot-") as scratch:
        source, drawn = plotter.draw(Path(scratch))
        stems = [s for s in drawn.pictures if s not in taken][:_MOST_FIGURES]
        if not stems:
            reason = drawn.outcome.message if not drawn.outcome.ok else "the plot script drew nothing"
            tools.log.note("figure", file="", source="template", reason=reason)
            return []
        for stem in stems:
            _take(Path(scratch) / "drawn", target, stem)
    captions = drawn.captions | plotter.described({s: drawn.plotted[s] for s in stems if s in drawn.plotted})
    return plotter.figures(source, stems, drawn.plotted, captions)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Plotter:
    """Draws the figures of one study."""

    def __init__(self, tools: Tools, results: Results, screen_code: Callable[[str, str], None]) -> None:
        self.tools = tools
        self.results = results
        self.screen_code = screen_code
        self.name = tools.template.plot
        self.own = tools.template.texts[self.name]
        self.good = [run for run in results.runs if run.status == "ok"]

    def draw(self, scratch: Path) -> tuple[str, Drawn]:
        """The script that drew, and what it drew: the model's within its tries, else the template's own."""
        may_edit = self.name in self.tools.template.editable and not self.tools.is_small("code")
        source, trouble = self.own, ""
        for attempt in range(MAX_REPAIRS + 1) if may_edit else ():
            step = "figures/plot/edit" if attempt == 0 else f"figures/plot/fix_{attempt}"
            try:
                source = self._edited(source, step, trouble)
            except (AnswerError, EditError) as error:
                self.tools.log.note("edit_refused", step=step, run="figures", reason=error.why or error.what)
                break
            drawn = self._drawn(scratch, source)
            if drawn.outcome.ok and drawn.pictures:
                return source, drawn
            trouble = _trouble(drawn)
        return self.own, self._drawn(scratch, self.own)

    def _edited(self, source: str, step: str, trouble: str) -> str:
        """The model's version of `source`."""
        tools = self.tools
        question = Question(
            step=step,
            role="code",
            prompt="experiment_plot",
            inputs={
                "template": tools.template,
                "idea": tools.folder.read(tools.folder.idea, Idea),
                "results": self.results,
                "source": source,
                "files": self._files_of_a_run(),
                "trouble": trouble,
            },
            max_tokens=4000,
            temperature=0.3,
        )

        def check(reply: str) -> list[str]:
            try:
                return check_sources(
                    self._applied(reply, source).files, tools.template.importable(), tools.folder.code
                )
            except EditError as error:
                return [error.text]

        applied = self._applied(tools.ask_text(question, check=check), source)
        changed = applied.files[self.name]
        self.screen_code(f"{step}/safety", changed)
        noted = {"inexact": list(applied.inexact)} if applied.inexact else {}
        tools.log.note(
            "edit_applied", step=step, run="figures", commit="", diff=_diff(source, changed), **noted
        )
        return changed

    def _applied(self, reply: str, source: str) -> Applied:
        with tempfile.TemporaryDirectory(prefix="novum-edit-") as folder:
            (Path(folder) / self.name).write_text(source, encoding="utf-8", newline="")
            applied = apply_reply(reply, Path(folder), editable=[self.name])
        if set(applied.files) != {self.name}:
            raise EditError(
                "the reply makes other files", "figures are drawn by one", f"change {self.name} alone"
            )
        return applied

    def _files_of_a_run(self) -> list[str]:
        """What the baseline's folder holds, the streams and records of the harness apart."""
        ours = {"stdout.txt", "stderr.txt", "environment.json", "run.json"}
        folder = self.tools.folder.run(BASELINE)
        return sorted({p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - ours)

    # -- drawing -------------------------------------------------------------------------------------------

    def _drawn(self, scratch: Path, source: str) -> Drawn:
        work, target = scratch / "work", scratch / "drawn"
        for folder in (work, target):
            shutil.rmtree(folder, ignore_errors=True)
        self._lay_out(work, source)
        environment = environment_for(self.tools.template)
        access = Access(
            readonly=environment.readonly,
            protected=tuple(run.name for run in self.good),
            environment=environment.variables,
        )
        command = [str(environment.python), _CAPTURE, self.name]
        limits = self.tools.template.limits(self.tools.profile)
        outcome = self.tools.sandbox.run(command, work, limits, access)
        harvest(work, target, wanted=_is_wanted)
        pictures = tuple(sorted(p.stem for p in target.glob("*.png"))) if outcome.ok else ()
        return Drawn(outcome, pictures, _captions(target / "captions.json"), read_plotted(target / _PLOTTED))

    def _lay_out(self, work: Path, source: str) -> None:
        """Copies of the good runs as the plot script expects them, and what they are called."""
        work.mkdir(parents=True)
        for name, content in self.tools.template.run_contents().items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (work / self.name).write_text(source, encoding="utf-8", newline="")
        shutil.copyfile(_OWN, work / _CAPTURE)
        for run in self.good:
            # Templates of the first AI Scientist bring their own run_0.
            shutil.copytree(self.tools.folder.run(run.name), work / run.name, dirs_exist_ok=True)
        labels = {run.name: "baseline" if run.name == BASELINE else run_title(run) for run in self.good}
        (work / "labels.json").write_text(json.dumps(labels, indent=1), encoding="utf-8")

    # -- what is said of them ------------------------------------------------------------------------------

    def described(self, shown: Mapping[str, Plotted]) -> dict[str, str]:
        """A large model's caption of each figure; none when it gives none."""
        if self.tools.is_small("code") or not shown:
            return {}
        question = Question(
            step="figures/describe",
            role="writing",
            prompt="experiment_describe",
            inputs={"idea": self.tools.folder.read(self.tools.folder.idea, Idea), "figures": shown},
            max_tokens=800,
        )
        form = _caption_form(shown)
        answer: Any = self.tools.ask(question, form, default=lambda: form.model_construct())
        return {stem: str(text) for stem, text in answer.model_dump().items()}

    def figures(
        self, source: str, stems: list[str], plotted: Mapping[str, Plotted], captions: Mapping[str, str]
    ) -> list[Figure]:
        """The records of the figures, each with what is plotted there and recorded nowhere."""
        folders = [self.tools.folder.run(run.name) for run in self.good]
        known = recorded_numbers(self.results, folders)
        typed = typed_constants(source, self.name)
        found = []
        for number, stem in enumerate(stems):
            if stem in plotted:
                doubts = unmatched(stem, plotted[stem], known)
            else:
                doubts = [f"{stem}: what it shows was not recorded"]
            caption = captions.get(stem) or f"{_in_words(stem)}, drawn by the template's plot script."
            # A constant belongs to the script, not to one of its figures: it is told once.
            doubts += typed if number == 0 else []
            found.append(Figure(file=stem, caption=caption, source="template", doubts=tuple(doubts)))
        return found


def _caption_form(stems: Iterable[str]) -> type[BaseModel]:
    """One caption for each figure, without a digit: the numbers of a paper come from records."""
    fields: dict[str, Any] = {
        stem: (str, Field(min_length=20, max_length=400, pattern=r"^[^0-9]*$")) for stem in stems
    }
    return create_model("Captions", __base__=_Form, **fields)


def _in_words(stem: str) -> str:
    return stem.replace("_", " ").capitalize()


def _is_wanted(name: str) -> bool:
    return "/" not in name and name.endswith((".png", ".pdf", "captions.json", _PLOTTED))


def _trouble(drawn: Drawn) -> str:
    if drawn.outcome.ok:
        return "The script ended well, but it saved no .png file in the working folder."
    return f"{drawn.outcome.message}\n{drawn.outcome.stderr[-900:].strip()}"


def _diff(old: str, new: str) -> str:
    import difflib

    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "a", "b", lineterm=""))


def _captions(path: Path) -> dict[str, str]:
    try:
        found: Any = read_json(path)
    except UsageError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(k): str(v)[:400] for k, v in found.items() if isinstance(v, str)}


def _take(drawn: Path, target: Path, stem: str) -> None:
    """Move a picture's files; what has no PDF gets one."""
    shutil.move(drawn / f"{stem}.png", target / f"{stem}.png")
    if (drawn / f"{stem}.pdf").exists():
        shutil.move(drawn / f"{stem}.pdf", target / f"{stem}.pdf")
    else:
        _png_to_pdf(target / f"{stem}.png")


def _png_to_pdf(path: Path) -> None:
    import numpy as np
    from matplotlib import image
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    picture = np.asarray(image.imread(path))
    height, width = picture.shape[:2]
    canvas = Canvas(figsize=(width / 160, height / 160))
    FigureCanvasAgg(canvas)
    axes = canvas.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(picture)
    canvas.savefig(
        path.with_suffix(".pdf"), dpi=160, metadata={"CreationDate": None, "Producer": None, "Creator": None}
    )
