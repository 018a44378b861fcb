"""Recent works on a template's topic, as seeds for ideas. What they say is data; nothing depends on it."""

from __future__ import annotations

from novum.recorded_search import recorded_search
from novum.tools import Tools
from novum.untrusted import as_line

_FOUND_PER_WORK = 4
_MOST_CHARS = 300


def recent_works(tools: Tools, count: int) -> tuple[str, ...]:
    """Title, year and abstract of `count` works that answer the template's topic, the most recent first.

    Fewer when fewer were found, none when no source could be asked.
    """
    if count < 1:
        return ()
    template = tools.template
    topic = " ".join(dict.fromkeys((template.title, template.domain, *template.paper.keywords[:2])))
    found = recorded_search(tools, topic, _FOUND_PER_WORK * count).papers
    newest = sorted(found, key=lambda paper: -(paper.year or 0))[:count]
    return tuple(as_line(f"{p.title} ({p.year or 'no year'}). {p.abstract}", _MOST_CHARS) for p in newest)
