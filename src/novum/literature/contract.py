"""What every implementation of the Source port must do. Subclass it in a test, also in a plug-in's:

class TestMine(SourceContract):
    @pytest.fixture
    def source(self): ...         # one that holds at least one work that `QUERY` finds
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from novum.literature import Source
from novum.literature.identity import normal_id
from novum.records import Paper

QUERY = "turing"


class SourceContract:
    """The tests. `source` is a fixture that gives a source which can be asked and finds something for `QUERY`."""

    def test_it_has_a_name_that_is_one_word(self, source: Source) -> None:
        assert source.name.isidentifier()

    def test_a_search_gives_records_with_title_id_and_origin(self, source: Source) -> None:
        found = source.search(QUERY, 5)
        assert 1 <= len(found) <= 5
        for paper in found:
            assert isinstance(paper, Paper)
            assert paper.title and paper.title == paper.title.strip()
            assert paper.id == normal_id(paper.id)
            assert paper.origin["title"]

    def test_a_limit_holds(self, source: Source) -> None:
        assert len(source.search(QUERY, 1)) == 1
        assert source.search(QUERY, 0) == []

    def test_an_empty_query_finds_nothing_and_asks_nothing(self, source: Source) -> None:
        assert source.search("") == [] == source.search("  \n")

    def test_an_unknown_kind_of_id_is_not_there(self, source: Source) -> None:
        assert source.lookup("nosuchscheme:1") is None
        assert source.lookup("") is None

    def test_it_may_be_asked_from_many_threads(self, source: Source) -> None:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: source.search(QUERY, 3), range(8)))
        assert all([p.id for p in a] == [p.id for p in answers[0]] for a in answers)
