"""Every error that novum raises on purpose.

    NovumError                      what, why and what to do next; `exit_code` is the process's
    ├── UsageError                  bad input from the user (arguments, files, settings)
    │   ├── TemplateError           a template that breaks its contract
    │   └── StudyError              a study folder that is missing, corrupt or in use
    ├── MissingTool                 something that must be installed or configured first
    ├── ModelError                  the model could not be asked (infrastructure)
    │   ├── ModelAuthError          bad key or no quota: never retried
    │   ├── ReplayMiss              a replay met a request that its log does not hold
    │   └── AnswerError             the model was asked and gave no valid answer; carries the last text
    ├── BudgetExceeded              the next call could exceed the budget; the study can be resumed with more
    ├── SandboxError                the sandbox could not be set up: never an experiment's result
    │   ├── NoSandbox               no backend passed its self-test (exit 78)
    │   └── ContainmentError        processes outlived their sandbox: the study stops
    ├── SourceError                 a literature source could not be asked (not "nothing found")
    ├── LatexError                  no engine, or no PDF
    ├── EditError                   a change that cannot be applied; nothing was changed
    └── Refused                     research that the safety screen refuses

An infrastructure fault never looks like a result: phases catch `AnswerError`, `EditError` and
`SourceError`, for which there is a documented default, and let everything else stop the study.
"""

from __future__ import annotations


class NovumError(Exception):
    """Base of all errors. `what` happened, `why`, and what to do `next`."""

    exit_code = 1

    def __init__(self, what: str, why: str = "", next_step: str = "") -> None:
        self.what = what
        self.why = why
        self.next_step = next_step
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The whole message, one part a line."""
        parts = [self.what]
        if self.why:
            parts.append(f"  why:  {self.why}")
        if self.next_step:
            parts.append(f"  next: {self.next_step}")
        return "\n".join(parts)


class UsageError(NovumError):
    """Bad input from the user."""

    exit_code = 2


class TemplateError(UsageError):
    """A template that breaks its contract."""


class StudyError(UsageError):
    """A study folder that is missing, corrupt or in use."""


class MissingTool(NovumError):
    """Something that must be installed or configured first."""

    exit_code = 3


class ModelError(NovumError):
    """The model could not be asked."""

    exit_code = 4
    lost = 0
    """Requests that were sent and whose reply never came; each of them may have been billed."""


class ModelAuthError(ModelError):
    """A bad key or no quota: trying again cannot help."""


class ReplayMiss(ModelError):
    """A replay met a request that its log does not hold."""


class AnswerError(ModelError):
    """The model gave no valid answer within its tries; `last_text` is what it said last."""

    def __init__(self, what: str, why: str = "", next_step: str = "", last_text: str = "") -> None:
        super().__init__(what, why, next_step)
        self.last_text = last_text


class BudgetExceeded(NovumError):
    """The next call could exceed the budget."""

    exit_code = 5


class SandboxError(NovumError):
    """The sandbox could not be set up or torn down."""

    exit_code = 78


class NoSandbox(SandboxError):
    """No backend passed its self-test."""


class ContainmentError(SandboxError):
    """Processes outlived their sandbox."""


class SourceError(NovumError):
    """A literature source could not be asked."""

    exit_code = 6


class LatexError(NovumError):
    """No engine, or no PDF from it."""

    exit_code = 7


class EditError(NovumError):
    """A change that cannot be applied. Nothing was changed."""


class Refused(NovumError):
    """Research that the safety screen refuses."""

    exit_code = 8
