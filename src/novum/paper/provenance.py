"""The provenance appendix, to which every number of the paper links: made by the code from records."""

from __future__ import annotations

from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper.material import Material
from novum.paper.numbers import comparison_anchor, config_anchor, half_width, result_anchor
from novum.paper.tables import table_rows
from novum.records import Comparison, Run


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
            *table_rows([head]),
            r"\novummid\endhead",
            r"\novumbottom\endfoot",
            *table_rows(rows),
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
