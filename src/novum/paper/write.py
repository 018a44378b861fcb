"""The writing phase: from recorded results to a compiled, audited PDF.

Introduction, background, method, set-up, results, discussion, conclusion, then related work, title and abstract;
each with one look back, at last one look at the whole and the rounds of citation. Nothing depends on a clock or on
chance, so a replay gives the same paper.tex, byte for byte.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from novum.events import EventLog
from novum.paper import compose, figures
from novum.paper.audit import audit_study
from novum.paper.citations import Shelf, bibliography, cited_keys, gather, references_bib
from novum.paper.citing import cite_draft
from novum.paper.claims import claim_records
from novum.paper.disclosure import default_notice, with_metadata
from novum.paper.document import Draft, Section, paragraphs, render
from novum.paper.large_paper import LargePaper
from novum.paper.latex.repair import Made, compile_draft
from novum.paper.material import Material, load_material
from novum.paper.numbers import numbers_tex
from novum.paper.provenance import provenance
from novum.paper.small_paper import SmallPaper
from novum.paper.text import tex_sentences
from novum.tools import Tools


def write_paper(tools: Tools, draft: int = 0) -> Path:
    """Write drafts/`draft`/ and paper/ from the study's artifacts; returns the PDF.

    A draft beside the first heeds a person's comment, and `tools` say so: their round is its number.

    Raises:
        StudyError: an artifact of an earlier phase is missing.
        MissingTool: there is no LaTeX engine.
        LatexError: no PDF, whatever was set as plain text.
    """
    material = load_material(tools.folder, tools.log, tools.template)
    shelf = gather(tools, material)
    writer = (SmallPaper if tools.is_small("writing") else LargePaper)(tools, material, shelf)
    paper, shelf = _assemble(tools, material, shelf, writer)
    made = compile_draft(tools, paper, material, writer.mend)
    target = tools.folder.draft(draft)
    target.mkdir(parents=True, exist_ok=True)
    _lay_out(tools, target, made, material, shelf)
    pdf = target / "paper.pdf"
    pdf.write_bytes(with_metadata(made.pdf, made.draft, material))
    tools.folder.write(
        target / "audit.json", audit_study(tools.folder, tools.log, tools.library, tools.template, draft)
    )
    if tools.folder.paper.exists():
        shutil.rmtree(tools.folder.paper)
    shutil.copytree(target, tools.folder.paper)
    return pdf


def write_again(tools: Tools) -> Path:
    """Write the draft that was chosen, or that heeds the newest comment, once more; returns the PDF."""
    draft, comment = chosen_draft(tools.log)
    return write_paper(tools.heeding(comment, draft) if draft else tools, draft)


def chosen_draft(log: EventLog) -> tuple[int, str]:
    """The draft that answers the person's last comment, and that comment; 0 and "" when there was none."""
    draft, comment = 0, ""
    while (said := log.last("approval", what="paper", round=draft + 1)) and said.data["comment"]:
        draft, comment = draft + 1, str(said.data["comment"])
    return draft, comment


def _assemble(
    tools: Tools, material: Material, shelf: Shelf, writer: SmallPaper | LargePaper
) -> tuple[Draft, Shelf]:
    """The draft, and the shelf with the works that its citations brought in."""
    sections = writer.sections()
    title, abstract = writer.title(), writer.abstract()
    sections, abstract = writer.refined(sections, abstract)
    sections, shelf = cite_draft(tools, material, shelf, sections)
    writer.may_cite(shelf)
    return _whole(tools, material, shelf, title, abstract, sections), shelf


def _whole(
    tools: Tools,
    material: Material,
    shelf: Shelf,
    title: str,
    abstract: Section,
    sections: tuple[Section, ...],
) -> Draft:
    statement = compose.statement(material, shelf)
    bodies = [statement, *(b.tex for s in (abstract, *sections) for b in s.blocks)]
    keys = cited_keys("\n".join(bodies))
    return Draft(
        title=title,
        authors=r"novum \config{version/novum}, an AI system",
        day=material.day,
        statement=statement,
        notice=default_notice(tools.log),
        abstract=abstract,
        sections=sections,
        bibliography=bibliography(keys, shelf),
        appendix="\n\n".join([r"\appendix", figures.further_figures(material), provenance(material)]),
    )


def _lay_out(tools: Tools, target: Path, made: Made, material: Material, shelf: Shelf) -> None:
    """Everything of a draft but the PDF and the audit."""
    folder, tex = tools.folder, render(made.draft)
    folder.write_text(target / "paper.tex", tex)
    folder.write_text(target / "numbers.tex", numbers_tex(material.results, material.facts))
    folder.write_text(target / "references.bib", references_bib(cited_keys(tex), shelf))
    claims = [
        claim
        for paragraph in paragraphs(tex)
        for sentence in tex_sentences(paragraph.tex)
        for claim in claim_records(paragraph.section, sentence, material.results)
    ]
    folder.write_json(target / "claims.json", [claim.model_dump(mode="json") for claim in claims])
    for name, content in made.style.files.items():
        (target / name).write_bytes(content)
    figures = target / "figures"
    figures.mkdir(exist_ok=True)
    for figure in material.figures:
        shutil.copyfile(folder.figures / f"{figure.file}.pdf", figures / f"{figure.file}.pdf")
