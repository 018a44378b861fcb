"""A paper of a frontier model: it writes each section freely in LaTeX, by key, and the code checks every sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from novum.literature.tex import escape
from novum.paper import article, figures, findings
from novum.paper.brief import plain
from novum.paper.citations import Citer, Shelf, cited_keys
from novum.paper.claims import result_sentences
from novum.paper.document import Block, Section
from novum.paper.free import Allowed, cleaned, mended, problems_in, split_paragraphs
from novum.paper.guidance import GUIDANCE, WRITTEN_IN_ORDER
from novum.paper.large_brief import large_brief
from novum.paper.latex.lint import problems_of
from novum.paper.material import Material
from novum.paper.tables import costs_table, result_tables, runs_table
from novum.paper.titles import idea_title, own_titles
from novum.paper.unbound import unbound_numbers
from novum.tools import Question, Tools

TRIES = 3
UNCHANGED = "UNCHANGED"
_SECTION_TOKENS = 3000


class LargePaper:
    """Writes the sections in their order; what a section's model text lacks, the code adds."""

    def __init__(self, tools: Tools, material: Material, shelf: Shelf) -> None:
        self._tools, self._material, self._shelf = tools, material, shelf
        floats = [
            runs_table(material),
            *result_tables(material),
            costs_table(material),
            *(figures.figure_float(f, material) for f in material.figures),
        ]
        named = [label.split("}", 1)[0] for tex in floats for label in tex.split(r"\label{")[1:]]
        labels = frozenset([*named, *(f"sec:{name}" for name in article.TITLES), "app:provenance"])
        self._allowed = Allowed.of(material, frozenset(w.key for w in shelf.works), labels)
        notes = tools.folder.notes.read_text(encoding="utf-8") if tools.folder.notes.is_file() else ""
        self._brief = large_brief(material, shelf, labels, notes)
        self._written: list[tuple[str, str]] = []
        self._bodies: dict[str, str] = {}

    def sections(self) -> tuple[Section, ...]:
        """All sections in the order of the paper; written in the order of the phase."""
        for name in WRITTEN_IN_ORDER:
            body = self._body(name)
            if body:
                self._bodies[name] = body
                self._written.append((article.TITLES.get(name, name.capitalize()), body))
        return self._built()

    def _built(self) -> tuple[Section, ...]:
        made = {name: self._section(name) for name in article.TITLES if name != "related"}
        cited = cited_keys(
            " ".join(b.tex for s in made.values() for b in s.blocks) + self._bodies.get("related", "")
        )
        made["related"] = self._related(cited)
        return tuple(made[name] for name in article.TITLES)

    # -- one section -------------------------------------------------------------------------------------

    def _body(self, name: str) -> str:
        """The model's text of a section after one look back, or "" when it gave none."""
        inputs = {
            "title": article.TITLES.get(name, "Abstract"),
            "guidance": GUIDANCE[name],
            "floats": self._floats(name),
        }
        body = self._ask(f"write/{name}", "write_section", inputs)
        return self._again(name, body, "reflect", "write_section_reflect") if body else ""

    def _again(self, name: str, body: str, pass_: str, prompt: str) -> str:
        inputs = {"title": article.TITLES.get(name, "Abstract"), "guidance": GUIDANCE[name], "draft": body}
        return self._ask(f"write/{name}/{pass_}", prompt, inputs, unchanged=body) or body

    def _ask(self, step: str, prompt: str, inputs: Mapping[str, object], unchanged: str = "") -> str:
        """LaTeX that passes every check; after the last try without the sentences that do not."""
        tries = 0

        def check(reply: str) -> list[str]:
            nonlocal tries
            tries += 1
            if unchanged and UNCHANGED in reply[:40]:
                return []
            tex = cleaned(reply)
            problems = problems_in(tex, self._material, self._allowed) if tex else ["it is empty"]
            if tries < TRIES or not tex:
                return problems
            kept, _ = mended(tex, self._material, self._allowed)
            return [] if kept else problems

        shared = {"brief": self._brief, "written": list(self._written)}
        question = Question(
            step,
            "writing",
            prompt,
            {**shared, **inputs},
            max_tokens=_SECTION_TOKENS,
            temperature=0.5,
            retries=TRIES - 1,
        )
        reply = self._tools.ask_text(question, default=lambda: "", check=check)
        if unchanged and UNCHANGED in reply[:40]:
            return unchanged
        kept, dropped = mended(cleaned(reply), self._material, self._allowed) if reply else ("", [])
        for sentence, reason in dropped:
            self._tools.log.note("sentence_dropped", step=step, sentence=sentence, reason=reason)
        return kept

    def _floats(self, name: str) -> str:
        if name == "setup":
            return r"a table of all runs (\ref{tab:runs})"
        if name != "results":
            return ""
        tables = [
            rf"a table of results (\ref{{tab:results{i}}})"
            for i, _ in enumerate(result_tables(self._material), 1)
        ]
        shown = [
            rf"a figure (\ref{{fig:{f.file}}}: {plain(f.caption)})"
            for f in figures.body_figures(self._material)
        ]
        costs = r"a table of what each run used (\ref{tab:costs})"
        return "; ".join([*tables, *shown, costs])

    # -- from bodies to sections ---------------------------------------------------------------------------

    def _section(self, name: str) -> Section:
        material, prose = self._material, self._prose(name)
        if not prose:
            return self._default(name)
        if name == "method":
            return article.section(name, [*prose, *self._equations()])
        if name == "setup":
            return article.section(name, [Block(runs_table(material), prose=False), *prose])
        if name == "results":
            floats = [Block(t, prose=False) for t in result_tables(material)]
            floats += [
                Block(figures.figure_float(f, material), prose=False) for f in figures.body_figures(material)
            ]
            floats.append(Block(costs_table(material), prose=False))
            return article.section(
                name, [*floats[:2], *prose[:1], *floats[2:], *prose[1:], *self._unspoken()]
            )
        if name == "discussion":
            return article.section(name, [*prose, *findings.limitations(material)])
        return article.section(name, prose)

    def _prose(self, name: str) -> list[Block]:
        return [Block(p, "model") for p in split_paragraphs(self._bodies.get(name, ""))]

    def _equations(self) -> list[Block]:
        """The template's equations, unless the model wrote its own."""
        paper = self._material.template.paper
        if not paper.equations or r"\begin{" in self._bodies.get("method", ""):
            return []
        return [
            Block(paper.equations.strip(), "template", prose=False),
            Block(paper.equations_legend, "template"),
        ]

    def _unspoken(self) -> list[Block]:
        """Sentences of the code about runs of which the model's results say nothing: every run is reported."""
        body = self._bodies.get("results", "")
        silent = [
            s
            for s in result_sentences(self._material)
            if s.primary
            and f"{{{s.run}/" not in body
            and s.run.replace("_", " ") not in body.replace("~", " ")
        ]
        return [Block(" ".join(s.tex for s in silent))] if silent else []

    def _default(self, name: str) -> Section:
        material, citer = self._material, Citer(self._shelf)
        makers = {
            "introduction": lambda: article.introduction(material, []),
            "background": lambda: article.background(material, [], citer),
            "method": lambda: article.method(material, [], citer),
            "setup": lambda: article.setup(material, [], citer),
            "results": lambda: article.results(material, [s.id for s in result_sentences(material)]),
            "discussion": lambda: article.discussion(material, [], []),
            "conclusion": lambda: article.conclusion(material, []),
        }
        return makers[name]()

    def _related(self, cited: Sequence[str]) -> Section:
        prose = self._prose("related")
        if not prose:
            return article.related(self._shelf, [w.key for w in self._shelf.candidates[:4]], [], cited)
        left = replace(
            self._shelf, works=tuple(w for w in self._shelf.works if w.key not in cited and w.declared)
        )
        return article.section("related", [*prose, *article.related(left, [], [], cited).blocks])

    # -- title, abstract, the whole ------------------------------------------------------------------------

    def title(self) -> str:
        """The model's title, else the idea's, else one of the code; LaTeX."""

        def check(reply: str) -> list[str]:
            line = reply.strip().strip('"')
            if "\n" in line or not 3 <= len(line.split()) <= 18:
                return ["one line of at most fourteen words"]
            if problems_of(escape(line)) or any(c in line for c in "\\{}$"):
                return ["plain text without LaTeX"]
            return [f"no numbers: {n}" for n in unbound_numbers(line)]

        shared = {"brief": self._brief, "written": list(self._written)}
        question = Question(
            "write/title", "writing", "write_paper_title", shared, max_tokens=80, temperature=0.5
        )
        reply = self._tools.ask_text(question, default=lambda: "", check=check).strip().strip('"').rstrip(".")
        return escape(reply) or idea_title(self._material) or own_titles(self._material)[0]

    def abstract(self) -> Section:
        body = self._body("abstract")
        if not body:
            return article.abstract(self._material, [])
        return Section("abstract", "Abstract", tuple(Block(p, "model") for p in split_paragraphs(body)))

    def refined(
        self, sections: tuple[Section, ...], abstract: Section
    ) -> tuple[tuple[Section, ...], Section]:
        """The paper after one pass over every section with the whole in view."""
        for name in WRITTEN_IN_ORDER:
            if name in self._bodies:
                self._bodies[name] = self._again(name, self._bodies[name], "refine", "write_section_refine")
        return self._built(), abstract

    def may_cite(self, shelf: Shelf) -> None:
        """From now on the works of `shelf` may be cited."""
        self._shelf = shelf
        self._allowed = replace(self._allowed, citations=frozenset(w.key for w in shelf.works))

    def mend(self, name: str, block: Block, error: str, round_: int) -> Block | None:
        """A paragraph that did not compile, mended by the model, or None."""
        inputs = {"paragraph": block.tex, "error": error}
        tex = self._ask(f"write/repair/{name}/{round_}", "write_mend", inputs)
        return replace(block, tex=" ".join(tex.split("\n\n"))) if tex else None
