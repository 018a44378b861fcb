"""The Python that a template's runs execute on: novum's own when it meets the requirements, else one made for them.

An environment is named after what is in it (the requirements and the Python), so templates that need the same
share one, and a changed requirement makes another. Only wheels are installed: nothing of a package runs while it
is built. Installing is the one step that needs a network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
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
    python = _python_of(environment_folder(template))
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


def install(template: Template, *, tell: Callable[[str], None], again: bool = False) -> Path:
    """Make the environment of `template` and return its interpreter; one that is there is kept unless `again`.

    Raises:
        MissingTool: the packages cannot be had.
    """
    target = environment_folder(template)
    if _python_of(target).exists() and not again:
        return _python_of(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # An interpreter finds its packages from where it is, so a finished environment can be renamed: it is there
    # whole or not at all.
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        tell(f"making {target} with {', '.join(template.requirements)}")
        _run([sys.executable, "-m", "venv", "--copies", str(building)], template)
        command = [str(building / "bin" / "python"), "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        _run([*command, "--disable-pip-version-check", *template.requirements], template)
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return _python_of(target)


def importable_modules(template: Template) -> frozenset[str]:
    """Top-level modules that the experiment may import: standard library, its own files, its requirements."""
    own = {Path(name).parts[0].removesuffix(".py") for name in template.texts if name.endswith(".py")}
    if not template.declared:
        return frozenset({*sys.stdlib_module_names, *own, *metadata.packages_distributions()})
    python = _python_of(environment_folder(template))
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


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _run(command: list[str], template: Template) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()
        raise MissingTool(
            f"the environment of the template {template.name!r} cannot be made",
            said[-1500:],
            "check the requirements in template.toml, the network and the free disk space",
        ) from error
