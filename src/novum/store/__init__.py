"""The study folder, which is the record, and the index over study folders, which can be rebuilt."""

from novum.store.folder import StudyFolder

__all__ = ["StudyFolder"]
