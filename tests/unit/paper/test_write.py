"""The writing phase from a study folder to an audited PDF."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pypdfium2
import pytest

from novum.errors import StudyError
from novum.llm import Request
from novum.llm.nonsense import random_model
from novum.paper.audit_records import Audit
from novum.paper.citations import FEWEST
from novum.paper.latex.style import DEFAULT
from novum.paper.write import write_paper
from novum.records import Comparison, Idea, Results
from novum.store import StudyFolder
from novum.template import Template
from novum.tools import Tools

from .conftest import LARGE, MakeTools, cite_reply, good_reply, open_log, tools_for


def audit_of(tools: Tools, pdf: Path) -> Audit:
    return tools.folder.read(pdf.parent / "audit.json", Audit)


def pages_of(pdf: Path) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    texts = []
    for page in document:
        text = page.get_textpage()
        texts.append(" ".join(text.get_text_bounded().split()))
        text.close()
        page.close()
    document.close()
    return texts


def test_a_study_becomes_an_audited_paper(make_tools: MakeTools) -> None:
    tools = make_tools(good_reply)

    pdf = write_paper(tools)

    audit = audit_of(tools, pdf)
    assert audit.findings == ()
    assert audit.passes
    assert audit.answered_share == 1.0
    assert len(audit.citations) >= FEWEST
    assert all(c.status == "verified" for c in audit.citations)
    assert (tools.folder.paper / "paper.pdf").read_bytes() == pdf.read_bytes()
    pages = pages_of(pdf)
    assert "Written by an AI system" in pages[0]
    assert "Assembled from defaults" not in pages[0]
    assert "Run 4" in "".join(pages)


def test_the_pdf_says_in_its_metadata_that_an_algorithm_wrote_it(make_tools: MakeTools) -> None:
    import pikepdf

    pdf = write_paper(make_tools(good_reply))

    with pikepdf.open(pdf) as document, document.open_metadata() as metadata:
        assert "AI system" in str(document.docinfo["/Author"])
        assert (
            "trainedAlgorithmicMedia"
            in metadata["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"]
        )


def test_writing_again_gives_the_same_bytes(
    make_tools: MakeTools, tmp_path: Path, template: Template
) -> None:
    first = write_paper(make_tools(good_reply))
    copy = StudyFolder(tmp_path / "elsewhere" / "study")
    shutil.copytree(first.parents[2], copy.root)
    shutil.rmtree(copy.drafts)

    with open_log(copy) as log:
        second = write_paper(tools_for(copy, log, template, good_reply))

    for name in ("paper.tex", "numbers.tex", "references.bib", "claims.json", "paper.pdf"):
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes(), name


@pytest.mark.parametrize("seed", range(2))
def test_a_model_of_random_replies_ends_in_a_paper_that_says_so(make_tools: MakeTools, seed: int) -> None:
    model = random_model(seed)
    tools = make_tools(lambda request: model.complete(request).text, model.capabilities)

    pdf = write_paper(tools)

    audit = audit_of(tools, pdf)
    assert audit.passes
    assert audit.unbound_numbers == ()
    if audit.answered_share < 0.8 or audit.default_phases:
        assert "Assembled from defaults" in pages_of(pdf)[0]


def test_a_model_that_says_nothing_ends_in_a_paper_that_says_so(make_tools: MakeTools) -> None:
    tools = make_tools(lambda _: "")

    pdf = write_paper(tools)

    audit = audit_of(tools, pdf)
    assert audit.passes
    assert audit.default_phases == ("write",)
    assert audit.pages >= 4
    assert audit.words >= 1500
    assert "Assembled from defaults" in pages_of(pdf)[0]


def test_a_bad_sentence_of_a_small_model_is_dropped_and_noted(make_tools: MakeTools) -> None:
    def reply(request: Request) -> str:
        text = good_reply(request)
        if request.step == "write/background":
            return text + " Our results show that the town infected 37 people."
        return text.replace("The outcome", "Twice the outcome") if request.json_schema is None else text

    tools = make_tools(reply)

    pdf = write_paper(tools)

    assert audit_of(tools, pdf).passes
    assert (
        "37"
        not in (pdf.parent / "paper.tex").read_text().partition("%@ method")[0].partition("%@ background")[2]
    )


def test_the_models_choice_of_results_counts_and_no_run_is_left_out(make_tools: MakeTools) -> None:
    def reply(request: Request) -> str:
        if request.step == "write/results":
            return json.dumps({"reasoning": "The last one.", "chosen": ["S15"]})
        return good_reply(request)

    tools = make_tools(reply)

    tex = (write_paper(tools).parent / "paper.tex").read_text()
    results = tex.partition(r"\section{Results}")[2].partition(r"\section{Discussion}")[0]

    assert "run_3/town/contact_loss" in results
    assert "run_2/town/attack_rate}" not in results.replace(r"\resultcell{run_2/town/attack_rate}", "")
    for run in ("run_1", "run_2", "run_3"):
        assert f"{run}/town/peak_infected" in results
    assert "run~4" in results


def test_a_study_without_results_is_one_clear_error(make_tools: MakeTools) -> None:
    tools = make_tools(good_reply)
    tools.folder.results.unlink()
    with pytest.raises(StudyError, match=r"results\.json"):
        write_paper(tools)


def test_a_templates_style_that_lacks_a_package_gives_way_to_ours(
    folder: StudyFolder, template: Template
) -> None:
    text = "\\documentclass{article}\n\\usepackage{nosuchpackage}\n\\begin{document}\n\\end{document}\n"
    own = template.model_copy(update={"texts": {**template.texts, "latex/template.tex": text}})
    with open_log(folder) as log:
        tools = tools_for(folder, log, own, good_reply)
        audit = audit_of(tools, write_paper(tools))
    assert audit.style == DEFAULT
    assert audit.passes


def test_a_templates_style_that_works_is_taken(folder: StudyFolder, template: Template) -> None:
    text = (
        "\\documentclass[11pt]{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{lmodern}\n\\usepackage[margin=1in]{geometry}\n"
        "\\title{Old}\n\\begin{document}\n\\end{document}\n"
    )
    own = template.model_copy(update={"texts": {**template.texts, "latex/template.tex": text}})
    with open_log(folder) as log:
        tools = tools_for(folder, log, own, good_reply)
        pdf = write_paper(tools)
        audit = audit_of(tools, pdf)
    assert audit.style == "epidemic"
    assert audit.passes
    assert "Written by an AI system" in pages_of(pdf)[0]


BODIES = {
    "introduction": "A temporary contact reduction may spare a town an epidemic or only postpone "
    "it~\\cite{hatchett2007public}.\n\n"
    "The peak fell by \\changeby{run_1/town/peak_infected}{run_0/town/peak_infected} with a stronger reduction."
    "\\claim{run_1/town/peak_infected}{better}{run_0/town/peak_infected}",
    "results": "Table~\\ref{tab:results1} lists all values. In run~1 the peak was "
    "\\resultpm{run_1/town/peak_infected}, below the "
    "baseline.\\claim{run_1/town/peak_infected}{lower}{run_0/town/peak_infected}\n\nIn run~2 it was "
    "\\result{run_2/town/peak_infected}, and no "
    "difference was detected.\\claim{run_2/town/peak_infected}{no detectable difference}{run_0/town/peak_infected}",
    "method": "We simulate \\config{population} people. The force of infection follows\n\\begin{equation} "
    "\\lambda = \\beta I / N "
    "\\end{equation}\nwith a contact matrix~\\cite{mossong2008social}.",
}


def frontier(request: Request) -> str:
    """A well-behaved frontier model."""
    step = request.step.removeprefix("write/")
    if step.startswith("cite/"):
        return cite_reply(request)
    if step == "title":
        return "How Strong Should a Temporary Contact Reduction Be?"
    if step.endswith(("/reflect", "/refine")):
        return "UNCHANGED"
    return BODIES.get(
        step,
        f"This is the text on {step}, which cites a work~\\cite{{fraser2004factors}} and makes one point.",
    )


def test_a_frontier_model_writes_freely_and_is_checked(make_tools: MakeTools) -> None:
    tools = make_tools(frontier, LARGE)

    pdf = write_paper(tools)

    audit = audit_of(tools, pdf)
    assert [f for f in audit.findings if f.severity == "error"] == []
    tex = (pdf.parent / "paper.tex").read_text()
    assert "How Strong Should" in tex
    assert r"\begin{equation} \lambda" in tex
    results = tex.partition(r"\section{Results}")[2].partition(r"\section{Discussion}")[0]
    # What the model did not mention, the code adds: run 3 and the failed run 4.
    assert r"\resultpm{run_3/town/peak_infected}" in results
    assert "run~4" in results
    claims = json.loads((pdf.parent / "claims.json").read_text())
    assert all(c["supported"] for c in claims)


BAD = (
    "The peak fell by 45.2 percent in all runs. It is "
    "worse.\\claim{run_1/town/peak_infected}{worse}{run_0/town/peak_infected} "
    "As shown~\\cite{invented2024paper} it works. The value was \\result{run_8/town/peak_infected}. This "
    "sentence is fine. \\input{/etc/passwd}"
)


def test_what_a_frontier_model_cannot_mend_is_removed_and_noted(make_tools: MakeTools) -> None:
    asked: list[str] = []

    def reply(request: Request) -> str:
        asked.append(request.step)
        if request.step.startswith("write/discussion") and not request.step.endswith(("/reflect", "/refine")):
            return BAD
        return frontier(request)

    tools = make_tools(reply, LARGE)

    pdf = write_paper(tools)

    audit = audit_of(tools, pdf)
    tex = (pdf.parent / "paper.tex").read_text()
    body = tex.partition(r"\begin{document}")[2]
    assert audit.passes
    assert "This sentence is fine." in body
    for gone in ("45.2", "invented2024paper", "run_8/", "/etc/passwd}"):
        assert gone not in body, gone
    assert len(list(tools.log.events("sentence_dropped"))) >= 4
    assert asked.count("write/discussion") == 1


def test_latex_that_does_not_compile_goes_back_and_then_is_set_as_plain_text(make_tools: MakeTools) -> None:
    asked: list[str] = []
    # Passes the lint, but TeX refuses it: two subscripts.
    broken = "The factor is $x_a_b$ here, as everybody knows."

    def reply(request: Request) -> str:
        asked.append(request.step)
        if request.step == "write/conclusion" or request.step.startswith("write/repair"):
            return broken
        return frontier(request)

    tools = make_tools(reply, LARGE)

    pdf = write_paper(tools)

    audit = audit_of(tools, pdf)
    assert [s for s in asked if s.startswith("write/repair")] == [
        "write/repair/conclusion/1/1",
        "write/repair/conclusion/1/2",
    ]
    assert audit.degraded_paragraphs == ("conclusion/1",)
    assert audit.passes
    assert pdf.is_file()


def test_latex_that_the_model_mends_stays_latex(make_tools: MakeTools) -> None:
    def reply(request: Request) -> str:
        if request.step == "write/conclusion":
            return "The factor is $x_a_b$ here, as everybody knows."
        if request.step.startswith("write/repair"):
            return "The factor is $x_{ab}$ here, as everybody knows."
        return frontier(request)

    tools = make_tools(reply, LARGE)

    pdf = write_paper(tools)

    assert audit_of(tools, pdf).degraded_paragraphs == ()
    assert "$x_{ab}$" in (pdf.parent / "paper.tex").read_text()


def test_a_template_that_declares_nothing_gets_a_paper_all_the_same(folder: StudyFolder) -> None:
    """No metrics, parameters or facts, one value a run, two data sets: as in templates of the first AI Scientist."""
    results = folder.read(folder.results, Results)
    blank = dict.fromkeys(("sd", "stderr", "low", "high"))
    lone = [
        r.model_copy(
            update={
                "key": f"{r.run}/{d}/{r.metric}",
                "dataset": d,
                "n": 1,
                "values": (),
                "self_reported": True,
                **blank,
            }
        )
        for r in results.results
        for d in ("enwik8", "two_sets")
    ]
    bare_run = {"seeds": (), "arguments": {}, "change": "Do it otherwise."}
    runs = tuple(run.model_copy(update=bare_run) for run in results.runs)
    comparisons = [
        Comparison(
            a=r.key,
            b=f"run_0/{r.dataset}/{r.metric}",
            verdict="not comparable",
            reason="a lone seed tells nothing of the noise (1 and 1 values)",
            difference=r.mean - next(b.mean for b in lone if b.key == f"run_0/{r.dataset}/{r.metric}"),
        )
        for r in lone
        if r.run != "run_0"
    ]
    folder.write(folder.results, Results(runs=runs, results=tuple(lone), comparisons=tuple(comparisons)))
    bare = Template(name="bare", title="Research template", declared=False)
    with open_log(folder) as log:
        tools = tools_for(folder, log, bare, lambda _: "")

        pdf = write_paper(tools)

        audit = audit_of(tools, pdf)
    assert [f for f in audit.findings if f.severity == "error"] == []
    tex = (pdf.parent / "paper.tex").read_text()
    assert "not tested" in tex
    assert r"\claim{" not in tex.partition(r"\begin{document}")[2]


def titled(folder: StudyFolder, title: str) -> None:
    folder.write(folder.idea, folder.read(folder.idea, Idea).model_copy(update={"title": title}))


@pytest.mark.parametrize("large", [False, True])
def test_a_number_in_the_ideas_title_is_not_printed(make_tools: MakeTools, large: bool) -> None:
    def reply(request: Request) -> str:
        if large:
            return "" if request.step.startswith("write/title") else frontier(request)
        return good_reply(request)

    tools = make_tools(reply, LARGE) if large else make_tools(reply)
    titled(tools.folder, "Closing schools cuts the peak by 40 percent")

    pdf = write_paper(tools)

    assert audit_of(tools, pdf).passes
    assert (
        r"\novumtitle{Effects of strength of the contact reduction" in (pdf.parent / "paper.tex").read_text()
    )


def test_an_unclaimed_comparison_of_a_frontier_model_is_removed(make_tools: MakeTools) -> None:
    bold = "Run~2 clearly outperforms the baseline in every respect."

    def reply(request: Request) -> str:
        if request.step.startswith("write/conclusion") and not request.step.endswith(("/reflect", "/refine")):
            return f"{bold} The end is plain."
        return frontier(request)

    tools = make_tools(reply, LARGE)

    pdf = write_paper(tools)

    assert audit_of(tools, pdf).passes
    tex = (pdf.parent / "paper.tex").read_text()
    assert bold not in tex
    assert "The end is plain." in tex
