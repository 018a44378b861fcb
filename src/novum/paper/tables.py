"""The tables of runs, results and costs: made by the code from records, every value by key."""

from __future__ import annotations

from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper.costs import cost_rows
from novum.paper.material import BASELINE, Material, row_label
from novum.records import Run

COLUMNS = 5
"""Metrics in one table of results."""
_MARKS = {
    "better": "$^{\\uparrow}$",
    "worse": "$^{\\downarrow}$",
    "higher": "$^{\\ast}$",
    "lower": "$^{\\ast}$",
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(body: str, caption: str, label: str, size: str = r"\small") -> str:
    head = rf"\caption{{{caption}}}\label{{{label}}}{size}"
    return "\n".join((r"\begin{table}[t]", r"\centering", head, body, r"\end{table}"))


def table_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table, every cell in LaTeX."""
    return [r"\novumstrut " + " & ".join(row) + r" \\" for row in rows]


# -- runs ----------------------------------------------------------------------------------------------


def runs_table(material: Material) -> str:
    """Every run: what was changed, who planned it, how it ended."""
    rows = [
        [row_label(run.name), _what(run, material), _planned(run), _ended(run)]
        for run in material.results.runs
    ]
    body = [
        r"\begin{tabularx}{\linewidth}{@{}l>{\raggedright\arraybackslash}Xll@{}}",
        r"\novumtop",
        r"Run & What was changed & Planned by & Ended \\",
        r"\novummid",
        *table_rows(rows),
        r"\novumbottom",
        r"\end{tabularx}",
    ]
    caption = (
        "All runs of the study, failed ones included. Everything that is not named is as in the baseline."
    )
    return _table("\n".join(body), caption, "tab:runs")


_JUDGED = {
    "implemented": "judged as implemented",
    "partly": "judged as implemented in part",
    "not": "judged as not implemented",
}


def _what(run: Run, material: Material) -> str:
    if run.name == BASELINE:
        return "nothing (the template as it is)"
    parts = [
        rf"{_capital(material.parameter_label(name))}: \config{{{run.name}/{name}}}"
        f" (baseline \\config{{{name}}})"
        if material.template.parameter(name)
        else rf"{_capital(material.parameter_label(name))}: \config{{{run.name}/{name}}}"
        for name in run.arguments
    ]
    if run.change:
        judged = f" [{_JUDGED[run.implemented]}]" if run.implemented else ""
        parts.append(rf"Code: \config{{{run.name}/change}}{judged}")
    return "; ".join(parts) or "code edited"


def _planned(run: Run) -> str:
    who = {"model": "model", "user": "template", "default": "default"}[
        run.source if run.name != BASELINE else "user"
    ]
    return f"{who}, exploratory" if run.exploratory else who


def _ended(run: Run) -> str:
    return {"ok": "valid", "failed": "failed", "invalid": "invalid"}[run.status]


# -- results -------------------------------------------------------------------------------------------


def result_tables(material: Material) -> list[str]:
    """Results of every valid run, as many tables as the metrics need."""
    groups = [material.series[i : i + COLUMNS] for i in range(0, len(material.series), COLUMNS)]
    return [_result_table(group, number, material) for number, group in enumerate(groups, start=1)]


def _result_table(group: Sequence[tuple[str, str]], number: int, material: Material) -> str:
    width = f"@{{}}l*{{{len(group)}}}{{>{{\\centering\\arraybackslash}}X}}@{{}}"
    head = ["Run", *(_heading(dataset, metric, material) for dataset, metric in group)]
    runs = [material.baseline, *material.valid]
    rows = [[row_label(run.name), *(_cell(run, *pair, material) for pair in group)] for run in runs]
    body = [
        rf"\begin{{tabularx}}{{\linewidth}}{{{width}}}",
        r"\novumtop",
        *table_rows([head]),
        r"\novummid",
        *table_rows(rows),
        r"\novumbottom",
        r"\end{tabularx}",
    ]
    caption = (
        r"Results of all valid runs: mean over \config{study/seeds} seeds with the margin of its 95\,\% "
        r"interval. After Holm's correction a "
        r"detectable difference from the baseline is marked $\uparrow$ (better), $\downarrow$ (worse) or "
        r"$\ast$ (no direction is declared)."
    )
    if any(_is_costly(run, *pair, material) for run in runs for pair in group):
        caption += (
            r" $\ddagger$ marks what was won with over \config{study/cost_margin} more parameters, time or memory "
            r"than the baseline has (Table~\ref{tab:costs})."
        )
    if any(_self_reported(*pair, material) for pair in group):
        caption += r" $\dagger$ marks metrics that the runs report about themselves."
    return _table("\n".join(body), caption, f"tab:results{number}", r"\footnotesize\setlength\tabcolsep{3pt}")


def _heading(dataset: str, metric: str, material: Material) -> str:
    unit = material.metric_unit(metric)
    label = _capital(material.metric_label(metric, dataset))
    mark = "$^{\\dagger}$" if _self_reported(dataset, metric, material) else ""
    return f"{label} ({escape(unit)}){mark}" if unit else label + mark


def _self_reported(dataset: str, metric: str, material: Material) -> bool:
    return any(
        r.self_reported for r in material.results.results if (r.dataset, r.metric) == (dataset, metric)
    )


def _is_costly(run: Run, dataset: str, metric: str, material: Material) -> bool:
    made = material.comparison(run.name, dataset, metric)
    return made is not None and made.verdict == "better" and bool(made.more)


def _cell(run: Run, dataset: str, metric: str, material: Material) -> str:
    if material.result(run.name, dataset, metric) is None:
        return "--"
    made = material.comparison(run.name, dataset, metric)
    mark = _MARKS.get(made.verdict, "") if made else ""
    if _is_costly(run, dataset, metric, material):
        mark += "$^{\\ddagger}$"
    return rf"\resultcell{{{run.name}/{dataset}/{metric}}}{mark}"


def costs_table(material: Material) -> str:
    """Parameters, wall time and peak memory of each valid run."""
    runs = [material.baseline, *material.valid]
    heads, cells = cost_rows(runs)
    body = [
        rf"\begin{{tabularx}}{{\linewidth}}{{@{{}}l*{{{len(heads)}}}{{>{{\centering\arraybackslash}}X}}@{{}}}}",
        r"\novumtop",
        *table_rows([["Run", *heads]]),
        r"\novummid",
        *table_rows([[row_label(run.name), *row] for run, row in zip(runs, cells, strict=True)]),
        r"\novumbottom",
        r"\end{tabularx}",
    ]
    caption = (
        "What each valid run used, all its seeds together. What could not be measured is not controlled."
    )
    return _table("\n".join(body), caption, "tab:costs")
