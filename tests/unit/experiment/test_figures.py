"""Figures: built in, curves, and those of the plot script, which a model may edit but not fill with numbers."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.experiment.curves import read_series
from novum.experiment.figures import draw_figures
from novum.experiment.plotted import (
    Plotted,
    PlottedSeries,
    read_plotted,
    recorded_numbers,
    typed_constants,
    unmatched,
)
from novum.experiment.plotting import MAX_REPAIRS
from novum.llm import Request
from novum.records import Figure, Results

from .conftest import DECLARATION, IDEA, SMALL, Lab, MakeLab, replacing, setting

PLOT = '''"""The errors of all runs."""

import json
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt

labels = json.loads(Path("labels.json").read_text())
for number, name in enumerate(labels):
    errors = json.loads((Path(name) / "final_info.json").read_text())["line"]["values"]["error"]
    plt.plot([number] * len(errors), errors, "o", label=labels[name])
plt.savefig("errors.png")
'''
DRAW = '    plt.plot([number] * len(errors), errors, "o", label=labels[name])'
SAVE = 'plt.savefig("errors.png")'


@pytest.fixture
def plots(make_lab: MakeLab) -> Lab:
    """A lab whose template has a plot script, with two runs done."""
    declaration = DECLARATION.replace('series = "series.jsonl"', 'series = "series.jsonl"\nplot = "plot.py"')
    declaration = declaration.replace(
        'editable = ["experiment.py"]', 'editable = ["experiment.py", "plot.py"]'
    )
    declaration = declaration.replace("[experiment]", 'requirements = ["matplotlib>=3.9"]\n\n[experiment]')
    lab = make_lab({"plot.py": PLOT, "template.toml": declaration})
    lab.run(setting(1.5))
    lab.folder.write(lab.folder.idea, IDEA)
    lab.asked.clear()
    return lab


def editing(*replies: str, caption: str = "Each point is the error of one seed of a run.") -> object:
    left = list(replies)

    def reply(request: Request) -> str | None:
        if request.step.startswith("figures/describe"):
            return json.dumps(dict.fromkeys((request.json_schema or {})["properties"], caption))
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


def figure(lab: Lab, stem: str = "errors") -> Figure:
    return next(f for f in draw_figures(lab.tools) if f.file == stem)


def test_the_built_in_figures_and_the_curves_stay(plots: Lab) -> None:
    plots.replies = editing("nothing")  # type: ignore[assignment]
    drawn = draw_figures(plots.tools)
    assert [(f.file, f.source) for f in drawn] == [
        ("line_error", "built-in"),
        ("recorded_curves", "built-in"),
        ("errors", "template"),
    ]
    for f in drawn:
        assert (plots.folder.figures / f"{f.file}.pdf").read_bytes().startswith(b"%PDF")
        assert (plots.folder.figures / f"{f.file}.png").stat().st_size > 1000


def test_a_model_edits_the_plot_script_and_describes_its_figures(plots: Lab) -> None:
    """Failures B S 7: what was said of one figure was pinned to another; here each has its name."""
    plots.replies = editing(replacing(SAVE, 'plt.ylabel("error")\nplt.savefig("seeds.png")', "plot.py"))  # type: ignore[assignment]
    made = draw_figures(plots.tools)
    drawn = next((f for f in made if f.file == "seeds"), None)
    assert drawn is not None, plots.events("edit_refused")
    assert drawn.caption == "Each point is the error of one seed of a run."
    assert drawn.doubts == ()
    told = plots.told("figures/plot/edit")
    assert "final_info.json" in told
    assert "run.json" not in told
    assert "points baseline" in plots.told("figures/describe") or "line baseline" in plots.told(
        "figures/describe"
    )
    (edit,) = plots.events("edit_applied")
    assert "seeds.png" in edit["diff"]


def test_a_constant_typed_into_a_plot_is_reported(plots: Lab) -> None:
    """Failures A 3: a number that no run recorded is shown as that, wherever it stands."""
    plots.replies = editing(
        replacing(SAVE, f'plt.plot([0.2, 0.3], [0.123, 0.456], label="ours")\n{SAVE}', "plot.py")
    )  # type: ignore[assignment]
    doubts = figure(plots).doubts
    assert "errors: 2 of 2 values of the line 'ours' are in no record" in doubts
    assert any("types numbers into plot" in d for d in doubts)
    assert any(e["doubts"] for e in plots.events("figure"))


def test_results_cannot_be_written_by_a_plot_script(plots: Lab) -> None:
    """Failures B I 6: a plot script runs in the sandbox, with copies of the runs that it cannot change."""
    attack = 'Path("run_1/final_info.json").write_text("{}")'
    plots.replies = editing(
        replacing(SAVE, f"{attack}\n{SAVE}", "plot.py"), replacing(attack, "pass", "plot.py")
    )  # type: ignore[assignment]
    assert figure(plots).doubts == ()
    assert "OSError" in plots.told("figures/plot/fix_1") or "PermissionError" in plots.told(
        "figures/plot/fix_1"
    )
    assert (plots.folder.run("run_1") / "final_info.json").read_text() != "{}"


def test_after_four_repairs_the_template_draws_its_own(plots: Lab) -> None:
    """Failures A 8: a plot script that failed four times was taken for a success."""
    broken = [f"plt.savefig('errors.png', {n}, nonsense)" for n in range(9)]
    replies = [replacing(SAVE, broken[0], "plot.py")]
    replies += [replacing(a, b, "plot.py") for a, b in pairwise(broken)]
    plots.replies = editing(*replies)  # type: ignore[assignment]
    assert figure(plots).doubts == ()
    steps = {r.step for r in plots.asked if r.step.startswith("figures/plot") and "retry" not in r.step}
    assert steps == {"figures/plot/edit", *(f"figures/plot/fix_{n}" for n in range(1, MAX_REPAIRS + 1))}
    assert MAX_REPAIRS == 4


def test_a_small_model_is_not_asked(plots: Lab) -> None:
    plots.capabilities = SMALL
    drawn = figure(plots)
    assert drawn.caption == "Errors, drawn by the template's plot script."
    assert plots.asked == []


def test_a_plot_script_that_fails_or_hangs_costs_its_figures_alone(make_lab: MakeLab) -> None:
    """Failures A 8, B C 2 and I 6: it has the limits of a run; nothing but its figures hangs on it."""
    declaration = DECLARATION.replace("wall_s = 20.0", "wall_s = 3.0")
    lab = make_lab({"plot.py": "import time\ntime.sleep(60)\n", "template.toml": declaration})
    lab.run(setting(1.5))
    drawn = draw_figures(lab.tools)
    assert {f.source for f in drawn} == {"built-in"}
    assert any("3" in e.get("reason", "") for e in lab.events("figure"))


@pytest.mark.parametrize("plot", [None, "", "\n\n"])
def test_a_missing_or_empty_plot_script_is_named_and_worked_round(
    make_lab: MakeLab, plot: str | None
) -> None:
    """Failures A 34: an empty plot.py could never give a PDF."""
    lab = make_lab({"plot.py": plot})
    lab.run(setting(1.5))
    assert draw_figures(lab.tools)
    assert any("no plot script" in e.get("reason", "") for e in lab.events("figure"))


def test_series_that_are_recorded_or_derived_from_records_are_matched(tmp_path: Path) -> None:
    import numpy as np

    known = np.array([0.5, 1.25, 2.0])
    shown = Plotted(
        (
            PlottedSeries("line", "known", (0, 1), (0.5, 2.0)),
            PlottedSeries("line", "half", (0, 1), (0.5, 0.75)),
            PlottedSeries("line", "zero", (0, 1), (0.0, float("nan"))),
        ),
        (),
    )
    assert unmatched("f", shown, known) == ["f: 1 of 2 values of the line 'half' are in no record"]
    assert unmatched("f", shown, np.array([])) != []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"series": [{}], "words": []}}', "null"])
def test_what_a_script_says_it_plotted_is_read_with_care(tmp_path: Path, text: str) -> None:
    (tmp_path / "plotted.json").write_text(text)
    assert read_plotted(tmp_path / "plotted.json") == {}
    assert read_plotted(tmp_path / "missing.json") == {}


def test_typed_constants_are_found_and_layout_is_let_through() -> None:
    source = "\n".join(
        (
            "plt.plot(x, y, alpha=0.5, linewidth=2)",
            "axes.bar([1, 2], [0.5, 0.7])",
            "plt.axhline(0)",
            "plt.axhline(-0.37)",
            "plt.text(0.1, 0.1, 'gain of 12.5')",
            "plt.figure(figsize=(4, 3))",
        )
    )
    found = typed_constants(source, "plot.py")
    assert [f.split(" ")[0] for f in found] == ["plot.py:2", "plot.py:4", "plot.py:5"]


def test_lines_of_a_series_that_are_none_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "series.jsonl"
    path.write_text(
        '{"step": 1, "name": "a", "value": 2}\nnonsense\n{"step": 1, "name": "a", "value": NaN}\n[]\n{}\n'
    )
    assert read_series(path) == {"a": {1.0: [2.0]}}
    assert read_series(tmp_path / "missing") == {}


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=200)
    | st.sampled_from(["plt.plot([1], -2)", "a.bar(*x)", "plt.text('1.5', 1)", "f()()(1)"])
)
def test_no_script_breaks_the_search_for_constants(source: str) -> None:
    assert all(line.startswith("plot.py:") for line in typed_constants(source, "plot.py"))


def test_a_row_of_a_series_without_a_name_ends_nothing(plots: Lab) -> None:
    """One line of any .jsonl file without `name` ended the figures, and did so at every resume."""
    rows = [
        '{"a": 1}',
        "[]",
        "nonsense",
        '{"name": "w", "step": 1, "value": 0.125}',
        '{"name": "w", "step": 1}',
    ]
    (plots.folder.run("run_1") / "log.jsonl").write_text(
        "\n".join([*rows, "[" * 100_000, '{"step": ' + "9" * 400 + "}"])
    )
    plots.replies = editing("nothing")  # type: ignore[assignment]
    assert figure(plots).doubts == ()
    assert 0.125 in recorded_numbers(Results(runs=(), results=()), [plots.folder.run("run_1")])


@pytest.mark.parametrize(
    "save",
    [
        'plt.gcf().canvas.print_figure("errors.png")',
        'plt.savefig("errors.png")\nimport os\nos._exit(0)',
        'plt.savefig("errors.png")\nfor n in range(60): plt.plot(range(20000))\nplt.savefig("errors.png")',
    ],
)
def test_a_figure_whose_data_were_not_captured_is_doubted(plots: Lab, save: str) -> None:
    """What nobody could hold against the records passed as if it had been."""
    plots.replies = editing(replacing(SAVE, save, "plot.py"))  # type: ignore[assignment]
    assert "errors: what it shows was not recorded" in figure(plots).doubts


def test_captions_that_are_nested_without_end_are_none(plots: Lab) -> None:
    deep = 'Path("captions.json").write_text("[" * 100_000)'
    plots.replies = editing(replacing(SAVE, f"{deep}\n{SAVE}", "plot.py"))  # type: ignore[assignment]
    assert figure(plots).file == "errors"


def test_a_reply_that_leaves_the_plot_script_alone_is_refused(plots: Lab) -> None:
    plots.replies = editing("helper.py\n```python\nX = 1\n```\n")  # type: ignore[assignment]
    assert figure(plots).doubts == ()
    assert "figures are drawn by one" in plots.events("edit_refused")[0]["reason"]


def test_arrays_of_a_run_are_records_unless_any_number_is_near_one_of_theirs(tmp_path: Path) -> None:
    """Honest figures of drawn samples were doubted; and a million weights would vouch for any number."""
    import numpy as np

    weights = np.random.default_rng(0).normal(size=200_000)
    np.savez(tmp_path / "samples.npz", moons=np.array([[0.5, 0.25]], dtype=np.float32), weights=weights)
    np.savez_compressed(tmp_path / "more.npz", x=np.array([0.125, np.nan]), words=np.array(["a"]))
    np.save(tmp_path / "one.npy", np.array([7.5]))
    np.savez(tmp_path / "pickled.npz", x=np.array([{"a": 1.75}], dtype=object))
    (tmp_path / "broken.npz").write_bytes((tmp_path / "samples.npz").read_bytes()[:200])
    (tmp_path / "none.npz").write_bytes(b"nothing")
    known = recorded_numbers(Results(runs=(), results=()), [tmp_path])
    assert known.tolist() == [0.125, 0.25, 0.5, 7.5]


def test_an_archive_that_unpacks_to_too_much_is_left(tmp_path: Path) -> None:
    """Bad input: a few kilobytes that unpack to more than the memory."""
    import zipfile

    from novum.errors import UsageError
    from novum.experiment.arrays import read_arrays

    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(4 << 20))
    assert path.stat().st_size < 1 << 16
    with pytest.raises(UsageError, match="unpacks to more"):
        list(read_arrays(path, 1 << 20))


def test_points_are_held_against_records_in_both_directions() -> None:
    """A cloud of points is as much its x as its y; whole numbers across are the places of runs or steps."""
    import numpy as np

    shown = Plotted((PlottedSeries("points", "cloud", (0.25, 3.0, 0.75), (0.5, 0.5, 0.5)),), ())
    assert unmatched("f", shown, np.array([0.25, 0.5])) == [
        "f: 1 of 5 values of the points 'cloud' are in no record"
    ]
