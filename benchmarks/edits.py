"""How fast replies become changes: a long reply read, blocks applied to a large file.

    python benchmarks/edits.py [CHAT]

CHAT is a text (or .gz) of model replies; without it a reply of the same size is made up.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
import time
from pathlib import Path

from novum.edits import SearchReplace, apply
from novum.edits.blocks import parse_blocks
from novum.errors import EditError

LIMIT_S = 2.0


def made_up_chat(size: int = 4_150_000) -> str:
    """Replies of `size` characters in all, with blocks of ten lines."""
    body = "".join(f"    value_{n} = compute(value_{n - 1}, scale={n})\n" for n in range(1, 11))
    block = f"\nmodel.py\n```python\n<<<<<<< SEARCH\n{body}=======\n{body}>>>>>>> REPLACE\n```\n"
    talk = (
        "The change below keeps the interface and replaces the update rule by the one that was asked for.\n"
        * 60
    )
    return (f"#### change it\n{talk}{block}" * (size // (len(talk) + len(block)) + 1))[:size]


def time_parsing(chat: str) -> tuple[float, int]:
    """Seconds to read all replies, and the number of blocks; a broken reply counts none."""
    blocks = 0
    start = time.perf_counter()
    for reply in re.split(r"(?=####\s)", chat):
        try:
            blocks += len(parse_blocks(reply))
        except EditError:
            continue
    return time.perf_counter() - start, blocks


def time_applying(lines: int = 20_000, edits: int = 50) -> float:
    """Seconds to apply `edits` blocks to a file of `lines` lines."""
    with tempfile.TemporaryDirectory() as scratch:
        source = "".join(f"value_{n} = {n}\n" for n in range(lines))
        (Path(scratch) / "model.py").write_text(source)
        step = lines // edits
        changes = [
            SearchReplace("model.py", f"value_{n} = {n}\n", f"value_{n} = 0\n") for n in range(1, lines, step)
        ]
        start = time.perf_counter()
        apply(changes, Path(scratch), editable=["model.py"])
        return time.perf_counter() - start


def main() -> None:
    """Print the measurements as JSON; exit 1 when reading is slower than the limit."""
    if len(sys.argv) > 1:
        data = Path(sys.argv[1]).read_bytes()
        chat = (gzip.decompress(data) if sys.argv[1].endswith(".gz") else data).decode()
    else:
        chat = made_up_chat()
    seconds, blocks = time_parsing(chat)
    measured = {
        "characters": len(chat),
        "blocks": blocks,
        "read_s": round(seconds, 3),
        "read_of_limit": round(seconds / LIMIT_S, 3),
        "apply_50_blocks_to_20000_lines_s": round(time_applying(), 3),
    }
    print(json.dumps(measured, indent=2))
    sys.exit(seconds > LIMIT_S)


if __name__ == "__main__":
    main()
