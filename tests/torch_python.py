"""A Python that has torch, for the tests that are marked `torch`."""

from __future__ import annotations

import os

from novum.errors import MissingTool
from novum.template import load_template
from novum.template.installing import template_python


def _found() -> str:
    """The interpreter that `NOVUM_TEST_TORCH` names, else the one of the shipped templates, if it is made."""
    named = os.environ.get("NOVUM_TEST_TORCH", "")
    if named:
        return named
    try:
        return str(template_python(load_template("grokking")))
    except MissingTool:
        return ""


TORCH = _found()
WITHOUT = "no torch: run `novum template install grokking`, or name an interpreter in NOVUM_TEST_TORCH"
