"""Errors of sources that are told apart inside this package."""

from __future__ import annotations

from novum.errors import SourceError


class SourceAuthError(SourceError):
    """The source refused the key: asking again cannot help."""
