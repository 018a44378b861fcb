"""The clauses of a template's contract, and what a reading of one found."""

from __future__ import annotations

from dataclasses import dataclass, field

from novum.records import Record


class Clause(Record):
    """One clause of the contract: whether it holds, where it was looked at, and what to do when it does not."""

    ok: bool
    clause: str
    file: str = ""
    line: int | None = None
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.clause}" if self.ok else f"{where}: {self.clause}; {self.mend}"


@dataclass
class Findings:
    """Collects clauses and notes while a template is read."""

    clauses: list[Clause] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def kept(self, clause: str, file: str) -> None:
        """The clause holds."""
        self.clauses.append(Clause(ok=True, clause=clause, file=file))

    def broken(self, clause: str, file: str, mend: str, line: int | None = None) -> None:
        """The clause does not hold; `mend` says what to do."""
        self.clauses.append(Clause(ok=False, clause=clause, file=file, line=line, mend=mend))

    def judge(self, ok: bool, clause: str, file: str, mend: str, line: int | None = None) -> None:
        """The clause holds, or does not."""
        if ok:
            self.kept(clause, file)
        else:
            self.broken(clause, file, mend, line)

    def note(self, text: str) -> None:
        """Something that is missing and worked round."""
        if text not in self.notes:
            self.notes.append(text)
