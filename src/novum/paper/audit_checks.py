"""The checks of an audit, each from files to findings."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from novum.paper.article import TITLES
from novum.paper.audit_records import Finding, Severity
from novum.paper.claims import claims_in, judge, lacks_claim
from novum.paper.document import FoundParagraph, paragraphs
from novum.paper.findings import abstract_facts
from novum.paper.material import Material, row_label
from novum.paper.numbers import (
    BOUND_MACROS,
    KEYED,
    KEYED_MACRO,
    PAIR_MACROS,
    known_keys,
    numbers_tex,
    pair_key,
)
from novum.paper.text import tex_sentences
from novum.paper.titles import numbers_in_title
from novum.paper.unbound import unbound_numbers
from novum.store import StudyFolder

FEWEST_PAGES, FEWEST_WORDS = 4, 1500
_WORD = re.compile(r"[^\W\d_]{2,}")
_TITLE = re.compile(r"\\novumtitle\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_KEYLESS = re.compile(rf"\\(?:{'|'.join(KEYED)})(?![A-Za-z])")
_MACRO = re.compile(rf"\\({'|'.join(BOUND_MACROS)})\{{([^{{}}]*)\}}(?:\{{([^{{}}]*)\}})?")
_GRAPHICS = re.compile(r"\\includegraphics(?:\[[^\]]*\])?\{([^{}]*)\}")
_REF = re.compile(r"\\(?:eq)?ref\{([^{}]*)\}")
_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_RELATIVE = 1e-9


class Files(NamedTuple):
    """A draft's files, as they are on disk; "" and 0 for what is missing."""

    draft: Path
    tex: str
    numbers: str
    bib: str
    pages: int
    words: int
    first_page: str

    @classmethod
    def read(cls, draft: Path) -> Files:
        tex, numbers, bib = (_text(draft / name) for name in ("paper.tex", "numbers.tex", "references.bib"))
        return cls(draft, tex, numbers, bib, *_pdf(draft / "paper.pdf"))

    @property
    def body(self) -> str:
        """paper.tex after its preamble."""
        return self.tex.partition(r"\begin{document}")[2]

    def paragraphs(self) -> list[FoundParagraph]:
        return [p for p in paragraphs(self.tex) if p.section != "back"]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _pdf(path: Path) -> tuple[int, int, str]:
    import pypdfium2

    if not path.is_file():
        return 0, 0, ""
    try:
        with pypdfium2.PdfDocument(path) as document:
            texts = [page.get_textpage().get_text_bounded() for page in document]
    except pypdfium2.PdfiumError:
        return 0, 0, ""
    return len(texts), len(_WORD.findall(" ".join(texts))), texts[0] if texts else ""


def _finding(kind: str, where: str, message: str, severity: Severity = "error") -> Finding:
    return Finding(kind=kind, severity=severity, where=where, message=message)


