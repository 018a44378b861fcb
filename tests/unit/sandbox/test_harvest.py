"""Taking files out of a folder that hostile code wrote in."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.errors import UsageError
from novum.sandbox.harvest import HarvestLimits, harvest, read_array, read_bytes, read_json


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub/b.txt").write_text("b")
    return folder


@pytest.fixture
def dst(tmp_path: Path) -> Path:
    return tmp_path / "dst"


def test_regular_files_are_taken(src: Path, dst: Path) -> None:
    result = harvest(src, dst)
    assert set(result.taken) == {"a.txt", "sub/b.txt"}
    assert (dst / "sub/b.txt").read_text() == "b"
    assert (result.total_bytes, result.refused) == (2, ())


def test_only_wanted_files_are_taken(src: Path, dst: Path) -> None:
    assert harvest(src, dst, lambda name: name.endswith("b.txt")).taken == ("sub/b.txt",)
    assert not (dst / "a.txt").exists()


def test_what_is_not_a_plain_file_is_left_behind_at_once(src: Path, dst: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (src / "link").symlink_to(secret)
    (src / "folder_link").symlink_to(tmp_path)
    (src / "loop").symlink_to(".")
    os.link(secret, src / "hard")
    os.mkfifo(src / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(src / "socket"))
    began = time.monotonic()
    result = harvest(src, dst)
    assert time.monotonic() - began < 1
    assert set(result.taken) == {"a.txt", "sub/b.txt"}
    assert {refusal.name for refusal in result.refused} == {
        "link",
        "folder_link",
        "loop",
        "hard",
        "fifo",
        "socket",
    }
    assert sorted(os.listdir(dst)) == ["a.txt", "sub"]


@pytest.mark.parametrize("name", ["new\nline", "\x1b[31m", "bell\x07", "\u202egpj.exe", "\udcff"])
def test_names_that_deceive_are_left_behind_and_shown_plainly(src: Path, dst: Path, name: str) -> None:
    (src / name).touch()
    result = harvest(src, dst)
    assert len(result.taken) == 2
    assert result.refused[0].name.isascii()
    assert result.refused[0].name.isprintable()


def test_sizes_and_counts_are_limited(src: Path, dst: Path) -> None:
    (src / "big").write_bytes(bytes(100))
    (src / "sparse").touch()
    os.truncate(src / "sparse", 1 << 40)
    result = harvest(src, dst, limits=HarvestLimits(file_bytes=50))
    assert {refusal.name for refusal in result.refused} == {"big", "sparse"}


def test_the_total_is_limited(src: Path, dst: Path) -> None:
    result = harvest(src, dst, limits=HarvestLimits(total_bytes=1))
    assert len(result.taken) == 1
    assert "in all" in result.refused[0].reason


def test_a_flood_of_files_is_not_walked(src: Path, dst: Path) -> None:
    for i in range(3000):
        (src / f"f{i}").touch()
    result = harvest(src, dst, limits=HarvestLimits(entries=100))
    assert result.taken == ()
    assert "more than 100 files" in result.refused[0].reason


def test_a_bottomless_folder_is_left_behind(src: Path, dst: Path) -> None:
    here = os.getcwd()
    os.chdir(src)
    try:
        for _ in range(300):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    result = harvest(src, dst)
    assert set(result.taken) == {"a.txt", "sub/b.txt"}
    assert "deeper than 64" in result.refused[0].reason


def test_nothing_that_is_there_is_overwritten(src: Path, dst: Path, tmp_path: Path) -> None:
    dst.mkdir()
    (tmp_path / "outside").write_text("outside")
    (dst / "a.txt").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match=r"a\.txt"):
        harvest(src, dst)
    assert (tmp_path / "outside").read_text() == "outside"


def test_a_link_in_the_target_is_never_followed(src: Path, dst: Path, tmp_path: Path) -> None:
    dst.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (dst / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        harvest(src, dst)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_no_set_id_bits_are_taken(src: Path, dst: Path) -> None:
    (src / "a.txt").chmod(0o6755)
    harvest(src, dst)
    assert (dst / "a.txt").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize("kind", ["missing", "file", "link"])
def test_a_source_that_is_no_folder(src: Path, dst: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(src)
    with pytest.raises(UsageError, match=kind):
        harvest(tmp_path / kind, dst)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("fdlhpx"), st.binary(min_size=1, max_size=12)), max_size=12))
def test_no_tree_makes_the_harvest_fail_or_take_what_is_not_a_file(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, bytes]]
) -> None:
    base = tmp_path_factory.mktemp("fuzz")
    src, dst = base / "src", base / "dst"
    src.mkdir()
    (base / "secret").write_text("secret")
    for kind, name in entries:
        path = os.path.join(os.fsencode(src), name.replace(b"/", b"_").replace(b"\0", b"_"))
        if os.path.lexists(path):
            continue
        try:
            _MAKERS[kind](path, os.fsencode(base / "secret"))
        except OSError:
            continue
    result = harvest(src, dst)
    for name in result.taken:
        assert (dst / name).is_file()
        assert not (dst / name).is_symlink()
        assert (dst / name).read_text() == "content"


def _write(path: bytes, secret: bytes) -> None:
    Path(os.fsdecode(path)).write_text("content")


_MAKERS = {
    "f": _write,
    "x": _write,
    "d": lambda path, secret: os.mkdir(path),
    "l": lambda path, secret: os.symlink(secret, path),
    "h": lambda path, secret: os.link(secret, path),
    "p": lambda path, secret: os.mkfifo(path),
}


# -- reading --------------------------------------------------------------------------------------------


def test_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": [1, 2.5, NaN]}')
    assert str(read_json(tmp_path / "x.json")) == "{'a': [1, 2.5, nan]}"


@pytest.mark.parametrize(
    "text",
    ["", "{", "nul", '{"a": 1} x', "[" * 100_000, '{"a":' * 50_000, "1" * 5000, '"\\ud800', b"\xff\xfe{"],
)
def test_json_that_is_broken_or_a_bomb_is_one_clear_error(tmp_path: Path, text: str | bytes) -> None:
    (tmp_path / "x.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=r"x\.json"):
        read_json(tmp_path / "x.json")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_json_reading_never_fails_otherwise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_bytes(content)
    with contextlib.suppress(UsageError):
        json.dumps(read_json(path))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[" + "0," * 1000 + "0]")
    with pytest.raises(UsageError, match="larger than 100"):
        read_json(tmp_path / "x.json", 100)


def test_links_fifos_and_devices_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("{}")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo", "missing"):
        with pytest.raises(UsageError):
            read_bytes(tmp_path / name)


def test_arrays_are_read_and_pickles_are_not(tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.arange(3.0))
    assert read_array(tmp_path / "good.npy").tolist() == [0.0, 1.0, 2.0]
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps([1]))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "good.npy").read_bytes()[:-8])
    (tmp_path / "header.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff")
    for name in ("objects", "pickle", "cut", "header"):
        with pytest.raises(UsageError):
            read_array(tmp_path / f"{name}.npy")


@pytest.mark.parametrize("shape", ["(10**12,)", "(1000000000000,)", "(-1,)", "(99999, 99999, 99999)"])
def test_an_array_that_claims_more_than_it_holds_takes_no_memory(tmp_path: Path, shape: str) -> None:
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + bytes(64)
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(UsageError, match="not an array"):
        read_array(tmp_path / "x.npy")


def test_json_of_many_empty_lists_takes_no_memory(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[" + "[]," * 2_000_000 + "0]")
    with pytest.raises(UsageError, match="more than 1000000 values"):
        read_json(tmp_path / "x.json")
