r"""Comparisons as data beside their sentences, and the sentences that the code makes of verified comparisons.

A claim stands in paper.tex as `\claim{a}{relation}{b}`, which prints nothing: so the audit finds it again. A
sentence made here names values by key alone, and its relation is the verdict that the harness recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from novum.paper.costs import with_cost
from novum.paper.material import BASELINE, DETECTED, Material, run_label
from novum.paper.numbers import PAIR_MACROS, RESULT_MACROS
from novum.records import Claim, Comparison, Results, Run

RELATIONS: tuple[str, ...] = get_args(Claim.model_fields["relation"].annotation)
_CLAIM = re.compile(r"\\claim\{([^{}]*)\}\{([^{}]*)\}\{([^{}]*)\}")


class Sentence(NamedTuple):
    """One sentence about results, rendered by the code. `tex` names numbers by key."""

    id: str
    tex: str
    run: str
    metric: str
    primary: bool
    comparison: Comparison | None


class FoundClaim(NamedTuple):
    """A claim as it stands in LaTeX."""

    a: str
    relation: str
    b: str


def result_sentences(material: Material) -> list[Sentence]:
    """A sentence for every comparison with the baseline, and one for every run that has no results.

    The wording varies with the position, so that the same results always give the same sentences.
    """
    sentences: list[Sentence] = []
    for run in material.others:
        if run.status != "ok":
            sentences.append(_without_results(run, material, len(sentences)))
            continue
        for dataset, metric in material.series:
            made = material.comparison(run.name, dataset, metric)
            if made is not None:
                sentences.append(_compared(run, dataset, metric, made, material, len(sentences)))
    return sentences


def _compared(
    run: Run, dataset: str, metric: str, made: Comparison, material: Material, position: int
) -> Sentence:
    words = _Words(run, dataset, metric, made, material)
    if made.verdict in DETECTED:
        wordings: tuple[_Wording, ...] = _DETECTED
    elif made.verdict == "not comparable":
        wordings = (_not_comparable,)
    elif made.p_value is None and made.difference == 0:
        wordings = (_the_same,)
    else:
        wordings = _NOT_DETECTED
    tex = with_cost(wordings[position % len(wordings)](words), made)
    if made.verdict in RELATIONS:
        tex += rf"\claim{{{made.a}}}{{{made.verdict}}}{{{made.b}}}"
    primary = metric == material.primary
    return Sentence(f"S{position + 1}", tex, run.name, metric, primary, made)


_Wording = Callable[["_Words"], str]


class _Words:
    """The parts of a sentence about one comparison."""

    def __init__(self, run: Run, dataset: str, metric: str, made: Comparison, material: Material) -> None:
        self.metric = material.metric_label(metric, dataset)
        self.run = run_label(run.name)
        self.with_ = run_phrase(run, material)
        self.a = rf"\resultpm{{{made.a}}}"
        self.b = rf"\result{{{made.b}}}"
        pair = f"{{{made.a}}}{{{made.b}}}"
        self.by = rf"\changeby{pair}" if made.relative is not None else rf"\difference{pair}"
        self.difference = rf"\differencepm{pair}"
        self.p = rf"\pvalue{pair}" if made.p_value is not None else "with the same difference in every seed"
        self.moved = "fell" if made.difference < 0 else "rose"
        self.change = f"a detectable {'decrease' if made.difference < 0 else 'increase'}"
        self.judged = {"better": "an improvement", "worse": "a deterioration"}.get(made.verdict, "")


def run_phrase(run: Run, material: Material) -> str:
    r"""`With the latent period set to \config{run_1/latent_days} days`, `With the edited code of run~2`."""
    settings = [
        rf"the {material.parameter_label(name)} set to \config{{{run.name}/{name}}}{_unit(name, material)}"
        for name in run.arguments
    ]
    if run.edited or run.change:
        settings.append(f"the edited code of {run_label(run.name)}")
    return "With " + (" and ".join(settings) if settings else f"the settings of {run_label(run.name)}")


def _unit(name: str, material: Material) -> str:
    parameter = material.template.parameter(name)
    unit = parameter.unit if parameter else ""
    return "" if not unit or unit.startswith("fraction") or " " in unit else f"~{unit}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _aside(w: _Words, lead: str = "") -> str:
    """What the change is, and its p value, in one pair of brackets or after a comma."""
    what = " and ".join(part for part in (lead, w.judged) if part)
    return f"{what}, {w.p}" if what else w.p


_DETECTED: tuple[_Wording, ...] = (
    lambda w: f"{w.with_}, the {w.metric} {w.moved} by {w.by}, from {w.b} to {w.a}: {_aside(w, w.change)}.",
    lambda w: (
        f"In {w.run} the {w.metric} came to {w.a}, against {w.b} in the baseline: {_aside(w, w.change)}."
    ),
    lambda w: (
        f"{w.with_}, the {w.metric} {w.moved} to {w.a}; the difference from the baseline is {w.difference}: "
        f"{_aside(w, w.change)}."
    ),
    lambda w: (
        f"For {w.run} the {w.metric} {w.moved} by {w.by}; the difference is {w.difference}: {_aside(w, 'detectable')}."
    ),
)
_NOT_DETECTED: tuple[_Wording, ...] = (
    lambda w: (
        f"{w.with_}, the {w.metric} came to {w.a}; no difference from the baseline could be detected ({w.p})."
    ),
    lambda w: (
        f"In {w.run} no change of the {w.metric} could be detected: the difference is {w.difference}, {w.p}."
    ),
    lambda w: (
        f"For {w.run} the {w.metric} came to {w.a}, against {w.b} in the baseline, "
        f"which is within what chance explains ({w.p})."
    ),
)


def _the_same(w: _Words) -> str:
    return f"In {w.run} the {w.metric} did not differ at all from the baseline: {w.b} in every seed."


def _not_comparable(w: _Words) -> str:
    return (
        f"{_capital(w.run)} gave {w.a} for the {w.metric}; this is not comparable with the baseline and "
        f"is not tested."
    )


def _without_results(run: Run, material: Material, position: int) -> Sentence:
    what = {"failed": "ended with an error", "invalid": "ended, but its metrics were not valid"}[run.status]
    why = rf" (recorded as: ``\config{{{run.name}/reason}}'')" if run.reason else ""
    phrase = run_phrase(run, material)
    tex = (
        f"{_capital(run_label(run.name))} {what}{why}; it has no results, and it is listed for completeness."
    )
    if run.arguments:
        tex = f"{phrase}, {run_label(run.name)} {what}{why}; it has no results, and it is listed for completeness."
    return Sentence(f"S{position + 1}", tex, run.name, "", True, None)


# -- claims in LaTeX -----------------------------------------------------------------------------------


def claims_in(tex: str) -> list[FoundClaim]:
    """The claims that stand in a piece of LaTeX, in order."""
    return [FoundClaim(*match) for match in _CLAIM.findall(tex)]


def without_claims(tex: str) -> str:
    """The same LaTeX without its claim marks."""
    return _CLAIM.sub("", tex)


# -- comparisons in prose ------------------------------------------------------------------------------

_COMPARES = re.compile(
    r"\b(?:better|best|worse|worst|higher|highest|lower(?:s|ed)?|lowest|larger|smaller|greater|fewer|faster|slower|"
    r"superior|inferior|(?:more|less) (?:effective|efficient|accurate|successful|reliable|stable|robust)|improv\w+|"
    r"outperform\w*|exceed\w*|surpass\w*|beats?|reduc(?:ed|es|tion of)|increas(?:ed|es)|decreas(?:ed|es)|rais(?:ed|es)|"
    r"rose|fell|dropped|significant\w*|detectabl[ey])\b",
    re.IGNORECASE,
)
_NAMES_RESULT = re.compile(rf"\\(?:{'|'.join((*RESULT_MACROS, *PAIR_MACROS))})\{{")
_SIDE = re.compile(
    r"\bruns?(?:[\s~]|\\_)*\d|\b(?:changed|edited|modified|other) runs?\b|\bbaseline\b|\bour "
    r"(?:change|edit|modification|variant|method|approach|intervention|proposal)s?\b",
    re.IGNORECASE,
)
"""What a result is compared for: a run, the baseline, the study's own change."""
_SUPPOSED = re.compile(
    r"\b(?:whether|if|hypothes[ei]\w*|would|may|might|could|should|expect\w*|predict\w*|ask|possibl[ey]|perhaps|"
    r"plausibl[ey]|conceivabl[ey])\b",
    re.IGNORECASE,
)
_SETTING = re.compile(r"\b(?:us(?:es?|ing)|sets?|appl(?:y|ies)|employs?) (?:an? |the )?(?:\w+ )?$")
"""Before a comparative that tells how a run is set up, not what came out of it."""
_OF_WORKS = re.compile(r"\\work(?:title|summary)\{(?:[^{}]|\{[^{}]*\})*\}")


