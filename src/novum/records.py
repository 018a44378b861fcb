"""Frozen records that cross package borders.

Units are in the names (`_s` seconds, `_bytes` bytes) or in a `unit` field. Nothing here does any work: a
record is data, validated once, written to JSON and read back the same.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

JsonValue = Any  # what json.loads returns; narrowed by the record that holds it
R = TypeVar("R", bound="Record")
Direction = Literal["minimize", "maximize", "none"]
Phase = Literal["ideate", "novelty", "experiment", "figures", "write", "review", "improve"]


class Record(BaseModel):
    """Base of all records: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# -- ideas ---------------------------------------------------------------------------------------------


class Criterion(Record):
    """One yes/no question of a self-score, and its answer."""

    question: str
    met: bool


class SelfScore(Record):
    """A score that is the number of criteria met, so that it can be checked."""

    criteria: tuple[Criterion, ...]

    @property
    def total(self) -> int:
        return sum(c.met for c in self.criteria)


class Paper(Record):
    """One work of the literature, as the sources gave it. `origin` names the source of each field."""

    id: str
    """`doi:...`, `arxiv:...` or `source:identifier`, the same for the same work."""
    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    doi: str = ""
    arxiv_id: str = ""
    abstract: str = ""
    url: str = ""
    kind: Literal["article", "inproceedings", "book", "incollection", "thesis", "techreport", "misc"] = "misc"
    introduces: tuple[str, ...] = ()
    retracted: bool = False
    citation_count: int | None = None
    score: float = 0.0
    """Relevance to the query that found it; higher is nearer. Comparable within one search only."""
    origin: dict[str, str] = Field(default_factory=dict)


class Search(Record):
    """One question put to the literature. `answered` is False when no source could be asked."""

    query: str
    answered: bool
    paper_ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    index_works: int | None = None
    """How many works the index on this machine held, when it was among those that answered."""


class Novelty(Record):
    """The verdict on an idea, with its evidence, so that a person can check it."""

    verdict: Literal["novel", "known", "unknown"]
    reason: str
    searches: tuple[Search, ...] = ()
    nearest: tuple[Paper, ...] = ()
    differences: tuple[str, ...] = ()
    """What the idea does that the work of the same place in `nearest` does not; "" when that was not said."""
    known_as: str = ""
    """The id of the work that already has the idea, when `known`."""


