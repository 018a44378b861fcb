"""The sections of a paper: what a model wrote, between what the code contributes."""

from __future__ import annotations

from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper import compose, figures, findings
from novum.paper.citations import FEWEST, HOLM, MACHINES, WELCH, Citer, Shelf, Work, cited_keys
from novum.paper.document import Block, Section
from novum.paper.material import Material
from novum.paper.tables import costs_table, result_tables, runs_table
from novum.paper.text import sentence_list
from novum.paper.works import topic_paragraph, work_sentence

TITLES = {
    "introduction": "Introduction",
    "background": "Background",
    "method": "Method",
    "setup": "Experimental Setup",
    "results": "Results",
    "discussion": "Discussion",
    "related": "Related Work",
    "conclusion": "Conclusion",
}
"""Sections in the order of the paper; they are written in another order."""
_NOT_RELATED = frozenset({WELCH, HOLM, MACHINES})


def written(sentences: Sequence[str], by_model: bool) -> list[Block]:
    """Plain sentences as a paragraph; nothing in them can act as a command."""
    return [Block(escape(" ".join(sentences)), "model" if by_model else "code")] if sentences else []


def section(name: str, blocks: Sequence[Block]) -> Section:
    return Section(name, TITLES[name], tuple(blocks))


def introduction(material: Material, prose: Sequence[Block]) -> Section:
    return section("introduction", [*prose, compose.question(material)])


def background(material: Material, prose: Sequence[Block], citer: Citer) -> Section:
    return section("background", [*compose.background(material, citer), *prose])


def method(material: Material, prose: Sequence[Block], citer: Citer) -> Section:
    return section("method", [*compose.method(material, citer), *prose])


def setup(material: Material, prose: Sequence[Block], citer: Citer) -> Section:
    facts = compose.setup(material, citer)
    table = Block(runs_table(material), prose=False)
    return section("setup", [*prose, table, *facts])


def results(material: Material, chosen: Sequence[str]) -> Section:
    """Tables and figures first, so that they come out near the text that speaks of them."""
    floats = [Block(table, prose=False) for table in result_tables(material)]
    floats += [Block(figures.figure_float(f, material), prose=False) for f in figures.body_figures(material)]
    floats.append(Block(costs_table(material), prose=False))
    paragraphs = findings.result_paragraphs(material, findings.ordered_results(material, chosen))
    return section(
        "results",
        [*floats[:2], *paragraphs[:1], *floats[2:], *paragraphs[1:], *_other_figures(material)],
    )


def _other_figures(material: Material) -> list[Block]:
    """A sentence that points to the figures of which no other sentence speaks."""
    unnamed = [f for f in figures.body_figures(material) if not f.metrics]
    if not unnamed:
        return []
    named = [rf"Figure~\ref{{fig:{f.file}}}" for f in unnamed]
    verb = "shows" if len(named) == 1 else "show"
    return [Block(f"{sentence_list(named)} {verb} the runs in more detail. {findings.tally(material)}")]


def discussion(material: Material, explained: Sequence[Block], open_: Sequence[Block]) -> Section:
    blocks = [findings.overview(material), *explained, *open_, *findings.limitations(material)]
    return section("discussion", blocks)


def conclusion(material: Material, prose: Sequence[Block]) -> Section:
    return section("conclusion", [findings.closing(material), *prose])


def related(shelf: Shelf, picked: Sequence[str], prose: Sequence[Block], cited: Sequence[str]) -> Section:
    """The works of each topic, then those picked from what a search for the idea found."""
    by_topic: dict[str, list[Work]] = {}
    for work in shelf.declared:
        if work.topic not in _NOT_RELATED:
            by_topic.setdefault(work.topic, []).append(work)
    blocks = [
        Block(topic_paragraph(topic, [(w.key, w.paper) for w in works], position))
        for position, (topic, works) in enumerate(by_topic.items())
    ]
    nearest = [w for key in picked if (w := shelf.by_key(key)) and not w.declared]
    known = {*cited, *cited_keys(" ".join(b.tex for b in blocks))}
    lacking = max(0, FEWEST - len(known) - len(nearest))
    nearest += [w for w in shelf.candidates if w not in nearest][:lacking]
    if nearest:
        said = " ".join(work_sentence(w.paper, w.key) for w in nearest)
        blocks.append(
            Block(f"A search of the literature for the question of this paper led to further works. {said}")
        )
    return section("related", [*_paired(blocks), *prose])


def _paired(blocks: Sequence[Block]) -> list[Block]:
    """Two topics a paragraph, so that the section does not fall into crumbs."""
    return [
        Block(" ".join(b.tex for b in blocks[i : i + 2]), blocks[i].origin) for i in range(0, len(blocks), 2)
    ]


def abstract(material: Material, prose: Sequence[Block]) -> Section:
    """One paragraph: the motivation, then design, main finding and bounds."""
    opening = " ".join(b.tex for b in prose)
    origin = prose[0].origin if prose else "code"
    return Section(
        "abstract", "Abstract", (Block(f"{opening} {findings.abstract_facts(material)}".strip(), origin),)
    )
