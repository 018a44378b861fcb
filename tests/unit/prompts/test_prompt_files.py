"""Every prompt file that ships, and the loader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2.meta
import pytest
from jinja2.sandbox import SandboxedEnvironment

from novum.errors import UsageError
from novum.prompts import PromptLibrary

SOURCE = Path(__file__).resolve().parents[3] / "src" / "novum"
FOLDER = SOURCE / "prompts"
LIBRARY = PromptLibrary()
NAMES = LIBRARY.names()
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))


class Stand:
    """Stands in for any input: has every attribute, is a text, a number, and a pair (or an empty list)."""

    unsafe_callable = alters_data = False  # Jinja's sandbox asks before it calls

    def __init__(self, full: bool) -> None:
        self._full = full

    def items(self) -> list[tuple[Stand, Stand]]:
        return [(Stand(True), Stand(True))] if self._full else []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Stand(self._full)

    def __getitem__(self, key: object) -> Stand:
        return Stand(self._full)

    def __call__(self, *_: object, **__: object) -> Stand:
        return Stand(self._full)

    def __iter__(self) -> Iterator[Any]:
        return iter([Stand(True), Stand(True)] if self._full else [])

    def __len__(self) -> int:
        return int(self._full)

    def __eq__(self, other: object) -> bool:
        return self._full

    def __hash__(self) -> int:
        return 1

    def __str__(self) -> str:
        return "STAND" if self._full else ""

    def __float__(self) -> float:
        return 1.0

    __index__ = __int__ = lambda self: 1
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __add__ = __radd__ = __sub__ = __mul__ = __mod__ = lambda self, other: self


def included(text: str) -> set[str]:
    return set(re.findall(r"{%-?\s*include\s+\"([^\"]+)\"", text))


def variables(file: Path) -> set[str]:
    """The variables that a file and all that it includes read."""
    text = file.read_text(encoding="utf-8")
    body = text.split("+++\n", 2)[-1] if text.startswith("+++") else text
    found = set(jinja2.meta.find_undeclared_variables(SandboxedEnvironment().parse(body)))
    return found.union(*(variables(FOLDER / name) for name in included(body)))


def test_there_are_prompts_and_each_is_in_a_known_place() -> None:
    assert len(NAMES) > 10
    assert {p.name for p in FOLDER.glob("*.j2")} == {p.name for p in FOLDER.glob("*.md.j2")}


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_declares_itself(name: str) -> None:
    front = LIBRARY.front_matter(name)
    assert front.id == name, "the id is in every call's event and must lead back to the file"
    assert front.version >= 1
    assert front.output


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("full", [True, False])
def test_a_prompt_renders_with_its_declared_inputs(name: str, full: bool) -> None:
    prompt = LIBRARY.render(name, {key: Stand(full) for key in LIBRARY.front_matter(name).inputs})
    assert prompt.system and prompt.user
    assert "{{" not in prompt.user and "{%" not in prompt.user
    assert "\n\n\n" not in prompt.user


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_reads_nothing_that_it_does_not_declare(name: str) -> None:
    assert variables(FOLDER / f"{name}.md.j2") <= {*LIBRARY.front_matter(name).inputs, "cache_point"}


@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith(".small")])
def test_an_input_that_is_declared_is_read(name: str) -> None:
    variant = FOLDER / f"{name}.small.md.j2"
    read = variables(FOLDER / f"{name}.md.j2") | (variables(variant) if variant.exists() else set())
    unread = set(LIBRARY.front_matter(name).inputs) - read
    assert unread == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_refuses_an_input_too_few_and_one_too_many(name: str) -> None:
    inputs = {key: Stand(True) for key in LIBRARY.front_matter(name).inputs}
    with pytest.raises(UsageError, match="declares the inputs"):
        LIBRARY.render(name, inputs | {"never_declared": "x"})
    for key in inputs:
        with pytest.raises(UsageError, match="declares the inputs"):
            LIBRARY.render(name, {k: v for k, v in inputs.items() if k != key})


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith(".small")])
def test_a_prompt_for_small_models_takes_what_its_big_sibling_takes(name: str) -> None:
    big = name.removesuffix(".small")
    assert big in NAMES
    assert set(LIBRARY.front_matter(name).inputs) == set(LIBRARY.front_matter(big).inputs)
    inputs = {key: Stand(True) for key in LIBRARY.front_matter(big).inputs}
    assert LIBRARY.render(big, inputs, small=True).id.startswith(f"{name}@")
    assert LIBRARY.render(big, inputs, small=False).id.startswith(f"{big}@")


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_is_asked_somewhere(name: str) -> None:
    assert f'"{name.removesuffix(".small")}"' in CODE, "no code asks with this file"


def test_every_shared_part_is_included_somewhere() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md.j2")]
    used = set().union(*map(included, texts)) | {"_system.md.j2"}
    assert {p.name for p in FOLDER.glob("_*.md.j2")} == used


# -- the loader ----------------------------------------------------------------------------------------

GOOD = '+++\nid = "p"\nversion = 2\ninputs = ["a"]\noutput = "text"\n+++\n=== system ===\nS\n=== user ===\nU {{ a }}\n'


def library(folder: Path, text: str, name: str = "p") -> PromptLibrary:
    (folder / f"{name}.md.j2").write_text(text, encoding="utf-8")
    return PromptLibrary(folder)


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    first = library(tmp_path, GOOD).render("p", {"a": "1"})
    assert (first.id, first.system, first.user) == ("p@2", "S", "U 1")
    assert library(tmp_path, GOOD).render("p", {"a": "2"}).hash == first.hash
    assert library(tmp_path, GOOD + "!").render("p", {"a": "1"}).hash != first.hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no front matter", "no front matter"),
        (GOOD.replace("version = 2\n", ""), "not valid"),
        (GOOD.replace("version = 2", "version ="), "not valid"),
        (GOOD.replace("version = 2", "version = 2\nmood = 1"), "not valid"),
        (GOOD.replace("=== user ===\n", ""), "no line"),
        (GOOD.replace("{{ a }}", "{{ a"), "cannot be rendered"),
        (GOOD.replace("{{ a }}", "{{ a.missing.deep }}"), "cannot be rendered"),
        (GOOD.replace("{{ a }}", "{{ b }}"), "cannot be rendered"),
        (GOOD.replace("{{ a }}", "{{ a.__class__.__mro__ }}"), "cannot be rendered"),
    ],
)
def test_a_broken_prompt_file_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        library(tmp_path, text).render("p", {"a": "1"})


def test_a_prompt_is_split_where_its_shared_beginning_ends(tmp_path: Path) -> None:
    text = GOOD.replace("U {{ a }}", "{{ a }}\n\n{{ cache_point }}\n{{ cache_point }}\n\nTask: think.")
    prompt = library(tmp_path, text).render("p", {"a": "a paper"})
    assert prompt.user_parts == ("a paper\n\n", "Task: think.")
    assert prompt.user == "a paper\n\nTask: think."


def test_a_missing_prompt_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no prompt 'none'"):
        PromptLibrary(tmp_path).render("none", {})


def test_an_input_is_data_and_never_a_template(tmp_path: Path) -> None:
    assert library(tmp_path, GOOD).render("p", {"a": "{{ 7 * 7 }}"}).user == "U {{ 7 * 7 }}"
