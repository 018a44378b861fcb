"""Experiments: plan, edit, run, repair, note; the harness from runs to results; the figures."""

from novum.experiment.figures import draw_figures
from novum.experiment.loop import run_experiments

__all__ = ["draw_figures", "run_experiments"]
