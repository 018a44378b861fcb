"""The texts to learn from, and the parts of them that are held out. Protected: a study cannot change this file.

    python texts.py enwik8 FOLDER        # download, check, and save as FOLDER/enwik8

`docstrings`, the documentation of Python's standard library, is on every machine and differs with the version of Python.
The others are looked for in the folder that the environment variable NOVUM_DATA names. A character is a byte.
"""

import argparse
import hashlib
import inspect
import io
import os
import platform
import re
import sysconfig
import urllib.request
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

EVALUATED = 1_000_000
SKIPPED = {"__pycache__", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "dist-packages", "test", "tests"}
DOCSTRING = re.compile(r'(?:\A|:[ \t]*\n)(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*[rRuU]?"""(.+?)"""', re.DOTALL)


class Source(NamedTuple):
    """Where a text comes from. `held_out`: how many characters at its end."""

    url: str
    digest: str
    held_out: int


SOURCES = {
    "shakespeare_char": Source(
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        111_540,
    ),
    "enwik8": Source(
        "https://mattmahoney.net/dc/enwik8.zip",
        "sha256:2b49720ec4d78c3c9fabaee6e4179a5e997302b3a70029f30f2d582218c024a8",
        5_000_000,
    ),
    "text8": Source("https://mattmahoney.net/dc/text8.zip", "md5:3bea1919949baf155f99411df5fada7e", 5_000_000),
}
NAMES = ("docstrings", *SOURCES)


def check(content, source, where):
    """Raise ValueError unless `content` is the text that everybody means by this name."""
    algorithm, _, expected = source.digest.partition(":")
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise ValueError(f"{where} is another text: its {algorithm} is {found}, not {expected}")


def from_folder(name):
    """The whole text `name` from the folder that NOVUM_DATA names."""
    path = Path(os.environ.get("NOVUM_DATA", ".")) / name
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}; run `python texts.py {name} FOLDER` where there is a network, and set NOVUM_DATA=FOLDER"
        )
    content = path.read_bytes()
    check(content, SOURCES[name], path)
    return content


def docstrings():
    """(training, held out): the documentation strings of the standard library; whole files are held out."""
    library = Path(sysconfig.get_path("stdlib"))
    parts = ([], [])
    for path in sorted(library.rglob("*.py")):
        name = path.relative_to(library)
        if SKIPPED.isdisjoint(name.parts):
            held_out = hashlib.sha256(name.as_posix().encode()).digest()[0] < 26
            for match in DOCSTRING.finditer(path.read_text(encoding="utf-8", errors="replace")):
                parts[held_out].append(inspect.cleandoc(match[1]))
    training, held = (dict.fromkeys(part) for part in parts)
    held = [text for text in held if text not in training]  # what two files have in common is not held out
    return tuple("\n\n".join(part).encode("ascii", "replace") for part in (training, held))


def read(name):
    """(training, held out) of the text `name`, bytes."""
    if name == "docstrings":
        training, held_out = docstrings()
    else:
        content = from_folder(name)
        cut = len(content) - SOURCES[name].held_out
        training, held_out = content[:cut], content[cut:]
    return training, held_out[:EVALUATED]


def symbols(training):
    """The number of symbols, and a table from bytes to them: 0 stands for bytes that training has not."""
    known = np.unique(np.frombuffer(training, dtype=np.uint8))
    table = np.zeros(256, dtype=np.uint8)
    table[known] = np.arange(1, len(known) + 1)
    return len(known) + 1, table


def encode(text, table):
    """The symbols of `text`, an array of bytes."""
    return table[np.frombuffer(text, dtype=np.uint8)]


def record(name, training):
    """What is to be known of the text: its name, its digest, and the Python whose documentation it is."""
    python = platform.python_version() if name == "docstrings" else ""
    return {"text": name, "sha256": hashlib.sha256(training).hexdigest(), "characters": len(training), "python": python}


def for_training(name):
    """What a run learns from: its symbols as an array of bytes, how many symbols there are, and its record."""
    training, _ = read(name)
    count, table = symbols(training)
    return encode(training, table), count, record(name, training)


def download(name, folder):
    """Download `name`, check it, and save it in `folder`."""
    source = SOURCES[name]
    with urllib.request.urlopen(source.url, timeout=60) as answer:
        content = answer.read()
    if source.url.endswith(".zip"):
        content = zipfile.ZipFile(io.BytesIO(content)).read(name)
    check(content, source, source.url)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=tuple(SOURCES))
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    download(chosen.name, chosen.folder)
