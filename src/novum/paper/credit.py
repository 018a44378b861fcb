r"""A model's sentence that credits a method to a work which did not introduce it cites the one that did instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from novum.literature.attribution import misattributions
from novum.paper.citations import Shelf
from novum.paper.document import Section
from novum.paper.places import places, uncited, with_sentence
from novum.tools import Tools


def credited(tools: Tools, sections: Sequence[Section], shelf: Shelf) -> tuple[tuple[Section, ...], Shelf]:
    """The sections with right credits in the sentences of models, and the shelf with the works that they cite now."""
    kept = tuple(sections)
    for place in places(sections):
        if place.origin != "model":
            continue
        sentence = place.sentence
        for wrong in misattributions(sentence, {w.key: w.paper for w in shelf.works}):
            shelf, work = shelf.holding(wrong.introduced_by)
            group = r"\s*,\s*".join(map(re.escape, wrong.keys))
            sentence = re.sub(rf"\\cite\{{\s*{group}\s*\}}", rf"\\cite{{{work.key}}}", sentence, count=1)
            tools.log.note(
                "citation",
                step="write/cite/credit",
                key=work.key,
                paper=work.paper.id,
                sentence=uncited(sentence),
                refused=f"{wrong.method} was credited to {', '.join(wrong.keys)}",
            )
        if sentence != place.sentence:
            kept = with_sentence(kept, place, sentence)
    return kept, shelf
