"""Tables and the provenance appendix: made by the code from records, every value by key."""

from __future__ import annotations

from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper.material import BASELINE, Material, row_label
from novum.paper.numbers import comparison_anchor, config_anchor, half_width, pair_key, result_anchor
from novum.records import Comparison, Run

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


def _rows(rows: Sequence[Sequence[str]]) -> list[str]:
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
        *_rows(rows),
        r"\novumbottom",
        r"\end{tabularx}",
    ]
    caption = (
        "All runs of the study, failed ones included. Everything that is not named is as in the baseline."
    )
    return _table("\n".join(body), caption, "tab:runs")


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
        parts.append(rf"Code: \config{{{run.name}/change}}")
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
        *_rows([head]),
        r"\novummid",
        *_rows(rows),
        r"\novumbottom",
        r"\end{tabularx}",
    ]
    caption = (
        r"Results of all valid runs: mean over \config{study/seeds} seeds with the margin of its 95\,\% "
        r"interval. After Holm's correction a "
        r"detectable difference from the baseline is marked $\uparrow$ (better), $\downarrow$ (worse) or "
        r"$\ast$ (no direction is declared)."
    )
    return _table("\n".join(body), caption, f"tab:results{number}", r"\footnotesize\setlength\tabcolsep{3pt}")


def _heading(dataset: str, metric: str, material: Material) -> str:
    unit = material.metric_unit(metric)
    label = _capital(material.metric_label(metric, dataset))
    return f"{label} ({escape(unit)})" if unit else label


def _cell(run: Run, dataset: str, metric: str, material: Material) -> str:
    if material.result(run.name, dataset, metric) is None:
        return "--"
    made = material.comparison(run.name, dataset, metric)
    mark = _MARKS.get(made.verdict, "") if made else ""
    return rf"\resultcell{{{run.name}/{dataset}/{metric}}}{mark}"


# -- provenance ----------------------------------------------------------------------------------------


def provenance(material: Material) -> str:
    """The appendix to which every number links: runs, results, comparisons, configuration."""
    parts = [
        r"\section{Provenance}\label{app:provenance}",
        "Every number in this paper is a value that a run recorded, a comparison that the harness computed "
        "from such values, "
        "or a setting of the study; each links to its row below. A run is identified by the hash of its "
        "code, arguments, "
        "seeds, environment and limits, and by the commit of its code.",
        _runs_appendix(material),
        _results_appendix(material),
        _comparisons_appendix(material),
        _config_appendix(material),
    ]
    return "\n\n".join(part for part in parts if part)


def _long(title: str, columns: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    return "\n".join(
        (
            rf"\paragraph{{{title}.}}",
            r"{\footnotesize\novumlong",
            rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
            r"\novumtop",
            *_rows([head]),
            r"\novummid\endhead",
            r"\novumbottom\endfoot",
            *_rows(rows),
            r"\end{longtable}}",
        )
    )


def _mono(text: str) -> str:
    return rf"\texttt{{{_breakable(escape(text))}}}"


def _breakable(escaped: str) -> str:
    return escaped.replace("/", r"/\allowbreak{}").replace(r"\_", r"\_\allowbreak{}")


def _runs_appendix(material: Material) -> str:
    rows = [
        [
            _mono(run.name),
            _mono(run.identity[:12]),
            _mono(run.commit[:10]),
            escape(_seeds(run)),
            run.status,
            escape(run.sandbox),
        ]
        for run in material.results.runs
    ]
    head = ["run", "identity", "commit", "seeds", "status", "sandbox"]
    return _long("Runs", "lllp{0.9in}lp{1.9in}", head, rows)


def _seeds(run: Run) -> str:
    seeds = list(run.seeds)
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds)) or "not set"


def _results_appendix(material: Material) -> str:
    rows = []
    for position, result in enumerate(material.results.results):
        low, high = _plain(result.low), _plain(result.high)
        interval = f"{low} to {high}" if half_width(result.low, result.high) is not None else "none"
        reported = "run" if result.self_reported else "harness"
        anchor = rf"\novumanchor{{{result_anchor(position)}}}"
        rows.append(
            [
                anchor + _mono(result.key),
                _plain(result.mean),
                interval,
                str(result.n),
                escape(result.unit),
                reported,
                _mono(result.commit[:7]),
            ]
        )
    head = ["result", "mean", r"95\,\% interval", "n", "unit", "measured by", "commit"]
    return _long("Results", ">{\\raggedright\\arraybackslash}p{1.9in}rlrlll", head, rows)


def _comparisons_appendix(material: Material) -> str:
    rows = []
    for position, made in enumerate(material.results.comparisons):
        anchor = rf"\novumanchor{{{comparison_anchor(position)}}}"
        interval = f"{_plain(made.low)} to {_plain(made.high)}" if made.low is not None else "none"
        rows.append(
            [
                anchor + _mono(made.a),
                _plain(made.difference),
                interval,
                *_p_values(made),
                _verdict(made),
            ]
        )
    head = [
        "result, against the baseline's",
        "difference",
        r"95\,\% interval",
        "$p$",
        "$p$ (Holm)",
        "verdict",
    ]
    return _long(
        "Comparisons",
        ">{\\raggedright\\arraybackslash}p{1.75in}rllll",
        head,
        rows,
    )


def _verdict(made: Comparison) -> str:
    return "none detected" if made.verdict == "no detectable difference" else escape(made.verdict)


def _p_values(made: Comparison) -> list[str]:
    return ["none" if p is None else f"{p:.2g}" for p in (made.p_value, made.p_adjusted)]


def _config_appendix(material: Material) -> str:
    rows = [
        [rf"\novumanchor{{{config_anchor(i)}}}{_mono(fact.key)}", fact.value, escape(fact.source)]
        for i, fact in enumerate(material.facts)
    ]
    return _long(
        "Configuration",
        ">{\\raggedright\\arraybackslash}p{1.9in}>{\\raggedright\\arraybackslash}p{2.7in}l",
        ["key", "value", "from"],
        rows,
    )


def _plain(value: float | None) -> str:
    if value is None:
        return "none"
    text = f"{value:.5g}"
    return rf"$-${text[1:]}" if text.startswith("-") else text


__all__ = ["pair_key", "provenance", "result_tables", "runs_table"]