class Idea(Record):
    """A research idea. `name` is a lower-case identifier, used in folder names."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    title: str
    hypothesis: str
    plan: str
    subject: str = ""
    """The parameter or function of the template that the idea is about; "" when it is about more."""
    interestingness: SelfScore | None = None
    feasibility: SelfScore | None = None
    novelty_score: SelfScore | None = None
    novelty: Novelty | None = None
    source: Literal["model", "user", "default"] = "model"


# -- experiments ---------------------------------------------------------------------------------------


class Metric(Record):
    """A declared metric of a template. `unit` is "" for a pure number."""

    name: str
    unit: str = ""
    direction: Direction = "none"
    description: str = ""
    self_reported: bool = False
    """True when the experiment itself computed it, so nothing but its word stands for it."""


class PlannedRun(Record):
    """One run of a plan: new arguments, or an edit of the code, or both, and why."""

    name: str
    rationale: str
    arguments: dict[str, str | int | float] = Field(default_factory=dict)
    edit: str = ""
    """What to change in the code, in words; "" for a run that only sets arguments."""
    function: str = ""
    """The one function that the edit is about; "" when it is free."""
    exploratory: bool = False
    """True when the run was planned after results were seen, not before run 1."""
    source: Literal["model", "user", "default"] = "model"


class Plan(Record):
    """Hypothesis, primary metric and comparison are fixed before run 1."""

    hypothesis: str
    primary_metric: str
    runs: tuple[PlannedRun, ...]
    extra_metrics: tuple[Metric, ...] = ()
    """Metrics beside the template's, which runs report themselves; the template's cannot change."""


_STEP = 256 << 20
"""Bytes to a multiple of which the memory of a machine is rounded down."""


class Limits(Record):
    """What a sandboxed command may use. The template and the user set them; a model cannot."""

    wall_s: float = 60.0
    cpu_s: float | None = None
    memory_bytes: int = 2 << 30
    disk_bytes: int = 1 << 30
    inodes: int = 60_000
    tasks: int = 256
    file_bytes: int = 1 << 30
    output_bytes: int = 16 << 20
    stated_memory_bytes: int | None = None
    """What the template asks for, where the machine has less and `memory_bytes` was lowered to what fits."""

    def fitted(self, memory_bytes: int, cores: int) -> Limits:
        """These limits on a machine with so much memory and so many cores.

        What is not stated is the default of the machine: half of its memory, at most 8 GiB; an eighth of it for
        files, at most 5 GiB, so that the work folder can be a copy in memory; 256 tasks, and 16 for each core.
        A memory limit above the machine becomes three quarters of it.
        """
        whole = max(memory_bytes // _STEP, 1) * _STEP  # a new kernel changes it by a little
        defaults = {
            "memory_bytes": min(whole // 2, 8 << 30),
            "disk_bytes": min(max(whole // 8, _STEP), 5 << 30),
            "tasks": 256 + 16 * cores,
        }
        changes = {name: value for name, value in defaults.items() if name not in self.model_fields_set}
        if "memory_bytes" not in changes and self.memory_bytes > memory_bytes:
            changes |= {"memory_bytes": whole * 3 // 4, "stated_memory_bytes": self.memory_bytes}
        return self.model_copy(update=changes)


Ended = Literal["exit", "timeout", "memory", "disk", "tasks", "output", "signal", "sandbox_error"]


class Outcome(Record):
    """How a sandboxed command ended. `message` says it in words, with the limit and the peak."""

    ended: Ended
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    stdout: str = ""
    stderr: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    peak_disk_bytes: int = 0
    peak_tasks: int = 0
    peak_gpu_bytes: int = 0
    files: tuple[str, ...] = ()
    refused_files: tuple[str, ...] = ()
    backend: str = ""
    approximate: tuple[str, ...] = ()
    """The limits that were not exact, each with by how much a run can pass it."""

    @property
    def ok(self) -> bool:
        return self.ended == "exit" and self.exit_code == 0


RunStatus = Literal["ok", "failed", "invalid"]
Implemented = Literal["", "implemented", "partly", "not"]
"""Whether a change of the code does what its plan says; "" when nobody judged it."""


class Run(Record):
    """One execution of the experiment; never deleted.

    `failed`: it did not exit with 0. `invalid`: it exited with 0 but its metrics are missing, not finite
    or not the declared ones. `identity` is the hash of code, arguments, seeds, environment and limits: the
    same identity is executed once in a study.
    """

    name: str
    """`run_0` is the baseline."""
    title: str
    identity: str
    commit: str
    arguments: dict[str, str | int | float] = Field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    status: RunStatus
    reason: str = ""
    rationale: str = ""
    edited: bool = False
    change: str = ""
    """What the edit was to do, in words."""
    exploratory: bool = False
    source: Literal["model", "user", "default"] = "model"
    comparable: bool = True
    not_comparable: str = ""
    """Why it is not comparable with the baseline; "" when it is."""
    implemented: Implemented = ""
    implemented_reason: str = ""
    """What the second opinion says of the change, with the lines that it cites."""
    parameters: float | None = None
    """Parameters of the model, counted by the evaluator; None when it counts none."""
    outcome: Outcome
    limits: Limits
    sandbox: str = ""
    self_reported: bool = False
    """True when its metrics are the run's own word, not computed by the template's evaluator."""


class Result(Record):
    """One named value of one run: `run_2/shakespeare_char/val_loss`."""

    key: str
    run: str
    dataset: str
    metric: str
    unit: str
    direction: Direction
    n: int
    mean: float
    sd: float | None = None
    stderr: float | None = None
    low: float | None = None
    """Lower end of the 95% t interval; None for a lone value."""
    high: float | None = None
    bootstrap_low: float | None = None
    """Lower end of the 95% studentised bootstrap interval, for three to thirty values."""
    bootstrap_high: float | None = None
    values: tuple[float, ...] = ()
    commit: str = ""
    self_reported: bool = False


Verdict = Literal["better", "worse", "no detectable difference", "not comparable", "higher", "lower"]


class Comparison(Record):
    """Two results of one metric, compared by the harness. `higher`/`lower` when no direction is declared."""

    a: str
    """Key of the result that is compared."""
    b: str
    """Key of the result that it is compared with."""
    verdict: Verdict
    reason: str
    difference: float
    """mean(a) - mean(b), in the metric's unit."""
    relative: float | None = None
    """difference / |mean(b)|; None when mean(b) is zero."""
    low: float | None = None
    """Lower end of the 95% interval of the difference."""
    high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    """After Holm's correction over all comparisons of the study."""
    noise_floor: float | None = None
    """Difference of two means of as many seeds that chance alone rarely exceeds, as the values of `b` spread."""
    effect_size: float | None = None
    test: str = ""
    more: dict[str, float] = Field(default_factory=dict)
    """Resources of which the run of `a` used over 10% more than that of `b`: name to the excess (0.26 = 26%)."""
    not_controlled: tuple[str, ...] = ()
    """Resources that could not be measured in both runs."""


