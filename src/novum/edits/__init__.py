"""Parse what models write as changes and apply it: a reply applies whole or not at all."""

from novum.edits.applying import Applied, apply, apply_reply
from novum.edits.changes import Change, LineRange, SearchReplace, WholeFile
from novum.edits.functions import function_source, replace_function
from novum.edits.replies import parse_reply

__all__ = [
    "Applied",
    "Change",
    "LineRange",
    "SearchReplace",
    "WholeFile",
    "apply",
    "apply_reply",
    "function_source",
    "parse_reply",
    "replace_function",
]
