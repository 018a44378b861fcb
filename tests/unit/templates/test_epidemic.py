"""The epidemic template: its simulation, its evaluator, its promises."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from novum.edits import replace_function
from novum.stats import compare
from novum.template import builtin_templates, load_template

FOLDER = builtin_templates()["epidemic"]


def run(folder: Path, *arguments: str, script: str = "experiment.py", code: Path = FOLDER) -> Path:
    command = [sys.executable, "-B", str(code / script), f"--out_dir={folder}", *arguments]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def values(folder: Path, metric: str) -> list[float]:
    info = json.loads((folder / "final_info.json").read_text())
    return list(info["town"]["values"][metric])


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("epidemic") / "run_0")


def test_a_quick_run_takes_less_than_two_seconds(tmp_path: Path) -> None:
    start = time.perf_counter()
    run(tmp_path / "run_0")
    assert time.perf_counter() - start < 2.0


def test_the_same_seeds_give_the_same_outputs(baseline: Path, tmp_path: Path) -> None:
    again = run(tmp_path / "again")
    for name in ("final_info.json", "series.jsonl"):
        assert (again / name).read_bytes() == (baseline / name).read_bytes()


def test_the_seeds_differ_failures_b_s6(baseline: Path) -> None:
    """Failures B S6: "three seeds" may be one when the code reseeds itself."""
    for metric in ("peak_infected", "attack_rate"):
        assert len(set(values(baseline, metric))) >= 4


def test_metrics_are_right_for_a_state_worked_out_by_hand(tmp_path: Path) -> None:
    states = {
        name: np.zeros((1, 3, 3), int)
        for name in ("susceptible", "exposed", "infectious", "removed", "vaccinated")
    }
    states["susceptible"][0] = [[9, 10, 4], [8, 10, 4], [8, 10, 3]]
    states["exposed"][0] = [[0, 0, 0], [1, 0, 0], [0, 0, 1]]
    states["infectious"][0] = [[1, 0, 0], [1, 0, 0], [2, 0, 0]]
    new = np.array([[[1, 0, 0], [0, 0, 1]]])
    np.savez(
        tmp_path / "outputs.npz",
        seeds=[7],
        contact_multiplier=np.array([[1.0, 0.5]]),
        new_infections=new,
        **states,
    )
    run(tmp_path, script="evaluate.py")
    assert values(tmp_path, "peak_infected") == [2.0]
    assert values(tmp_path, "peak_day") == [2.0]
    assert values(tmp_path, "attack_rate") == [pytest.approx(3 / 24)]
    assert values(tmp_path, "elder_attack_rate") == [pytest.approx(1 / 4)]
    assert values(tmp_path, "contact_loss") == [pytest.approx(0.5)]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("infectious", lambda a: a * 0),
        ("infectious", lambda a: a - 1000),
        ("infectious", lambda a: a.astype(float) * 0.5),
        ("susceptible", lambda a: a[:, ::-1]),
        ("new_infections", lambda a: a * 0),
        ("contact_multiplier", lambda a: a * np.nan),
        ("contact_multiplier", lambda a: a * 2),
    ],
)
def test_forged_outputs_are_refused(baseline: Path, tmp_path: Path, name: str, change: object) -> None:
    """A deliberate cheat: outputs that no epidemic can have."""
    with np.load(baseline / "outputs.npz") as file:
        arrays = {key: file[key] for key in file.files}
    arrays[name] = change(arrays[name])  # type: ignore[operator]
    np.savez(tmp_path / "outputs.npz", **arrays)
    with pytest.raises(subprocess.CalledProcessError):
        run(tmp_path, script="evaluate.py")


def rewritten(folder: Path, old: str, new: str) -> Path:
    """A copy of the template with a change of experiment.py."""
    shutil.copytree(FOLDER, folder)
    source = (folder / "experiment.py").read_text()
    assert source.count(old) == 1
    (folder / "experiment.py").write_text(source.replace(old, new))
    return folder


def test_a_metric_replaced_at_run_time_changes_nothing(baseline: Path, tmp_path: Path) -> None:
    """A deliberate cheat: code of the run replaces the evaluator's functions in its own process."""
    replaced = "import evaluate\n\nevaluate.metrics = lambda outputs: {'peak_infected': [0.0] * 5}\n"
    code = rewritten(tmp_path / "code", "import evaluate\n", replaced)
    out = run(tmp_path / "run_1", code=code)
    assert values(out, "peak_infected") == [0.0] * 5  # the cheat worked where it does not count
    run(out, script="evaluate.py")
    assert (out / "final_info.json").read_bytes() == (baseline / "final_info.json").read_bytes()


