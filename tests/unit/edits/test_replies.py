import gzip
import json
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.edits import LineRange, SearchReplace, WholeFile, parse_reply
from novum.edits.blocks import parse_blocks
from novum.errors import EditError

BLOCK = """experiment.py
```python
<<<<<<< SEARCH
a = 1
=======
a = 2
>>>>>>> REPLACE
```
"""


def test_a_block_below_its_file_name() -> None:
    assert parse_reply(BLOCK) == [SearchReplace("experiment.py", "a = 1\n", "a = 2\n")]


def test_a_name_inside_the_fence_and_markup_around_names() -> None:
    for head in ("```python\nexperiment.py\n", "**experiment.py**\n```\n", "### `experiment.py`:\n```\n"):
        reply = head + "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```\n"
        assert parse_reply(reply) == [SearchReplace("experiment.py", "a\n", "b\n")]


def test_a_second_block_without_a_name_is_of_the_same_file() -> None:
    second = "\nand\n\n<<<<<<< SEARCH\nb\n=======\n>>>>>>> REPLACE\n"
    assert parse_reply(BLOCK + second)[1] == SearchReplace("experiment.py", "b\n", "")


def test_an_unfinished_block_refuses_the_whole_reply() -> None:
    with pytest.raises(EditError, match=">>>>>>> REPLACE"):
        parse_reply(BLOCK + "x.py\n<<<<<<< SEARCH\nb\n=======\nc\n")


def test_a_unified_diff() -> None:
    reply = """Here it is:
```diff
--- a/experiment.py
+++ b/experiment.py
@@ -3,2 +3,2 @@ def f():
 keep
-old
+new

@@ -9 +9 @@
-x
+y
--- /dev/null
+++ b/note.txt
@@ -0,0 +1 @@
+hello
```
"""
    assert parse_reply(reply) == [
        SearchReplace("experiment.py", "keep\nold\n", "keep\nnew\n", 3),
        SearchReplace("experiment.py", "x\n", "y\n", 9),
        WholeFile("note.txt", "hello\n"),
    ]


def test_line_ranges_as_json() -> None:
    edits = {"edits": [{"file": "experiment.py", "first": 3, "last": 4, "content": "x = 1"}]}
    expected = [LineRange("experiment.py", 3, 4, "x = 1\n")]
    assert parse_reply(json.dumps(edits)) == expected
    assert parse_reply(f"```json\n{json.dumps(edits)}\n```") == expected
    with pytest.raises(EditError, match="edit 1 of the JSON"):
        parse_reply('[{"first": 5, "last": 2, "content": ""}]')


def test_whole_files() -> None:
    reply = "plot.py\n```python\nprint(1)\n```\nand\n\n`experiment.py`\n```\nprint(2)\n```\n"
    assert parse_reply(reply) == [
        WholeFile("plot.py", "print(1)\n"),
        WholeFile("experiment.py", "print(2)\n"),
    ]
    assert parse_reply("Sure!\n```python\nx = 1\n```") == [WholeFile("", "x = 1\n")]


@pytest.mark.parametrize("reply", ["", "I would lower the learning rate.", "ALL_COMPLETED", "\ud800"])
def test_a_reply_without_a_change_is_an_error_failures_a2(reply: str) -> None:
    """Failures A2: a reply that did not conform to the edit format left the code unchanged, and it ran anyway."""
    with pytest.raises(EditError):
        parse_reply(reply)


def test_a_reply_of_20_mb_is_refused_at_once() -> None:
    reply = BLOCK * (20_000_000 // len(BLOCK))
    start = time.perf_counter()
    with pytest.raises(EditError, match="longer than"):
        parse_reply(reply)
    assert time.perf_counter() - start < 0.5


PIECES = """<<<<<<< SEARCH
=======
>>>>>>> REPLACE
```
```python
experiment.py
a = 1
--- a/experiment.py
+++ b/experiment.py
@@ -1 +1 @@
@@
-a
+b
 c
~~~
""".splitlines(keepends=True)
JSON_EDIT = '{"edits": [{"first": 1, "last": 1, "content": ""}]}'
pieces = st.sampled_from([*PIECES, JSON_EDIT, "\n", "\r\n", "{", "[", "/dev/null", "\x00", "\x0c", "`", "é"])


@given(st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=30).map("".join)))
def test_no_reply_raises_anything_but_edit_error(reply: str) -> None:
    try:
        changes = parse_reply(reply)
    except EditError:
        return
    assert changes


def _real_chat() -> tuple[str, str]:
    root = Path(os.environ.get("NOVUM_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
    folder = root / "edits" / "aider_fixtures"
    if not folder.is_dir():
        pytest.skip(f"no recorded chat at {folder}")
    chat = gzip.decompress((folder / "chat-history.md.gz").read_bytes()).decode()
    return chat, (folder / "chat-history-search-replace-gold.txt").read_bytes().decode()


def test_every_block_of_a_long_real_chat_is_found_within_two_seconds() -> None:
    chat, gold_text = _real_chat()
    bar = "@" * 20
    shape = rf"@@@ SEARCH: (.*?) {bar}\n(.*?)^{bar}\n(.*?)^@@@ REPLACE {bar}\n"
    gold = re.findall(shape, gold_text, re.S | re.M)
    assert len(gold) == 577
    found = []
    start = time.perf_counter()
    for section in re.split(r"(?=####\s)", chat):
        # As in the gold file: sections that quote the parser's own source are not model replies, and a section
        # with an unfinished block counts as a whole.
        if "editblock_coder.py" in section or "test_editblock.py" in section:
            continue
        try:
            found += [block[:3] for block in parse_blocks(section.partition("\n")[2])]
        except EditError:
            continue
    assert time.perf_counter() - start < 2.0
    assert found == gold
