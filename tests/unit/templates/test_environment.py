"""What runs are given beside their interpreter."""

from pathlib import Path

import pytest

from novum.experiment.environment import environment_for
from novum.template import load_template


def test_the_folder_of_data_is_mounted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOVUM_DATA", str(tmp_path))
    environment = environment_for(load_template("epidemic"))
    assert tmp_path.resolve() in environment.readonly
    assert environment.variables["NOVUM_DATA"] == str(tmp_path.resolve())


def test_without_a_folder_of_data_nothing_more_is_mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOVUM_DATA", raising=False)
    assert "NOVUM_DATA" not in environment_for(load_template("epidemic")).variables
