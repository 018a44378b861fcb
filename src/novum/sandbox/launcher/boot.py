"""The first code of the launcher: it imports the rest from what was sent, so that nothing of it need be in the room."""

import marshal
import sys
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import BinaryIO

PACKAGE = "launcher"


class Sent:
    """Finds modules among those that were sent: name, and code as `marshal` writes it."""

    def __init__(self, modules: dict[str, bytes]) -> None:
        self._modules = modules

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As the import system asks."""
        return ModuleSpec(name, self, is_package=name == PACKAGE) if name in self._modules else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """As usual."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run its code."""
        exec(marshal.loads(self._modules[module.__name__]), vars(module))


def boot(sent: "BinaryIO") -> None:
    """Do what the file says: after this module come the others, and what the launcher is told."""
    modules, specification = marshal.load(sent), marshal.load(sent)
    sent.close()
    sys.meta_path.insert(0, Sent(modules))
    from launcher.main import main  # type: ignore[import-not-found]

    main(specification)