def test_a_forged_final_info_is_overwritten(baseline: Path, tmp_path: Path) -> None:
    """A deliberate cheat: what a run says of itself is not what counts."""
    shutil.copy(baseline / "outputs.npz", tmp_path)
    (tmp_path / "final_info.json").write_text('{"town": {"means": {"peak_infected": 0.0}}}')
    run(tmp_path, script="evaluate.py")
    assert (tmp_path / "final_info.json").read_bytes() == (baseline / "final_info.json").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "simulate(seed, params)\n            for",
            "simulate(0, params)\n            for",
            b"the seed is not used",
        ),
        (
            "    people = rng.multinomial(params.population, SHARES)\n",
            "    people = rng.multinomial(params.population - 100 * seed, SHARES)\n",
            b"towns of different size",
        ),
    ],
)
def test_copies_and_other_towns_are_refused(tmp_path: Path, old: str, new: str, told: bytes) -> None:
    """A deliberate cheat, and an accident: three seeds that are one (failures B S6); a smaller town for some."""
    code = rewritten(tmp_path / "code", old, new)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(tmp_path / "out", code=code)
    assert told in caught.value.stderr


def test_a_smaller_town_is_other_data(baseline: Path, tmp_path: Path) -> None:
    """A deliberate cheat: fewer people fall ill where fewer live."""

    def data(folder: Path) -> dict[str, int]:
        return dict(json.loads((folder / "final_info.json").read_text())["town"]["data"])

    smaller = "    params.population = 5000\n    rng = np.random.default_rng(seed)\n"
    code = rewritten(tmp_path / "code", "    rng = np.random.default_rng(seed)\n", smaller)
    assert data(baseline) == {"population": 10000, "days": 240}
    assert data(run(tmp_path / "out", code=code)) == {"population": 5000, "days": 240}


def test_a_change_that_draws_from_other_sources_of_chance_repeats(tmp_path: Path) -> None:
    """Every random source is seeded: an edit may use `random` or numpy's global state."""
    noisy = "    return params.isolation * random.random() * np.random.rand()\n"
    code = rewritten(tmp_path / "code", "    return params.isolation\n", noisy)
    first, again = (run(tmp_path / name, code=code) for name in ("a", "b"))
    assert (first / "final_info.json").read_bytes() == (again / "final_info.json").read_bytes()


def test_the_evaluator_computes_what_the_run_reported(baseline: Path, tmp_path: Path) -> None:
    shutil.copy(baseline / "outputs.npz", tmp_path)
    run(tmp_path, script="evaluate.py")
    assert (tmp_path / "final_info.json").read_bytes() == (baseline / "final_info.json").read_bytes()


def test_some_effects_are_detectable_and_others_are_not(baseline: Path, tmp_path: Path) -> None:
    def verdict(metric: str, argument: str) -> str:
        other = run(tmp_path / f"{metric}{argument}", argument)
        return compare(values(other, metric), values(baseline, metric), direction="minimize").verdict

    assert verdict("peak_infected", "--isolation=0.3") == "better"
    assert verdict("attack_rate", "--vaccination_daily=0.003") == "better"
    assert verdict("elder_attack_rate", "--vaccination_target=elders") == "better"
    assert verdict("peak_infected", "--reduction_start=50") == "worse"
    assert verdict("peak_infected", "--vaccination_daily=0.0012") == "no detectable difference"
    assert verdict("peak_infected", "--initial_infected=22") == "no detectable difference"
    # The trap: a reduction that is too strong postpones the peak and no longer lowers it.
    assert verdict("peak_infected", "--reduction=0.4") == "better"
    assert verdict("peak_infected", "--reduction=0.6") == "no detectable difference"
    assert verdict("peak_day", "--reduction=0.6") == "worse"


def test_without_transmission_nobody_else_is_infected(tmp_path: Path) -> None:
    folder = run(tmp_path / "none", "--isolation=1.0", "--initial_infected=5")
    assert values(folder, "attack_rate") == [pytest.approx(5 / 10000)] * 5


