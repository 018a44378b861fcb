"""What the tests of the PyTorch templates share: runs of a template's programs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from novum.experiment.datapath import touches_data
from novum.template import builtin_templates, load_template
from tests.torch_python import TORCH


def module_of(template: str, file: str) -> ModuleType:
    """A file of a template that needs no torch, as a module."""
    path = builtin_templates()[template] / file
    spec = importlib.util.spec_from_file_location(f"{template}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copy_of(template: str, folder: Path, **replaced: tuple[str, str]) -> Path:
    """A copy of a template in `folder`; in `experiment` and the like a text is replaced by another."""
    shutil.copytree(builtin_templates()[template], folder)
    for stem, (old, new) in replaced.items():
        path = folder / f"{stem}.py"
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
        path.write_text(text.replace(old, new))
    return folder


def program(code: Path, name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    threads = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"  # the other core is for another test
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": threads, **variables}
    return subprocess.run(
        [TORCH, str(code / name), *arguments], capture_output=True, text=True, env=environment, check=False
    )


def trained(code: Path, out: Path, *arguments: str, seeds: Sequence[int] = (0,)) -> Path:
    """Run experiment.py of `code` into `out`."""
    done = program(code, "experiment.py", f"--out_dir={out}", *arguments, "--seeds", *map(str, seeds))
    assert done.returncode == 0, done.stderr
    return out


def evaluated(code: Path, out: Path) -> dict[str, object]:
    """What evaluate.py of `code` finds in `out`, for its only dataset."""
    done = program(code, "evaluate.py", f"--out_dir={out}")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads((out / "final_info.json").read_text()).values()
    return dict(found)


def table(found: dict[str, object]) -> dict[str, list[float]]:
    """The metrics of an evaluation, one value a seed."""
    metrics = found["values"]
    assert isinstance(metrics, dict)
    return metrics


def values(found: dict[str, object], metric: str) -> list[float]:
    return list(table(found)[metric])


def parameters(found: dict[str, object]) -> list[int]:
    """How many parameters the network of each seed has."""
    counts = found["parameters"]
    assert isinstance(counts, list)
    return counts


def declared(template: str) -> set[str]:
    """The names of the metrics that a template declares."""
    return {metric.name for metric in load_template(template).metrics}


def changed(out: Path, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of what a run saved, after `change` was made to the arrays of its only .npz file for the evaluator."""
    folder.mkdir(parents=True, exist_ok=True)
    (source,) = (path for path in out.glob("*.npz") if path.stem in ("outputs", "checkpoint"))
    with np.load(source, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez(folder / source.name, **arrays)
    return folder


def refused(code: Path, out: Path) -> str:
    """What evaluate.py of `code` says when it refuses what is in `out`."""
    done = program(code, "evaluate.py", f"--out_dir={out}")
    assert done.returncode != 0
    assert not (out / "final_info.json").exists()
    return done.stderr


def copy_first_seed(arrays: dict[str, Any]) -> None:
    """Every seed becomes the first, under its own number."""
    for name, array in arrays.items():
        if name != "seeds" and array.ndim and len(array) == len(arrays["seeds"]):
            arrays[name] = np.stack([array[0]] * len(array))


def judged(template: str, old: str, new: str) -> str:
    """Why the harness compares no run whose experiment.py has `new` in the place of `old`, or ""."""
    whole = load_template(template)
    source = whole.texts["experiment.py"]
    assert source.count(old) == 1, f"{old!r} is {source.count(old)} times in experiment.py"
    protected = {name: whole.texts[name] for name in whole.protected if name.endswith(".py")}
    return touches_data(source, source.replace(old, new), protected)
