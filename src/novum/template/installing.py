"""The Python that a template's runs execute on: novum's own when it meets the requirements, else one made for them.

An environment is named after what is in it (the requirements and the Python), so templates that need the same
share one, and a changed requirement makes another. They are made by `novum.experiment.installing`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from novum.errors import MissingTool
from novum.template.record import Template


def environments_folder() -> Path:
    """Where the environments of templates are: `$NOVUM_ENVIRONMENTS`, else the user's cache folder."""
    import platformdirs

    named = os.environ.get("NOVUM_ENVIRONMENTS")
    return Path(named) if named else platformdirs.user_cache_path("novum") / "environments"


def environment_folder(template: Template) -> Path:
    """Where the environment of `template` is, once it is made."""
    key = "\n".join([sys.version.split()[0], *sorted(template.requirements)])
    return environments_folder() / hashlib.sha256(key.encode()).hexdigest()[:12]


def template_python(template: Template) -> Path:
    """The interpreter of the template's runs.

    Raises:
        MissingTool: what it requires is not installed, here or in an environment of its own.
    """
    own = Path(sys.executable)
    lacking = unmet(template.requirements)
    if not lacking:
        return own
    python = python_of(environment_folder(template))
    if python.exists():
        return python
    raise MissingTool(
        f"the template {template.name!r} needs {', '.join(lacking)}",
        f"not installed beside novum, and there is no environment at {environment_folder(template)}",
        f"run `novum template install {template.name}`",
    )


def site_packages(python: Path) -> Path:
    """The folder of packages of a virtual environment's interpreter."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return python.parent.parent / "lib" / version / "site-packages"


def unmet(requirements: Iterable[str]) -> list[str]:
    """The requirements that novum's own environment does not meet."""
    from packaging.requirements import InvalidRequirement, Requirement

    lacking = []
    for text in requirements:
        try:
            requirement = Requirement(text)
            met = requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
        except (InvalidRequirement, metadata.PackageNotFoundError):
            met = False
        if not met:
            lacking.append(text)
    return lacking


def importable_modules(template: Template) -> frozenset[str]:
    """Top-level modules that the experiment may import: standard library, its own files, its requirements."""
    own = {Path(name).parts[0].removesuffix(".py") for name in template.texts if name.endswith(".py")}
    if not template.declared:
        return frozenset({*sys.stdlib_module_names, *own, *metadata.packages_distributions()})
    python = python_of(environment_folder(template))
    path = [str(site_packages(python))] if unmet(template.requirements) and python.exists() else sys.path
    names = template.requirement_names()
    return frozenset({*sys.stdlib_module_names, *own}.union(*(_modules_of(name, path) for name in names)))


def _modules_of(distribution: str, path: list[str]) -> set[str]:
    modules = {distribution.lower().replace("-", "_")}
    for found in metadata.distributions(name=distribution, path=path):
        for file in found.files or ():
            if len(file.parts) == 2 and file.name == "__init__.py":
                modules.add(file.parts[0])
            elif len(file.parts) == 1 and file.suffix == ".py":
                modules.add(file.stem)
    return modules


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"
