"""Read bibliographies and dumps into the offline index: one record at a time, whatever their size."""

from __future__ import annotations

from novum.literature.importing.run import ImportReport, import_file

__all__ = ["ImportReport", "import_file"]
