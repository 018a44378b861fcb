"""What a model is told of the study: the same bytes at the head of every question of the writing phase.

A small model gets no numbers at all, for it would only repeat them wrongly; results are told in words.
"""

from __future__ import annotations

import re

from novum.paper.material import BASELINE, DETECTED, Material
from novum.paper.numbers import spoken
from novum.paper.prose import content_stems
from novum.paper.text import sentence_list
from novum.records import Comparison, Run
from novum.untrusted import as_line

_MACRO = re.compile(r"\\[A-Za-z]+\*?(?:\{([^{}]*)\})?")


def small_brief(material: Material) -> str:
    """Field, question, what was changed and measured, what came out; in words."""
    template = material.template
    lines = [
        f"Field: {template.domain or 'experiments with computer programs'}. Subject: {template.title}.",
        as_line(template.description, 400),
        f"Hypothesis: {as_line(material.idea.hypothesis, 400)}",
        "What the runs change:",
        *(f"- {line}" for line in changes(material)),
        "What is measured:",
        *(f"- {plain(material.metric_label(m))}: {_described(m, material)}" for m in _metrics(material)),
        "What came out, compared with the unchanged baseline:",
        *(f"- {run_in_words(run, material)}" for run in material.others),
    ]
    if template.paper.limitations:
        lines += ["Limits of the study:", *(f"- {plain(s)}" for s in template.paper.limitations[:4])]
    return "\n".join(line for line in lines if line)


def changes(material: Material) -> list[str]:
    """Each thing that some run changes, with its description."""
    found: dict[str, str] = {}
    for run in material.others:
        for name in run.arguments:
            parameter = material.template.parameter(name)
            about = f": {parameter.description}" if parameter and parameter.description else ""
            found[name] = f"{plain(material.parameter_label(name))}{about}"
        if run.change:
            function = material.edited_function(run)
            about = (
                f" ({function.description.rstrip('.').lower()})" if function and function.description else ""
            )
            found[run.change] = f"{plain(material.edited_part(run))}{about}: {as_line(run.change, 120)}"
    return list(found.values())


def _metrics(material: Material) -> list[str]:
    return list(dict.fromkeys(m for _, m in material.series))


def _described(metric: str, material: Material) -> str:
    declared = material.template.metric(metric)
    if declared is None:
        return "a metric"
    aim = {"minimize": " (low is good)", "maximize": " (high is good)", "none": ""}[declared.direction]
    return f"{declared.description or 'a metric'}{aim}"


def run_in_words(run: Run, material: Material) -> str:
    """`strength of the contact reduction raised: peak lower (better); day of the peak no detectable difference`."""
    what = "; ".join(_setting(run, n, material) for n in run.arguments)
    if run.change:
        how = {"partly": " in part", "not": " otherwise than planned"}.get(run.implemented, "")
        edited = f"{plain(material.edited_part(run))} changed{how}"
        what = f"{what}; {edited}" if what else edited
    if run.status != "ok":
        return f"{what or run.name}: the run failed and has no results"
    said = []
    for dataset, metric in material.series:
        made = material.comparison(run.name, dataset, metric)
        if made is not None:
            said.append(f"{plain(material.metric_label(metric, dataset))} {_verdict(made)}")
    return f"{what or run.name}: {', '.join(said)}"


def _setting(run: Run, name: str, material: Material) -> str:
    value, parameter = run.arguments[name], material.template.parameter(name)
    label = plain(material.parameter_label(name))
    if parameter is None or isinstance(value, str) or isinstance(parameter.default, str):
        return f"{label} set to {value}"
    if value == parameter.default:
        return f"{label} as before"
    return f"{label} {'raised' if value > parameter.default else 'lowered'}"


def _verdict(made: Comparison) -> str:
    if made.verdict not in DETECTED:
        return made.verdict
    direction = "higher" if made.difference > 0 else "lower"
    cost = f", with more {sentence_list(list(made.more))}" if made.verdict == "better" and made.more else ""
    return direction if made.verdict == direction else f"{direction} ({made.verdict}{cost})"


def plain(tex: str) -> str:
    """LaTeX of the code or a template as plain words."""
    text = spoken(tex.replace("~", " "))
    text = _MACRO.sub(lambda m: m[1] or " ", text)
    return " ".join(text.replace("{", "").replace("}", "").split())


def vocabulary(material: Material) -> frozenset[str]:
    """The stems of everything that the study is about."""
    template = material.template
    texts = [
        material.idea.title,
        material.idea.hypothesis,
        material.idea.plan,
        template.title,
        template.domain,
        template.description,
        *(f"{p.title} {p.description}" for p in template.parameters),
        *(f"{m.title} {m.description}" for m in template.metrics),
        *template.paper.keywords,
        *(
            plain(s)
            for s in (*template.paper.background, *template.paper.method, *template.paper.limitations)
        ),
        *(c.topic for c in template.paper.citations),
    ]
    return content_stems(" ".join(texts))


def known_words(material: Material) -> frozenset[str]:
    """The words of the brief, as they are written there."""
    return frozenset(w for w in re.findall(r"[a-z]{3,}", small_brief(material).lower()))


def metric_words(material: Material) -> frozenset[str]:
    """The stems of the metrics' names, without words that parameters use too."""
    measured = content_stems(" ".join(plain(material.metric_label(m)) for m in _metrics(material)))
    changed = content_stems(" ".join(p.title for p in material.template.parameters))
    return measured - changed


__all__ = ["BASELINE", "changes", "metric_words", "plain", "run_in_words", "small_brief", "vocabulary"]
