import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.edits import function_source, replace_function
from novum.errors import EditError

SOURCE = '''import math


@staticmethod
def rate(day, params):
    """The rate of a day.

    From 0 to 1.
    """
    # one rate for ever
    return params.rate


def other(x: int, *, scale: float = 1.0) -> float:
    return x * scale
'''


def test_the_source_of_a_function_has_its_decorators_and_comments() -> None:
    source = function_source(SOURCE, "rate")
    assert source.startswith("@staticmethod\ndef rate")
    assert source.endswith("return params.rate\n")


def test_a_function_is_replaced_and_the_rest_left_alone() -> None:
    new = "def rate(day, params):\n    if day < 3:\n        return 0.0\n    return params.rate\n"
    changed = replace_function(SOURCE, "rate", new)
    assert changed.startswith("import math\n\n\ndef rate(day, params):\n")
    assert changed.endswith(SOURCE[SOURCE.index("\n\ndef other") :])
    namespace: dict[str, object] = {}
    exec(changed, namespace)
    # The docstring that the reply left out stays.
    assert str(namespace["rate"].__doc__).startswith("The rate of a day.")


def test_the_replies_of_small_models_are_understood() -> None:
    indented = "    def rate(day, params):\n        return 0.5\n\n\n"
    assert "    return 0.5\n\n\ndef other" in replace_function(SOURCE, "rate", indented)
    with_import = 'import math\n\ndef rate(day, params):\n    """New."""\n    return math.pi\n'
    changed = replace_function(SOURCE, "rate", with_import)
    assert changed.count("import math") == 1
    assert '"""New."""' in changed
    one_line = replace_function(SOURCE, "rate", "def rate(day, params): return 1.0")
    assert "def rate(day, params): return 1.0\n" in one_line


def test_annotations_may_come_and_go() -> None:
    assert "return 2.0" in replace_function(SOURCE, "other", "def other(x, *, scale=1.0):\n    return 2.0\n")


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ("def rate(day):\n    return 1\n", "arguments of rate must stay"),
        ("def rate(day, params, extra=1):\n    return 1\n", "arguments of rate must stay"),
        ("def speed(day, params):\n    return 1\n", "keep the name rate"),
        ("def rate(day, params):\n    return 1\ndef b():\n    pass\n", "2 functions"),
        ("def rate(day, params):\n    return 1\nprint(rate(1, 2))\n", "1 other statement"),
        ("import os\ndef rate(day, params):\n    return 1\n", "1 other statement"),
        ("def rate(day, params):\n  return (1\n", "not valid Python at line"),
        ("", "0 functions"),
        ("the rate should fall", "not valid Python"),
    ],
)
def test_anything_but_the_function_itself_is_refused(new: str, problem: str) -> None:
    with pytest.raises(EditError) as caught:
        replace_function(SOURCE, "rate", new)
    assert problem in caught.value.text


def test_a_default_is_part_of_the_signature() -> None:
    with pytest.raises(EditError, match="arguments"):
        replace_function(SOURCE, "other", "def other(x, *, scale=2.0):\n    return x\n")


def test_a_function_that_is_not_there_or_there_twice_is_an_error() -> None:
    with pytest.raises(EditError, match="0 times") as caught:
        replace_function(SOURCE, "missing", "def missing(): pass")
    assert "rate, other" in caught.value.why
    with pytest.raises(EditError, match="2 times"):
        function_source("def f(): pass\ndef f(): pass\n", "f")


def test_crlf_sources_stay_crlf() -> None:
    changed = replace_function(
        SOURCE.replace("\n", "\r\n"), "rate", "def rate(day, params):\n    return 1.0\n"
    )
    assert changed.count("\n") == changed.count("\r\n")


def test_a_backslash_in_a_string_is_no_error() -> None:
    assert r'"\d"' in replace_function(SOURCE, "rate", 'def rate(day, params):\n    return "\\d"\n')


@given(st.text(), st.sampled_from(["rate", "other", "x"]))
def test_no_text_raises_anything_but_edit_error(text: str, name: str) -> None:
    for source in (SOURCE, text):
        for new in (text, f"def {name}(day, params):\n    {text}"):
            try:
                changed = replace_function(source, name, new)
            except EditError:
                continue
            ast.parse(changed)


@pytest.mark.parametrize(
    "deep", ["(" * 5000, "-" * 100_000 + "1", "[" * 300 + "]" * 300, "x" + ".y" * 20_000]
)
def test_source_that_is_too_deep_is_an_edit_error_or_fine(deep: str) -> None:
    try:
        replace_function(SOURCE, "rate", f"def rate(day, params):\n    return {deep}\n")
    except EditError as error:
        assert "not valid Python" in error.text


@pytest.mark.parametrize("terms", [300, 1200, 6000])
def test_a_signature_or_a_statement_that_is_too_deep_is_an_edit_error(terms: int) -> None:
    """A RecursionError of the comparison of signatures ended the study."""
    long = "+".join(["1"] * terms)
    for new in (
        f"def rate(day, params={long}):\n    return 1\n",
        f"x = {long}\ndef rate(day, params):\n    return 1\n",
    ):
        with pytest.raises(EditError):
            replace_function(SOURCE, "rate", new)
