"""Keep native code from writing into the terminal.

llama.cpp's grammar parser prints to descriptor 2, past Python and past its own verbosity. The descriptor is
held back while a request with a grammar starts; what others wrote to it meanwhile is passed on afterwards.
"""

from __future__ import annotations

import os
import tempfile
from types import TracebackType
from typing import IO


class NativeErrors:
    """Hold back descriptor 2 from `with` until `stop` (or the end of the block). `text` is what was written."""

    def __init__(self) -> None:
        self.text = ""
        self._held: tuple[int, IO[bytes]] | None = None

    def __enter__(self) -> NativeErrors:
        saved = os.dup(2)
        file = tempfile.TemporaryFile()
        os.dup2(file.fileno(), 2)
        self._held = (saved, file)
        return self

    def stop(self) -> None:
        """Give the descriptor back. Idempotent."""
        if self._held is None:
            return
        (saved, file), self._held = self._held, None
        os.dup2(saved, 2)
        os.close(saved)
        with file:
            file.seek(0)
            self.text = file.read().decode("utf-8", "replace")

    def pass_on(self) -> None:
        """Write what was held back after all: the request was good, so it was not the parser's."""
        if self.text:
            os.write(2, self.text.encode())
            self.text = ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
