"""What a program does, apart from how it is written."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from novum.edits.programs import imported_names, same_but_for_names, same_program

LINES = st.sampled_from(
    [
        "def f(a, b=1):",
        "    return a + b",
        "    x = [y for y in a if y]",
        "class C:",
        "    z = 1",
        "import math as m",
        "from os import path",
        "lambda q: q",
        "f(a=1)",
        "global x",
        "async def g(): pass",
        "match a:",
        "    case [x, *_]: pass",
        '"text"',
        "\x00",
        "(" * 300,
        "x = " + "+".join(["a"] * 300),
        "x = " + "+".join(["a"] * 1100),
        "x = " + "+".join(["a"] * 6000),
        "x = a" + ".b" * 1500,
    ]
)
SOURCES = st.lists(LINES, max_size=6).map("\n".join) | st.text(max_size=60)


@settings(max_examples=150, deadline=None)
@given(SOURCES, SOURCES)
def test_no_source_raises_anything_but_a_syntax_error(old: str, new: str) -> None:
    try:
        same = same_program(old, new)
        alike = same_but_for_names(old, new)
        imported_names(old)
    except SyntaxError:
        return
    assert alike or not same


@settings(max_examples=60, deadline=None)
@given(SOURCES)
def test_a_program_is_the_same_as_itself(source: str) -> None:
    try:
        assert same_program(source, source + "\n# a comment\n")
        assert same_but_for_names(source, source)
    except SyntaxError:
        return


def test_names_of_one_function_are_its_own() -> None:
    old = "def f(params):\n    return params.rate\n\ndef main(params):\n    return f(params)\n"
    assert same_but_for_names(
        old, old.replace("def f(params):\n    return params.", "def f(p):\n    return p.")
    )
    assert not same_but_for_names(old, old.replace("params.rate", "params.slope"))
    assert not same_but_for_names(old, old.replace("return f(params)", "return main(params)"))


def test_what_is_imported_is_told_by_the_name_that_it_has() -> None:
    source = "from __future__ import annotations\nimport numpy as np\nimport json, math\nfrom torch import nn\nx = 1\n"
    assert imported_names(source, without={"json"}) == ("np (numpy)", "math", "nn")
