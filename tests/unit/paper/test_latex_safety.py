"""No text of a model can break or misuse the compilation."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novum.paper.document import Block, Draft, Section, paragraph_at, render
from novum.paper.latex.engine import check_latex, compile_tex, engines
from novum.paper.latex.lint import problems_of, to_ascii
from novum.paper.latex.log import problems_in, undefined_keys
from novum.paper.latex.plain import as_plain
from novum.paper.latex.style import default_style, template_style
from novum.template import Template

from .conftest import PlainSandbox


@pytest.mark.parametrize(
    "tex",
    [
        r"\input{/etc/passwd}",
        r"\immediate\write18{touch x}",
        r"\def\x{y}",
        r"\newcommand{\x}{y}",
        r"\openin5=/etc/passwd",
        r"\catcode`\@=11",
        r"\csname input\endcsname{x}",
        r"\begin{verbatim}x\end{verbatim}",
        r"\begin{figure}x\end{figure}",
        r"\usepackage{shellesc}",
        r"\includegraphics{/etc/passwd}",
        r"{\bf open",
        r"a } b",
        r"$x",
        r"$$x$$",
        r"x_1 outside",
        r"a & b",
        r"100% sure",
        r"item #1",
        r"\begin{equation} x",
        r"\frac{a}{b}",
        r"As shown~\cite[42 percent fewer]{nobody2031}.",
        r"As shown~\cite {nobody2031}.",
        r"As shown~\cite*{nobody2031}.",
        r"It is \result {run_9/a/b}.",
        r"It is \change{run_1/a/b} {run_0/a/b}.",
        r"It is better.\claim{run_1/a/b} {better}{run_0/a/b}",
        "See Table~\\ref\n{nothing}.",
        r"See \worktitle{42 percent fewer}.",
        r"\^^5cinput",
        r"^^5cinput{x}",
    ],
)
def test_what_may_not_stand_in_a_paper_is_refused(tex: str) -> None:
    assert problems_of(tex)


@pytest.mark.parametrize(
    "tex",
    [
        r"Plain text with \emph{emphasis}, 5\,\% and a dash---so.",
        r"Result \result{run_1/a_b/c} cites~\cite{a_b2020,x} (Table~\ref{tab:results1}).",
        r"A claim.\claim{run_1/a_b/c}{better}{run_0/a_b/c}",
        r"Math $\lambda_i = \frac{a}{b_{ij}}$.",
        r"\begin{align} x &= y \\ z &= \sum_{i} w_i \end{align}",
        r"\begin{itemize} \item one \item two \end{itemize}",
        r"\paragraph{Head.} Text.",
    ],
)
def test_simple_latex_is_let_through(tex: str) -> None:
    assert problems_of(tex) == []


def _paper(*paragraphs: str) -> Draft:
    return Draft(
        title="T",
        authors="A",
        day="D",
        statement="S",
        notice="",
        abstract=Section("abstract", "Abstract", (Block("Abstract text."),)),
        sections=(Section("introduction", "Introduction", tuple(Block(p, "model") for p in paragraphs)),),
        bibliography="",
        appendix="",
    )


def _compiles(*paragraphs: str) -> bool:
    files = {"paper.tex": render(_paper(*paragraphs)).encode(), "numbers.tex": b"% none\n"}
    compiled = compile_tex(engines()[0], files, PlainSandbox(), epoch_s=1_700_000_000)
    return compiled.ok


_TEX = st.text(
    st.one_of(
        st.sampled_from(list("\\{}$&#^_%~`'\"<>|@!?()[]-/ \n")),
        st.characters(codec="utf-8", exclude_categories=("Cs",)),
    ),
    max_size=120,
)
_SNIPPETS = st.lists(
    st.one_of(
        _TEX,
        st.sampled_from([r"\frac", r"\end{document}", r"\begin{align}", r"\input{x}", "$x^2$", r"\cite{a}"]),
    ),
    max_size=6,
).map(" ".join)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_SNIPPETS, min_size=8, max_size=8))
def test_any_text_set_as_plain_text_compiles(texts: list[str]) -> None:
    assert _compiles(*(as_plain(to_ascii(text).replace(r"\cite{a}", "")) for text in texts))


@given(_SNIPPETS)
def test_plain_text_passes_the_lint(text: str) -> None:
    assert [p for p in problems_of(as_plain(to_ascii(text))) if "not allowed" not in p] == []


def test_the_engine_that_is_forced_is_the_one_in_the_wheel() -> None:
    name, program = check_latex()
    assert name == "tinytex"
    assert program.is_file()


def test_the_same_input_gives_the_same_bytes() -> None:
    files = {"paper.tex": render(_paper("Text.")).encode(), "numbers.tex": b"% none\n"}
    made = [compile_tex(engines()[0], files, PlainSandbox(), epoch_s=1_700_000_000).pdf for _ in range(2)]
    assert made[0] is not None
    assert made[0] == made[1]


def test_an_error_is_mapped_to_its_paragraph() -> None:
    tex = render(_paper("All is well.", "This is \\undefinedcommand here.", "Well again."))
    files = {"paper.tex": tex.encode(), "numbers.tex": b"% none\n"}
    compiled = compile_tex(engines()[0], files, PlainSandbox(), epoch_s=0)
    assert [p.message for p in compiled.problems] == ["Undefined control sequence."]
    assert paragraph_at(tex, compiled.problems[0].line) == "introduction/2"


def test_files_outside_the_work_folder_cannot_be_read() -> None:
    tex = render(_paper(r"\input{/etc/hostname}"))
    compiled = compile_tex(
        engines()[0], {"paper.tex": tex.encode(), "numbers.tex": b""}, PlainSandbox(), epoch_s=0
    )
    assert not compiled.ok


def test_a_missing_package_is_told_apart_from_an_error_of_the_paper() -> None:
    log = "! LaTeX Error: File `natbib.sty' not found.\n\nType X to quit\nl.3 \\usepackage\n"
    assert problems_in(log)[0].line == 3


def test_a_templates_style_is_taken_without_its_title_and_bibliography(template: Template) -> None:
    text = (
        "\\documentclass{article}\n\\usepackage{hyperref}\n\\begin{filecontents}{r.bib}\n@x{\\begin{document}}\n\\end{filecontents}\n"
        "\\title{An {old} title}\\author{X}\n\\begin{document}\nold\n\\end{document}\n"
    )
    own = template.model_copy(
        update={"texts": {**template.texts, "latex/template.tex": text, "latex/my.sty": "% s"}}
    )

    style = template_style(own)

    assert style is not None
    assert "An {old}" not in style.preamble
    assert "filecontents" not in style.preamble
    assert r"\documentclass{article}" in style.preamble
    assert style.files == {"my.sty": b"% s"}
    assert template_style(template) is None
    assert default_style().name == "novum"


def test_a_malformed_citation_set_as_plain_text_goes_with_its_key() -> None:
    assert as_plain(r"As shown~\cite[see]{nobody2031} and \cite {other} here.") == "As shown and here."


def test_keys_that_latex_did_not_find_are_read_from_its_log() -> None:
    log = (
        "LaTeX Warning: Citation `nobody2031' on page 1 undefined on input line 9.\n"
        "LaTeX Warning: Reference `fig:none' on page 2 undefined on input line 12.\n"
    )
    assert undefined_keys(log) == ("nobody2031", "fig:none")
