#!/usr/bin/env bash
# Make a virtual environment with novum, its embedded-model runtime and the development tools.
# Usage: scripts/setup.sh VENV      PYTHON=python3.12 picks an interpreter; EXTRAS=local leaves the tools out.
set -euo pipefail

venv=$1
extras=${EXTRAS:-local,dev}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python; do
    if usable "$candidate"; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  echo "novum needs Python 3.11 or newer, and none was found on the PATH." >&2
  echo "  next: install one, or name it: make setup PYTHON=/path/to/python3.12" >&2
  return 3
}

installer=pip
if command -v uv >/dev/null; then installer=uv; fi

if usable "$venv/bin/python"; then
  python=$venv/bin/python
else
  python=$(find_python)
fi
echo "make setup: install novum[$extras] into $venv with $installer ($("$python" --version))."
echo "            Downloads about 350 MB of packages; 1 to 5 minutes, seconds when they are cached."

if [ "$python" != "$venv/bin/python" ]; then
  if [ "$installer" = uv ]; then
    uv venv --quiet --clear --python "$python" "$venv"
  elif ! "$python" -m venv --clear "$venv"; then
    echo "cannot make a virtual environment with $python" >&2
    echo "  next: on Debian and Ubuntu, apt-get install python3-venv; or install uv" >&2
    exit 3
  fi
fi

if [ "$installer" = uv ]; then
  uv pip install --quiet --python "$venv/bin/python" --editable ".[$extras]"
else
  # An environment that uv made has no pip.
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip --upgrade >/dev/null
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extras]"
fi
echo "make setup: done. The command is $venv/bin/novum; start with '$venv/bin/novum doctor'."