def lacks_claim(sentence: str) -> bool:
    """Whether a sentence of a model says how results compare, by key or in words, without a claim to be judged.

    In words, what is only supposed (`whether`, `would` before it) and what describes a setting may stand.
    """
    if claims_in(sentence):
        return False
    text = _OF_WORKS.sub(" ", sentence)
    if _NAMES_RESULT.search(text):
        return bool(_COMPARES.search(text))
    if not _SIDE.search(text):
        return False
    supposed = _SUPPOSED.search(text)
    end = supposed.start() if supposed else len(text)
    return any(m.start() < end and not _SETTING.search(text[: m.start()]) for m in _COMPARES.finditer(text))


def judge(found: FoundClaim, results: Results) -> tuple[bool, str]:
    """Whether the recorded results support a claim, and why."""
    made = results.comparison(found.a, found.b)
    if made is None and (other := results.comparison(found.b, found.a)):
        verdict = _FLIPPED.get(other.verdict, other.verdict)
        made = other.model_copy(update={"verdict": verdict, "difference": -other.difference})
    if made is None:
        return False, f"no recorded comparison of {found.a!r} with {found.b!r}"
    if found.relation == made.verdict:
        return True, made.reason
    if found.relation in ("higher", "lower") and made.verdict in DETECTED:
        if (made.difference > 0) == (found.relation == "higher"):
            return True, f"the recorded difference is {made.difference:.4g} and detectable"
        return False, f"the recorded difference is {made.difference:.4g}: not {found.relation}"
    return False, f"the recorded verdict is {made.verdict!r}, not {found.relation!r}"


_FLIPPED = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}


def claim_records(section: str, sentence: str, results: Results) -> list[Claim]:
    """The claims of one sentence as records, each with the verdict of the code."""
    records = []
    for found in claims_in(sentence):
        supported, reason = judge(found, results)
        relation: Any = found.relation if found.relation in RELATIONS else "no detectable difference"
        records.append(
            Claim(
                sentence=without_claims(sentence).strip(),
                section=section,
                a=found.a,
                relation=relation,
                b=found.b,
                supported=supported and found.relation in RELATIONS,
                reason=reason,
            )
        )
    return records


__all__ = [
    "BASELINE",
    "Sentence",
    "claim_records",
    "claims_in",
    "judge",
    "lacks_claim",
    "result_sentences",
    "without_claims",
]