def check_shape(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """The files are there, the sections are there, it is long enough."""
    for name, there in (("paper.tex", files.tex), ("numbers.tex", files.numbers), ("paper.pdf", files.pages)):
        if not there:
            yield _finding("file", name, "is missing or cannot be read")
    for name in ("abstract", *TITLES):
        if files.tex and not any(p.section == name for p in files.paragraphs()):
            yield _finding("section", name, "the paper has no such section")
    if files.pages and files.pages < FEWEST_PAGES:
        yield _finding("length", "paper.pdf", f"{files.pages} pages, fewer than {FEWEST_PAGES}")
    if files.pages and files.words < FEWEST_WORDS:
        yield _finding("length", "paper.pdf", f"{files.words} words, fewer than {FEWEST_WORDS}")


def check_numbers(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """numbers.tex is what results.json gives, every key exists, and no number stands outside a key."""
    if files.numbers and files.numbers != numbers_tex(material.results, material.facts):
        yield _finding("number", "numbers.tex", "is not what results.json and the configuration give")
    known = known_keys(material.results, material.facts)
    for macro, first, second in _MACRO.findall(files.body):
        key = pair_key(first, second) if macro in PAIR_MACROS else first
        if key not in known[macro]:
            yield _finding("number", rf"\{macro}", f"there is no value for {key!r}")
    yield from _title_numbers(files, material)
    given = {" ".join(s.split()) for s in _template_sentences(material)}
    for paragraph in files.paragraphs():
        pieces = [paragraph.tex] if paragraph.tex.startswith(r"\begin") else tex_sentences(paragraph.tex)
        for sentence in pieces:
            # What the template's authors wrote is theirs, word for word; its values are keys all the same.
            if paragraph.origin == "template" and _uncited(sentence) in given:
                continue
            for literal in unbound_in(sentence, material.declared):
                yield _finding("unbound number", paragraph.name, f"{literal!r} in: {sentence[:120]}")


def check_keys(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """Every key stands where the checks of keys read it: in braces right behind its macro."""
    for paragraph in files.paragraphs():
        # A template's authors may give a citation its page; its key is looked for all the same when LaTeX runs.
        if paragraph.origin != "template":
            for macro in _KEYLESS.findall(KEYED_MACRO.sub(" ", paragraph.tex)):
                yield _finding("key", paragraph.name, rf"{macro} does not take its keys in braces at once")


def _title_numbers(files: Files, material: Material) -> Iterator[Finding]:
    title = _TITLE.search(files.body)
    if title is None:
        yield _finding("section", "title", "the paper has no title")
        return
    for literal in numbers_in_title(title[1], material):
        yield _finding("unbound number", "title", f"{literal!r} in: {title[1]}")


def _template_sentences(material: Material) -> list[str]:
    paper = material.template.paper
    texts = [*paper.background, *paper.method, *paper.setup, *paper.limitations, paper.equations_legend]
    return [paper.equations, *(s for text in texts for s in tex_sentences(text))]


def _uncited(sentence: str) -> str:
    return " ".join(re.sub(r"~?\\cite\{[^{}]*\}", "", sentence).split()).removeprefix(
        r"\paragraph{Limitations.} "
    )


_LAYOUT = re.compile(
    r"\\begin\{(?:table|figure)\}\[[^\]]*\]|\\begin\{tabularx\}\{[^{}]*\}\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
    r"|\\includegraphics(?:\[[^\]]*\])?\{[^{}]*\}|\\(?:label|ref)\{[^{}]*\}|\\setlength\\[a-z]+\{[^{}]*\}"
)


def unbound_in(tex: str, declared: Sequence[str] = ()) -> list[str]:
    """The unbound numbers of LaTeX that may hold tables and figures, whose measures on the page do not count."""
    return unbound_numbers(_LAYOUT.sub(" ", tex), declared)


def check_values(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """results.json agrees with itself: means with their values, differences with their means."""
    results = material.results
    for result in results.results:
        if result.values and not math.isclose(
            result.mean, sum(result.values) / len(result.values), rel_tol=_RELATIVE, abs_tol=1e-12
        ):
            yield _finding("result", result.key, "the mean is not that of the recorded values")
        if not math.isfinite(result.mean):
            yield _finding("result", result.key, "is not a finite number")
    for made in results.comparisons:
        a, b = results.by_key(made.a), results.by_key(made.b)
        if a is None or b is None:
            yield _finding("result", made.a, "a comparison names a result that is not there")
        elif not math.isclose(made.difference, a.mean - b.mean, rel_tol=1e-6, abs_tol=1e-9):
            yield _finding("result", made.a, "the difference is not that of the means")


def check_claims(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """Every claim in paper.tex is supported, and claims.json lists it; no comparison of a model is without one."""
    try:
        listed = {
            (c["a"], c["relation"], c["b"]) for c in json.loads(_text(files.draft / "claims.json") or "[]")
        }
    except (ValueError, TypeError, KeyError):
        yield _finding("claim", "claims.json", "cannot be read")
        listed = set()
    for paragraph in files.paragraphs():
        for claim in claims_in(paragraph.tex):
            supported, reason = judge(claim, material.results)
            if not supported:
                yield _finding("claim", paragraph.name, f"{claim.a} {claim.relation} {claim.b}: {reason}")
            if tuple(claim) not in listed:
                yield _finding("claim", "claims.json", f"does not list the claim about {claim.a}")
    yield from _unclaimed(files, material)


def _unclaimed(files: Files, material: Material) -> Iterator[Finding]:
    """Comparisons in paragraphs of a model that no claim stands behind."""
    # In an abstract the code's sentences follow the model's.
    made = {*tex_sentences(abstract_facts(material))}
    for paragraph in files.paragraphs():
        for sentence in tex_sentences(paragraph.tex) if paragraph.origin == "model" else ():
            if sentence not in made and lacks_claim(sentence):
                yield _finding("claim", paragraph.name, f"compares without a claim: {sentence[:120]}")


def check_prose(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """No paragraph is empty, none stands there twice."""
    seen: dict[str, str] = {}
    for paragraph in files.paragraphs():
        text = " ".join(paragraph.tex.split())
        if not text:
            yield _finding("prose", paragraph.name, "the paragraph is empty")
        elif text in seen:
            yield _finding("prose", paragraph.name, f"repeats {seen[text]}")
        seen.setdefault(text, paragraph.name)


def check_figures(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """Every figure is a file, every reference has its label."""
    for name in _GRAPHICS.findall(files.body):
        stem = Path(name).name
        if not (folder.figures / f"{stem}.pdf").is_file():
            yield _finding("figure", name, "is not a file in figures/")
    labels = set(_LABEL.findall(files.body))
    for name in dict.fromkeys(_REF.findall(files.body)):
        if name not in labels:
            yield _finding("reference", name, "has no label")


def check_runs(files: Files, material: Material, folder: StudyFolder) -> Iterator[Finding]:
    """Every run is in the table of runs and in the appendix, has its folder, its identity and its commit."""
    table = "\n".join(p.tex for p in files.paragraphs() if r"\label{tab:runs}" in p.tex)
    back = files.tex.partition("%@ back/2")[2]
    for run in material.results.runs:
        shown = run.name.replace("_", r"\_\allowbreak{}")
        if files.tex and shown not in back:
            yield _finding("run", run.name, "is not in the provenance appendix")
        if files.tex and rf"\novumstrut {row_label(run.name)} &" not in table:
            yield _finding("run", run.name, "is not in the table of runs")
        if not run.identity or not run.commit:
            yield _finding("run", run.name, "has no recorded identity or commit")
        if not folder.run(run.name).is_dir():
            yield _finding("run", run.name, "its folder in runs/ is missing")
        if not run.sandbox or "unsandboxed" in run.sandbox.lower():
            yield _finding("sandbox", run.name, "was not made in a sandbox", "warning")
