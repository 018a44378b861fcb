"""A paper of a small model: it writes what connects and interprets, chooses and orders; the code states the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from novum.literature.tex import escape
from novum.paper import article
from novum.paper.brief import known_words, metric_words, plain, run_in_words, small_brief, vocabulary
from novum.paper.citations import Citer, Shelf, cited_keys
from novum.paper.claims import Sentence, result_sentences
from novum.paper.document import Block, Section
from novum.paper.material import DETECTED, Material
from novum.paper.questions import asks
from novum.paper.small import Writer, choose
from novum.paper.titles import idea_title, own_titles
from novum.paper.works import authors, summary_of
from novum.tools import Tools
from novum.untrusted import as_line

MOST_PICKED = 4
MOST_REFINED = 3
_MOST_SECONDARY = 6
_MOST_SHOWN = 8


class SmallPaper:
    """Writes the parts in their order; every part has a default, so it always ends."""

    def __init__(self, tools: Tools, material: Material, shelf: Shelf) -> None:
        self._tools, self._material, self._shelf = tools, material, shelf
        self._asks = asks(material)
        self._writer = Writer(
            tools, small_brief(material), vocabulary(material), metric_words(material), known_words(material)
        )
        self._by_model: list[str] = []
        """Sentences that the model wrote, as they stand in the paper."""

    def sections(self) -> tuple[Section, ...]:
        """All sections in the order of the paper; written in the order of the phase."""
        material, citer = self._material, Citer(self._shelf)
        made = [
            article.introduction(material, self._prose("introduction")),
            article.background(material, self._prose("background"), citer),
            article.method(material, self._prose("method"), citer),
            article.setup(material, self._prose("setup"), citer),
            article.results(material, self._chosen_results()),
            article.discussion(material, self._prose("discussion"), self._prose("discussion/open")),
            article.conclusion(material, self._prose("conclusion")),
        ]
        cited = cited_keys(" ".join(b.tex for s in made for b in s.blocks))
        made.append(article.related(self._shelf, self._picked_works(), self._prose("related"), cited))
        by_name = {s.name: s for s in made}
        return tuple(by_name[name] for name in article.TITLES)

    def _prose(self, name: str) -> list[Block]:
        kept, by_model = self._writer.paragraph(self._asks[name])
        if by_model:
            self._by_model += kept
        return article.written(kept, by_model)

    # -- choices ---------------------------------------------------------------------------------------

    def _chosen_results(self) -> list[str]:
        """Ids of the sentences about results, in order; the default is the order of the runs."""
        available = result_sentences(self._material)
        default = [
            s.id for s in available if s.primary or (s.comparison and s.comparison.verdict in DETECTED)
        ]
        optional = [s for s in available if not s.primary]
        if not optional:
            return default
        most = min(_MOST_SECONDARY, len(optional))
        inputs = {"sentences": [(s.id, self._in_words(s)) for s in optional], "most": most}
        return self._choose(
            "write/results", "write_choose_results", inputs, [s.id for s in optional], most, default
        )

    def _in_words(self, sentence: Sentence) -> str:
        made = sentence.comparison
        verdict = made.verdict if made else "no results"
        return f"{sentence.run.replace('_', ' ')}, {plain(self._material.metric_label(sentence.metric))}: {verdict}"

    def _picked_works(self) -> list[str]:
        """Keys of works that a search found and that bear on the idea; the default is the first few."""
        works = self._shelf.candidates[:_MOST_SHOWN]
        default = [w.key for w in works[:MOST_PICKED]]
        if len(works) <= 1:
            return default
        shown = [
            (w.key, as_line(f"{plain(authors(w.paper))}: {w.paper.title}. {summary_of(w.paper)}", 110))
            for w in works
        ]
        inputs = {"works": shown, "most": MOST_PICKED}
        picked = self._choose(
            "write/related/pick", "write_choose_works", inputs, [w.key for w in works], MOST_PICKED, default
        )
        for key in picked:
            if work := self._shelf.by_key(key):
                self._tools.log.note("citation", step="write/related/pick", key=key, paper=work.paper.id)
        return picked

    def _choose(
        self,
        step: str,
        prompt: str,
        inputs: Mapping[str, object],
        ids: Sequence[str],
        most: int,
        default: Sequence[str],
    ) -> list[str]:
        shared = {"brief": self._writer.brief, "written": list(self._writer.written)}
        return choose(self._tools, step, prompt, {**shared, **inputs}, ids, most, default)

    # -- title, abstract, the whole ----------------------------------------------------------------------

    def title(self) -> str:
        """One of a few titles: the idea's, unless it says a number, and two of the code; LaTeX."""
        titles = dict(
            zip(("T1", "T2", "T3"), (idea_title(self._material), *own_titles(self._material)), strict=True)
        )
        titles = {name: title for name, title in titles.items() if title}
        inputs = {"titles": [(k, plain(v)) for k, v in titles.items()]}
        first = next(iter(titles))
        chosen = self._choose("write/title", "write_title", inputs, list(titles), 1, [first])
        return titles[chosen[0] if chosen else first]

    def abstract(self) -> Section:
        return article.abstract(self._material, self._prose("abstract"))

    def refined(
        self, sections: tuple[Section, ...], abstract: Section
    ) -> tuple[tuple[Section, ...], Section]:
        """The paper without the sentences that the model, looking at the whole, would rather not have.

        A paragraph keeps at least one sentence, and nothing of the code is touched.
        """
        numbers = {str(i): s for i, s in enumerate(self._writer.seen, 1) if s in self._by_model}
        if not numbers:
            return sections, abstract
        most = min(MOST_REFINED, len(numbers))
        named = self._choose(
            "write/refine", "write_refine", {"most": most}, ["none", *numbers], most, ["none"]
        )
        for sentence in (numbers[n] for n in named if n in numbers):
            without = tuple(_without(s, sentence) for s in sections)
            if without != sections:
                sections = without
                self._tools.log.note(
                    "sentence_dropped",
                    step="write/refine",
                    sentence=sentence,
                    reason="the model's second look",
                )
        return sections, abstract

    def may_cite(self, shelf: Shelf) -> None:
        """From now on the works of `shelf` may be cited."""
        self._shelf = shelf

    def mend(self, name: str, block: Block, error: str, round_: int) -> Block | None:
        """Nothing to ask: this model wrote no LaTeX, so what fails is set as plain text."""
        return None


def _without(section: Section, sentence: str) -> Section:
    """The section without a sentence, unless a paragraph would be left empty."""
    tex = escape(sentence)
    blocks = [
        replace(b, tex=" ".join(b.tex.replace(tex, "").split()))
        if b.origin == "model" and b.tex.strip() != tex
        else b
        for b in section.blocks
    ]
    return section.with_blocks(blocks)


__all__ = ["SmallPaper", "run_in_words"]
