"""Which figures stand where, and their LaTeX."""

from __future__ import annotations

from novum.literature.tex import escape
from novum.paper.material import Material
from novum.paper.unbound import unbound_numbers
from novum.records import Figure

BODY_FIGURES = 3


def body_figures(material: Material) -> list[Figure]:
    """The primary metric's figure, then the template's, up to three."""
    first = [f for f in material.figures if material.primary in f.metrics][:1]
    others = [f for f in material.figures if f.source == "template"]
    rest = [f for f in material.figures if f not in first and f not in others]
    return [*first, *others, *rest][:BODY_FIGURES]


def appendix_figures(material: Material) -> list[Figure]:
    shown = body_figures(material)
    return [f for f in material.figures if f not in shown]


def caption_of(figure: Figure, material: Material) -> str:
    """The caption; one with typed numbers, which a plot script may have written, gives way to a neutral one; LaTeX."""
    caption = escape(figure.caption)
    if not unbound_numbers(caption, material.declared):
        return caption
    return rf"\texttt{{{escape(figure.file)}}}, drawn by the template's plot script."


def further_figures(material: Material) -> str:
    """The appendix of figures that the body does not show, two beside each other."""
    figures = appendix_figures(material)
    if not figures:
        return ""
    said = []
    if any(f.metrics for f in figures):
        said.append("The remaining metrics are drawn in the same way as the primary one.")
    if any(not f.metrics for f in figures):
        said.append("What the runs recorded beside their metrics is shown as well.")
    parts = [r"\section{Further Figures}", " ".join(said)]
    for pair in (figures[i : i + 2] for i in range(0, len(figures), 2)):
        cells = r"\hfill".join(_beside(figure, material) for figure in pair)
        parts.append(rf"\begin{{novumfigures}}{cells}\end{{novumfigures}}")
    return "\n\n".join(parts)


def _beside(figure: Figure, material: Material) -> str:
    return (
        rf"\begin{{minipage}}[t]{{0.48\linewidth}}\centering\includegraphics[width=\linewidth]{{figures/{figure.file}}}"
        rf"\caption{{{caption_of(figure, material)}}}\label{{fig:{figure.file}}}\end{{minipage}}"
    )


def figure_float(figure: Figure, material: Material, width: str = "0.6") -> str:
    """A figure of the body."""
    return "\n".join(
        (
            r"\begin{figure}[t]",
            r"\centering",
            rf"\includegraphics[width={width}\linewidth,height=0.3\textheight,keepaspectratio]{{figures/{figure.file}}}",
            rf"\caption{{{caption_of(figure, material)}}}\label{{fig:{figure.file}}}",
            r"\end{figure}",
        )
    )
