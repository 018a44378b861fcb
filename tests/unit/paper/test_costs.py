"""Fair comparison, second opinions and ways to end in the paper: in the table and in the text."""

from __future__ import annotations

import pytest

from novum.events import EventLog
from novum.paper.audit_checks import unbound_in
from novum.paper.brief import run_in_words
from novum.paper.claims import claims_in, judge, result_sentences
from novum.paper.findings import abstract_facts, closing, limitations
from novum.paper.material import Material, load_material
from novum.paper.numbers import known_keys, numbers_tex
from novum.paper.tables import costs_table, result_tables, runs_table
from novum.records import Figure, Results
from novum.store import StudyFolder
from novum.template import Template

from .conftest import make_results


def costly(results: Results) -> Results:
    """The same study, in which run 1 won with a larger model and nobody measured memory."""
    runs = []
    for run in results.runs:
        outcome = run.outcome.model_copy(update={"wall_s": 14.0 if run.name == "run_1" else 10.0})
        parameters = 1260.0 if run.name == "run_1" else 1000.0
        judged = {"implemented": "partly", "implemented_reason": "Half of it."} if run.edited else {}
        runs.append(run.model_copy(update={"outcome": outcome, "parameters": parameters, **judged}))
    comparisons = [
        c.model_copy(
            update={
                "more": {"parameters": 0.26, "wall time": 0.4} if c.a.startswith("run_1/") else {},
                "not_controlled": ("peak memory",),
            }
        )
        for c in results.comparisons
    ]
    return results.model_copy(update={"runs": tuple(runs), "comparisons": tuple(comparisons)})


@pytest.fixture
def material(folder: StudyFolder, log: EventLog, template: Template) -> Material:
    folder.write(folder.results, costly(make_results()))
    return load_material(folder, log, template)


def text_of(material: Material) -> str:
    return " ".join(b.tex for b in limitations(material))


def test_a_win_with_more_of_something_says_so_in_its_sentence(material: Material) -> None:
    won = [s for s in result_sentences(material) if s.comparison and s.comparison.verdict == "better"]
    ours = [s.tex for s in won if s.run == "run_1"]
    assert ours
    for tex in ours:
        assert r"\config{run_1/more/parameters} more parameters" in tex
        assert r"\config{run_1/more/wall_time} more wall time" in tex
    for sentence in won:
        assert "the peak memory was not controlled" in sentence.tex
        assert unbound_in(sentence.tex) == []
        assert all(judge(claim, material.results)[0] for claim in claims_in(sentence.tex))


def test_what_was_not_won_says_nothing_of_costs(material: Material) -> None:
    others = [s for s in result_sentences(material) if not s.comparison or s.comparison.verdict != "better"]
    assert others
    assert not any("more/" in s.tex or "not controlled" in s.tex for s in others)


def test_the_tables_show_what_was_used_and_mark_what_it_won(material: Material) -> None:
    costs = costs_table(material)
    assert r"\config{run_1/used/parameters}" in costs
    assert "Peak memory (MiB)" in costs
    assert "not controlled" in costs
    (table,) = result_tables(material)
    assert r"$^{\ddagger}$" in table
    assert r"\config{study/cost_margin}" in table
    assert unbound_in(costs) == unbound_in(table) == []


def test_every_key_of_a_cost_has_a_value(material: Material) -> None:
    keys = known_keys(material.results, material.facts)["config"]
    wanted = {"run_0/used/parameters", "run_1/more/parameters", "run_1/more/wall_time", "study/cost_margin"}
    assert wanted <= keys
    numbers = numbers_tex(material.results, material.facts)
    assert r"{run_1/more/parameters}{\novumlink" in numbers
    assert r"26\,\%" in numbers


def test_a_size_matched_control_is_proposed(material: Material) -> None:
    assert "a control run, the baseline with its size matched to run~1, is proposed" in text_of(material)


def test_a_small_model_is_told_of_the_cost_in_words(material: Material) -> None:
    said = run_in_words(next(r for r in material.others if r.name == "run_1"), material)
    assert "(better, with more parameters and wall time)" in said


def test_the_second_opinion_on_a_change_is_shown(material: Material) -> None:
    """Failures A 2: an experiment that its code never was appeared in a paper."""
    assert "[judged as implemented in part]" in runs_table(material)
    assert "did only in part what was planned" in text_of(material)
    said = run_in_words(next(r for r in material.others if r.name == "run_3"), material)
    assert "changed in part" in said


def test_an_abandoned_idea_is_a_null_result_in_the_paper(
    folder: StudyFolder, log: EventLog, template: Template
) -> None:
    results = make_results().model_copy(update={"ended": "abandoned", "ended_reason": "Nothing helped."})
    folder.write(folder.results, results)
    material = load_material(folder, log, template)
    assert "reported as a null result" in closing(material).tex
    assert "reported as a null result" in abstract_facts(material)


def test_a_study_as_planned_says_nothing_of_its_end(material: Material) -> None:
    assert "abandoned" not in closing(material).tex
    assert "  " not in closing(material).tex


def test_metrics_that_runs_report_themselves_are_marked(
    folder: StudyFolder, log: EventLog, template: Template
) -> None:
    results = make_results()
    marked = [r.model_copy(update={"self_reported": r.metric == "peak_day"}) for r in results.results]
    folder.write(folder.results, results.model_copy(update={"results": tuple(marked)}))
    material = load_material(folder, log, template)
    (table,) = result_tables(material)
    assert table.count(r"$^{\dagger}$") == 1
    assert "report about themselves" in table
    assert "only the word of the changed code stands" in text_of(material)


def test_a_figure_with_numbers_that_no_run_recorded_is_named(
    folder: StudyFolder, log: EventLog, template: Template
) -> None:
    """Failures A 3: constants that were typed into a plot."""
    figures = load_material(folder, log, template).figures
    doubted = [
        f.model_copy(update={"doubts": ("curves: 2 of 2 values",)}) if f.file == "curves" else f
        for f in figures
    ]
    folder.write_json(folder.figures / "figures.json", [Figure.model_dump(f, mode="json") for f in doubted])
    assert r"Some of what Figure~\ref{fig:curves} shows is in no record" in text_of(
        load_material(folder, log, template)
    )
