"""The audit finds what was altered after the writing: it takes nothing on trust."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from novum.paper.audit import audit_study
from novum.paper.audit_records import Audit
from novum.paper.write import write_paper
from novum.store import StudyFolder
from novum.template import Template
from novum.tools import Tools

from .conftest import good_reply, make_study, open_log, tools_for


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, template: Template) -> Path:
    """A study whose paper is written, once for all tests."""
    study = make_study(tmp_path_factory.mktemp("finished"))
    with pytest.MonkeyPatch.context() as patch, open_log(study) as log:
        patch.setenv("NOVUM_LATEX", "tinytex")
        write_paper(tools_for(study, log, template, good_reply))
    return study.root


@pytest.fixture
def written(finished: Path, tmp_path: Path, template: Template) -> Iterator[Tools]:
    """A copy of it that a test may alter."""
    study = StudyFolder(shutil.copytree(finished, tmp_path / finished.name))
    with open_log(study) as log:
        yield tools_for(study, log, template, good_reply)


def audit(tools: Tools) -> Audit:
    return audit_study(tools.folder, tools.log, tools.library, tools.template, 0)


def alter(tools: Tools, name: str, change: Callable[[str], str]) -> None:
    path: Path = tools.folder.draft(0) / name
    text = path.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def in_results(sentence: str) -> Callable[[str], str]:
    """Put a sentence at the head of the first paragraph of the results."""
    return lambda tex: re.sub(
        r"(%@ results/\d+ code\nWe begin)",
        lambda m: f"{m[1].replace('We begin', sentence)} We begin",
        tex,
        count=1,
    )


CASES = {
    "an invented number": ("paper.tex", in_results("The peak fell by 37.5\\% in the end."), "unbound number"),
    "a number word": ("paper.tex", in_results("The peak came twelve days late."), "unbound number"),
    "another value behind a key": ("numbers.tex", lambda t: t.replace("1468", "1368", 1), "number"),
    "a key that is not there": (
        "paper.tex",
        in_results(r"It was \result{run_7/town/peak_infected}."),
        "number",
    ),
    "a claim against the results": (
        "paper.tex",
        in_results(r"It is worse.\claim{run_1/town/peak_infected}{worse}{run_0/town/peak_infected}"),
        "claim",
    ),
    "a comparison of a model without a claim": (
        "paper.tex",
        lambda t: re.sub(
            r"(%@ introduction/1 model\n)", r"\1Run~2 clearly outperforms the baseline in every respect. ", t
        ),
        "claim",
    ),
    "a number in the title": (
        "paper.tex",
        lambda t: re.sub(r"(\n\\novumtitle\{)", r"\1Closing schools cuts the peak by 40 percent: ", t),
        "unbound number",
    ),
    "a citation that no check of keys reads": (
        "paper.tex",
        in_results(r"As is known~\cite {nobody2020nothing}."),
        "key",
    ),
    "a citation that does not exist": (
        "paper.tex",
        in_results(r"As is known~\cite{nobody2020nothing}."),
        "citation",
    ),
    "another title in the bibliography": (
        "references.bib",
        lambda t: t.replace("Optimizing", "Maximising", 1),
        "citation",
    ),
    "a reference that nothing cites": (
        "references.bib",
        lambda t: t + "\n@misc{ghost,\n  title = {A Ghost},\n  year = {2001},\n}\n",
        "citation",
    ),
    "a figure that is no file": (
        "paper.tex",
        lambda t: t.replace("figures/curves", "figures/kurves"),
        "figure",
    ),
    "a run that is left out of the table": (
        "paper.tex",
        lambda t: re.sub(r"\\novumstrut Run~3 & .*?\\\\\n", "", t, flags=re.DOTALL),
        "run",
    ),
    "a paragraph that stands there twice": (
        "paper.tex",
        lambda t: t.replace(
            "%@ conclusion/1 code\n",
            "%@ conclusion/9 code\nSame text here.\n\n%@ conclusion/8 code\nSame text here.\n\n%@ "
            "conclusion/1 code\n",
        ),
        "prose",
    ),
    "no word of the AI system": (
        "paper.tex",
        lambda t: t.replace("Written by an AI system.", ""),
        "disclosure",
    ),
    "a section that is gone": ("paper.tex", lambda t: re.sub(r"%@ discussion/\d+ \w+", "", t), "section"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_alteration_is_found(written: Tools, case: str) -> None:
    name, change, kind = CASES[case]
    assert audit(written).passes
    alter(written, name, change)

    found = audit(written)

    assert not found.passes
    assert kind in {f.kind for f in found.findings if f.severity == "error"}


def test_a_mean_that_is_not_that_of_its_values_is_found(written: Tools) -> None:
    path = written.folder.results
    results = json.loads(path.read_text())
    results["results"][6]["values"][0] += 100
    path.write_text(json.dumps(results))
    assert "result" in {f.kind for f in audit(written).findings}


def test_a_missing_run_folder_and_a_missing_pdf_are_found(written: Tools) -> None:
    written.folder.run("run_2").rmdir()
    (written.folder.draft(0) / "paper.pdf").unlink()
    kinds = {(f.kind, f.where) for f in audit(written).findings}
    assert ("run", "run_2") in kinds
    assert ("file", "paper.pdf") in kinds


def test_the_audit_reads_as_text(written: Tools) -> None:
    text = audit(written).text
    assert "passes" in text
    assert "references verified" in text


@pytest.mark.parametrize("content", ["damaged", "page"])
def test_a_damaged_pdf_is_a_finding_not_a_crash(written: Tools, content: str) -> None:
    path = written.folder.draft(0) / "paper.pdf"
    if content == "damaged":
        path.write_bytes(path.read_bytes()[:2000])
    else:
        without_a_page(path)
    assert ("file", "paper.pdf") in {(f.kind, f.where) for f in audit(written).findings}


def without_a_page(path: Path) -> None:
    """Put in the place of the PDF's second page what is no page."""
    import pikepdf

    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[1].obj["/Type"] = pikepdf.Name("/Pagf")
        pdf.save(path)


def test_a_key_that_is_undefined_in_the_compiled_paper_is_an_error(written: Tools) -> None:
    last = written.log.last("latex")
    assert last is not None
    assert last.data["undefined"] == []
    written.log.append("latex", **{**last.data, "undefined": ["nobody2020nothing"]})
    found = audit(written)
    assert ("latex", "nobody2020nothing") in {(f.kind, f.where) for f in found.findings}
    assert not found.passes


def test_the_draft_that_is_asked_for_is_audited_with_its_own_compilation(written: Tools) -> None:
    """A resume put the audit of draft 1 into drafts/0."""
    shutil.copytree(written.folder.draft(0), written.folder.draft(1))
    last = written.log.last("latex")
    assert last is not None
    written.log.append("latex", **{**last.data, "draft": 1, "plain": ["method/1"]})
    first, second = (
        audit_study(written.folder, written.log, written.library, written.template, draft) for draft in (0, 1)
    )
    assert (first.draft, first.degraded_paragraphs) == ("0", ())
    assert (second.draft, second.degraded_paragraphs) == ("1", ("method/1",))
