import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.edits import LineRange, SearchReplace, WholeFile, apply, apply_reply
from novum.errors import EditError

SOURCE = """import math


def area(r):
    x = math.pi
    return x * r ** 2


def rim(r):
    x = math.pi
    return 2 * x * r
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "experiment.py").write_text(SOURCE)
    (tmp_path / "evaluate.py").write_text("score = 1\n")
    return tmp_path


def block(search: str, replace: str, file: str = "experiment.py") -> SearchReplace:
    return SearchReplace(file, search, replace)


def changed(folder: Path, *changes: SearchReplace | WholeFile | LineRange) -> str:
    return apply(changes, folder, editable=["experiment.py"], protected=["evaluate.py"]).files[
        "experiment.py"
    ]


def test_an_exact_match_and_its_diff(folder: Path) -> None:
    applied = apply(
        [block("    return x * r ** 2\n", "    return x * r * r\n")], folder, editable=["experiment.py"]
    )
    assert applied.files["experiment.py"] == SOURCE.replace("x * r ** 2", "x * r * r")
    assert "-    return x * r ** 2\n+    return x * r * r\n" in applied.diff
    assert applied.inexact == ()
    assert (folder / "experiment.py").read_text() == SOURCE  # nothing is written


def test_the_diff_is_one_that_git_applies(folder: Path) -> None:
    (folder / "experiment.py").write_text(SOURCE.rstrip("\n"))
    new = WholeFile("notes/new.md", "hello")
    edit = block("    return 2 * x * r", "    return x * r + x * r")
    applied = apply([edit, new], folder, editable=["experiment.py"])
    subprocess.run(["git", "apply", "-"], input=applied.diff.encode(), cwd=folder, check=True)
    for name, text in applied.files.items():
        assert (folder / name).read_text() == text


def test_trailing_space_is_forgiven(folder: Path) -> None:
    assert "r * r" in changed(
        folder, block("def area(r):  \n    x = math.pi\t\n", "def area(r):\n    x = r * r\n")
    )


def test_one_indentation_shift_is_forgiven_and_given_to_the_new_lines(folder: Path) -> None:
    applied = apply(
        [block("x = math.pi\nreturn x * r ** 2\n", "y = r\nif y:\n    return y\n")],
        folder,
        editable=["experiment.py"],
    )
    assert "def area(r):\n    y = r\n    if y:\n        return y\n" in applied.files["experiment.py"]
    assert "indentation" in applied.inexact[0]
    deeper = block("        x = math.pi\n        return x * r ** 2\n", "        return r\n")
    assert "def area(r):\n    return r\n" in changed(folder, deeper)


def test_a_shift_that_is_not_uniform_is_no_match_by_indentation(folder: Path) -> None:
    uneven = block("x = math.pi\n  return x * r ** 2\n", "    return 0\n")
    applied = apply([uneven], folder, editable=["experiment.py"])
    assert "similar, similarity 0.9" in applied.inexact[0]


def test_a_unique_similar_place_is_taken_and_its_similarity_reported(folder: Path) -> None:
    search = "def area(radius):\n    x = math.pi\n    return x * r ** 2\n"
    with pytest.raises(EditError):
        changed(folder, block("def volume(q):\n    y = tau\n    return y * q ** 3\n", "pass\n"))
    applied = apply([block(search, "def area(r):\n    return 0\n")], folder, editable=["experiment.py"])
    assert "def area(r):\n    return 0\n\n\ndef rim" in applied.files["experiment.py"]
    assert "similar, similarity 0.9" in applied.inexact[0]


def test_an_ambiguous_block_changes_nothing(folder: Path) -> None:
    with pytest.raises(EditError, match="occur 2 times") as caught:
        changed(folder, block("    x = math.pi\n", "    x = 3\n"))
    assert "lines 5, 10" in caught.value.what


def test_the_line_of_a_diff_decides_between_places_that_match_alike(folder: Path) -> None:
    edit = SearchReplace("experiment.py", "    x = math.pi\n", "    x = 3\n", 10)
    assert changed(folder, edit).count("x = 3") == 1
    assert "x = 3\n    return 2" in changed(folder, edit)


def test_a_block_that_matches_nothing_shows_the_nearest_lines(folder: Path) -> None:
    with pytest.raises(EditError) as caught:
        changed(folder, block("def rim(r, scale):\n    unknown\n    return 2 * x * r\n", "pass\n"))
    assert "return 2 * x * r" in caught.value.why
    assert "experiment.py" in caught.value.what


def test_a_reply_applies_whole_or_not_at_all_failures_a2(folder: Path) -> None:
    """Failures A2: an edit that failed in part ran as if it had been made."""
    good = block("import math\n", "import cmath as math\n")
    with pytest.raises(EditError):
        changed(folder, good, block("no such line anywhere\n", "x\n"))
    assert (folder / "experiment.py").read_text() == SOURCE


@pytest.mark.parametrize(
    "change",
    [block("import math\n", "import math\n"), WholeFile("experiment.py", SOURCE), LineRange("", 1, 0, "")],
)
def test_a_reply_that_changes_nothing_is_an_error_failures_a2(folder: Path, change: SearchReplace) -> None:
    """Failures A2: byte-identical code ran as another experiment."""
    with pytest.raises(EditError, match="changes nothing"):
        changed(folder, change)


def test_several_blocks_apply_one_after_the_other(folder: Path) -> None:
    text = changed(
        folder, block("import math\n", "import cmath\n"), block("import cmath\n", "import numpy\n")
    )
    assert text.startswith("import numpy\n")


def test_line_ranges_count_in_the_file_as_it_was(folder: Path) -> None:
    first, last = (
        LineRange("", 1, 1, "import cmath\nimport math\n"),
        LineRange("experiment.py", 11, 11, "    return 0\n"),
    )
    text = changed(folder, first, last)
    assert text.startswith("import cmath\nimport math\n")
    assert text.endswith("    return 0\n")
    assert changed(folder, LineRange("", 12, 11, "tail = 1\n")).endswith("r\ntail = 1\n")
    with pytest.raises(EditError, match="two edits"):
        changed(folder, LineRange("", 1, 3, ""), LineRange("experiment.py", 3, 4, ""))
    with pytest.raises(EditError, match="has 11 lines"):
        changed(folder, LineRange("", 11, 12, ""))


def test_crlf_files_stay_crlf(folder: Path) -> None:
    crlf = SOURCE.replace("\n", "\r\n").encode()
    (folder / "experiment.py").write_bytes(crlf)
    text = changed(folder, block("    return 2 * x * r\n", "    y = x\n    return 2 * y * r\n"))
    assert text.count("\n") == text.count("\r\n") == SOURCE.count("\n") + 1
    assert changed(folder, WholeFile("experiment.py", "a = 1\nb = 2\n")) == "a = 1\r\nb = 2\r\n"


def test_a_file_that_is_not_utf8_is_a_named_failure(folder: Path) -> None:
    (folder / "experiment.py").write_bytes(b"# caf\xe9\nx = 1\n")
    with pytest.raises(EditError, match="not UTF-8"):
        changed(folder, block("x = 1\n", "x = 2\n"))


def test_new_files_may_be_made_and_existing_ones_not_overwritten_unseen(folder: Path) -> None:
    applied = apply([SearchReplace("model.py", "", "x = 1\n")], folder, editable=["experiment.py"])
    assert applied.files == {"model.py": "x = 1\n"}
    with pytest.raises(EditError, match="nothing to find"):
        changed(folder, block("", "x = 1\n"))


@pytest.mark.parametrize("name", ["evaluate.py", "./evaluate.py", "sub/../evaluate.py", ".//evaluate.py"])
def test_a_protected_file_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(EditError):
        changed(folder, WholeFile(name, "score = 100\n"))
    assert (folder / "evaluate.py").read_text() == "score = 1\n"


@pytest.mark.parametrize(
    "name", ["../x.py", "/etc/passwd", "a/../../x.py", "C:\\x.py", ".git/config", "a\x00.py", "."]
)
def test_a_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(EditError):
        apply([WholeFile(name, "x\n")], folder, editable=["experiment.py", name])


def test_a_symbolic_link_is_never_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.py").write_text("key = 1\n")
    (folder / "linked").symlink_to(outside)
    (folder / "alias.py").symlink_to(outside / "secret.py")
    for name in ("linked/secret.py", "linked/new.py", "alias.py"):
        with pytest.raises(EditError, match="symbolic link"):
            apply([WholeFile(name, "key = 2\n")], folder, editable=["experiment.py", name])
    assert (outside / "secret.py").read_text() == "key = 1\n"


def test_an_existing_file_that_is_not_editable_is_refused(folder: Path) -> None:
    (folder / "data.txt").write_text("1\n")
    with pytest.raises(EditError, match="may not be changed"):
        changed(folder, WholeFile("data.txt", "2\n"))


def test_a_path_of_the_models_own_means_the_one_file_of_that_name(folder: Path) -> None:
    assert "cmath" in changed(folder, block("import math\n", "import cmath\n", "src/novel/experiment.py"))


def test_a_reply_that_names_no_file_is_of_the_only_editable_one(folder: Path) -> None:
    reply = "```python\nx = 1\n```"
    assert apply_reply(reply, folder, editable=["experiment.py"]).files == {"experiment.py": "x = 1\n"}
    with pytest.raises(EditError, match="names no file"):
        apply_reply(reply, folder, editable=["experiment.py", "plot.py"])


lines = st.lists(
    st.sampled_from(["a", "b", "    a", "\tb ", "", "x = 1", "é", "\r", "\ud800"]), max_size=8
).map("\n".join)
names = st.sampled_from(
    ["experiment.py", "", "evaluate.py", "new/x.py", "..", "experiment.py/x", "\ud800", ".", "é" * 150]
)
changes = st.one_of(
    st.builds(SearchReplace, names, lines, lines, st.none() | st.integers(-3, 12)),
    st.builds(WholeFile, names, lines),
    st.builds(LineRange, names, st.integers(1, 9), st.integers(0, 9), lines),
)


@given(lines, st.lists(changes, max_size=4))
def test_no_change_raises_anything_but_edit_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, wanted: list[SearchReplace]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "property"
    folder.mkdir(exist_ok=True)
    (folder / "experiment.py").write_bytes(text.encode(errors="replace"))
    try:
        applied = apply(wanted, folder, editable=["experiment.py"], protected=["evaluate.py"])
    except EditError:
        return
    assert applied.diff
    assert "evaluate.py" not in applied.files
    for changed_text in applied.files.values():
        changed_text.encode()


@pytest.mark.parametrize("name", ["é" * 150 + ".py", "a" * 260 + ".py", "\ud800.py", "x/" * 120 + "y.py"])
def test_a_name_that_no_file_system_takes_is_refused(folder: Path, name: str) -> None:
    """A name of 300 bytes in 150 letters was an OSError."""
    change = WholeFile(name, "x = 1\n")
    with pytest.raises(EditError, match="no file name"):
        apply([change], folder, editable=["experiment.py"])


def test_half_a_character_is_refused(folder: Path) -> None:
    """JSON can spell it, and no file can hold it."""
    reply = '{"edits": [{"file": "new.py", "first": 1, "last": 0, "content": "x = \'\\ud800\'"}]}'
    with pytest.raises(EditError, match="not Unicode"):
        apply_reply(reply, folder, editable=["experiment.py"])
