"""Statistics of few seeds: intervals, tests, corrections and the verdict of a comparison. Pure functions."""

from novum.stats.comparison import Compared, compare
from novum.stats.corrections import holm
from novum.stats.intervals import Interval, Summary, bootstrap_interval, noise_floor, summarise
from novum.stats.t_tests import MeanTest, hedges_g, paired_t, welch

__all__ = [
    "Compared",
    "Interval",
    "MeanTest",
    "Summary",
    "bootstrap_interval",
    "compare",
    "hedges_g",
    "holm",
    "noise_floor",
    "paired_t",
    "summarise",
    "welch",
]