class Figure(Record):
    """A figure: `file` is its stem in figures/ (both `.pdf` and `.png` exist)."""

    file: str
    caption: str
    source: Literal["built-in", "template"]
    metrics: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """What is plotted but in no record: series without a match, constants that are typed into the script."""


class Results(Record):
    """results.json: everything that a paper may state as a number."""

    runs: tuple[Run, ...]
    results: tuple[Result, ...]
    comparisons: tuple[Comparison, ...] = ()
    ended: Literal["as planned", "answered", "abandoned"] = "as planned"
    """Why no more runs were made; an idea that was abandoned is reported as a null result."""
    ended_reason: str = ""

    def by_key(self, key: str) -> Result | None:
        return next((r for r in self.results if r.key == key), None)

    def comparison(self, a: str, b: str) -> Comparison | None:
        return next((c for c in self.comparisons if c.a == a and c.b == b), None)


# -- papers and reviews --------------------------------------------------------------------------------


class Claim(Record):
    """A comparison that the paper makes, with the verdict of the code."""

    sentence: str
    section: str
    a: str
    relation: Literal["better", "worse", "no detectable difference", "higher", "lower"]
    b: str
    supported: bool
    reason: str


class Review(Record):
    """A review on the NeurIPS form, always machine-written. Scales: 1-4, overall 1-10, confidence 1-5."""

    summary: str
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    questions: tuple[str, ...]
    limitations: tuple[str, ...]
    ethical_concerns: bool
    soundness: int = Field(ge=1, le=4)
    presentation: int = Field(ge=1, le=4)
    contribution: int = Field(ge=1, le=4)
    overall: int = Field(ge=1, le=10)
    confidence: int = Field(ge=1, le=5)
    decision: Literal["Accept", "Reject"]
    machine_written: Literal[True] = True
    source: Literal["model", "default"] = "model"


# -- accounting ----------------------------------------------------------------------------------------


class Usage(Record):
    """What one model call, or many, used. `dollars` is None when the price is unknown, never 0 then."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that came from the prompt cache."""
    cache_written_tokens: int = 0
    """Part of `prompt_tokens` that a provider put into its prompt cache, which some charge for."""
    output_tokens: int = 0
    seconds: float = 0.0
    dollars: float | None = None
    calls: int = 0