@pytest.mark.parametrize("mixing", ["age", "proportionate"])
def test_the_attack_rate_is_that_of_theory_in_a_large_town(tmp_path: Path, mixing: str) -> None:
    # Without measures the final sizes z of the groups solve z = 1 - exp(-R0 C z / rho(C)).
    r0 = 2.0
    folder = run(
        tmp_path / mixing,
        *("--population=500000", "--days=400", "--reduction=0", "--isolation=0", "--vaccination_daily=0"),
        *(f"--mixing={mixing}", "--initial_infected=200", f"--r0={r0}", "--seeds", "0", "1"),
    )
    shares = np.array([0.22, 0.58, 0.20])
    contacts = np.array(
        [[8.0, 5.0, 0.8], [5.0 * 0.22 / 0.58, 8.0, 1.2], [0.8 * 0.22 / 0.2, 1.2 * 0.58 / 0.2, 2.0]]
    )
    if mixing == "proportionate":
        activity = contacts.sum(axis=1)
        contacts = np.outer(activity, activity * shares) / (activity @ shares)
    contacts = contacts / np.abs(np.linalg.eigvals(contacts)).max()
    z = np.full(3, 0.5)
    for _ in range(500):
        z = 1 - np.exp(-r0 * contacts @ z)
    assert values(folder, "attack_rate") == pytest.approx([shares @ z] * 2, abs=0.005)
    assert values(folder, "elder_attack_rate") == pytest.approx([z[2]] * 2, abs=0.01)


def test_every_suggestion_and_choice_runs(tmp_path: Path) -> None:
    template = load_template("epidemic")
    for parameter in template.parameters:
        value = parameter.suggestions[0]
        folder = run(tmp_path / parameter.name, f"--{parameter.name}={value}", "--seeds", "0", "1", "2")
        assert len(values(folder, "peak_infected")) == 3


REWRITES = {
    "contact_multiplier": "    return 1.0 - params.reduction if prevalence > 0.01 else 1.0\n",
    "isolation_fraction": "    return params.isolation * 0.5 ** (day / 60)\n",
    "vaccination_weight": "    return 5.0 if group == 'elders' and day < 100 else 1.0\n",
    "vaccination_rate": "    return min(1.0, max(0, day - 20) / 30) * params.vaccination_daily\n",
    "infection_probability": "    return force / (1.0 + force)\n",
    "transmission_factor": "    return 0.8 if day % 7 >= 5 else 1.0\n",
}


def test_each_editable_function_can_be_rewritten_alone(baseline: Path, tmp_path: Path) -> None:
    template = load_template("epidemic")
    assert {f.name for f in template.functions} == set(REWRITES)
    for function in template.functions:
        assert len(function.source.splitlines()) <= 20
        code = tmp_path / function.name
        shutil.copytree(FOLDER, code)
        source = replace_function(
            (code / "experiment.py").read_text(),
            function.name,
            function.signature + "\n" + REWRITES[function.name],
        )
        (code / "experiment.py").write_text(source)
        folder = run(tmp_path / f"{function.name}_run", code=code)
        assert (folder / "series.jsonl").read_bytes() != (baseline / "series.jsonl").read_bytes()


def test_a_policy_out_of_its_range_stops_the_run_with_its_name(tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(FOLDER, code)
    source = replace_function(
        (code / "experiment.py").read_text(),
        "contact_multiplier",
        "def contact_multiplier(day, prevalence, params):\n    return 1.5\n",
    )
    (code / "experiment.py").write_text(source)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(tmp_path / "out", code=code)
    assert b"contact_multiplier returned 1.5 on day 0" in caught.value.stderr


def test_the_plots_are_drawn(baseline: Path, tmp_path: Path) -> None:
    shutil.copytree(baseline, tmp_path / "run_0")
    subprocess.run(
        [sys.executable, "-B", str(FOLDER / "plot.py")], cwd=tmp_path, check=True, capture_output=True
    )
    for stem in ("epidemic_curves", "peak_and_attack_rate"):
        assert (tmp_path / f"{stem}.pdf").stat().st_size > 5000
        assert (tmp_path / f"{stem}.png").stat().st_size > 5000
