"""One tree of settings: `novum.toml` in the working folder, then the environment (`NOVUM_MODELS__CODE=...`).

Settings hold preferences. They cannot switch the sandbox off: that takes a flag typed on the command line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from novum.errors import UsageError

Role = Literal["ideas", "code", "writing", "review", "vision"]
Profile = Literal["quick", "full"]
ROLES: tuple[Role, ...] = ("ideas", "code", "writing", "review", "vision")
EMBEDDED_MODEL = "local:qwen2.5-coder-1.5b"


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ModelSettings(_Group):
    """Which model takes which role, as `kind:name` (see `novum models list`)."""

    default: str = EMBEDDED_MODEL
    """The model of every role that names none of its own."""
    ideas: str | None = None
    """Ideas, reflection and the judgement of novelty."""
    code: str | None = None
    """Plans and edits of the experiment."""
    writing: str | None = None
    """The paper."""
    review: str | None = None
    """Reviews and the meta-review."""
    vision: str | None = None
    """Looking at figures (not used yet)."""
    base_url: str | None = None
    """An OpenAI-compatible server for `openai:NAME` models, e.g. http://127.0.0.1:11434/v1."""
    timeout_s: float = Field(default=300.0, gt=0)
    """Longest wait for one reply of a hosted model, in seconds."""
    retries: int = Field(default=4, ge=0, le=10)
    """Attempts after the first when a hosted model is overloaded or unreachable."""
    context_tokens: int = Field(default=8192, ge=1024)
    """Context of the embedded model, in tokens."""

    def for_role(self, role: Role) -> str:
        """The model of `role`."""
        return getattr(self, role) or self.default


class BudgetSettings(_Group):
    """What a study may spend. Checked before each call against its worst case."""

    dollars: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Most dollars for model calls; none means no limit."""
    tokens: int | None = Field(default=None, ge=0)
    """Most tokens, prompts and replies together."""
    minutes: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Most minutes of wall time, over all processes; a call or run that is under way is not cut off."""

    def changed(self, **limits: float | None) -> BudgetSettings:
        """These limits, with those of `limits` that are not None in their place.

        Raises:
            UsageError: one of them is out of range.
        """
        given = {name: limit for name, limit in limits.items() if limit is not None}
        with _told("a limit of the budget is not valid", "give a number that is 0 or more"):
            return BudgetSettings.model_validate(self.model_dump() | given)


class SandboxSettings(_Group):
    """How model-written code is confined."""

    backend: str = "auto"
    """`auto` (bubblewrap, then namespaces, else refuse), or one of them by name."""
    memory_gib: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Overrides the template's memory limit for the runs of a study that begins with it, in GiB."""


class LiteratureSettings(_Group):
    """Where novelty and citations are looked up."""

    sources: tuple[str, ...] = ("offline",)
    """Any of `offline`, `semantic_scholar`, `openalex`, `arxiv`, `crossref`, `web`, asked in this order."""
    contact: str = ""
    """A mail address that is sent to the services that ask for one."""
    semantic_scholar_key: str = ""
    """API key of Semantic Scholar; works without, slowly."""
    openalex_key: str = ""
    """API key of OpenAlex."""
    base_urls: dict[str, str] = Field(default_factory=dict)
    """Another address for a source, by its name (a mirror, or the `web` source's endpoint)."""
    timeout_s: float = Field(default=20.0, gt=0)
    """Longest wait for one answer, in seconds."""
    rerank_model: str = ""
    """A model2vec model (folder or name) that orders by meaning what the offline index finds, and tells ideas alike."""
    cache_days: float = Field(default=30.0, ge=0)
    """Age after which a cached answer is asked for again."""


class Settings(BaseSettings):
    """All settings of novum."""

    model_config = SettingsConfigDict(
        env_prefix="NOVUM_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    lab: Path = Path("lab")
    """The workspace, which holds the studies."""
    profile: Profile = "quick"
    """`quick` (minutes) or `full` (the scale of a paper)."""
    coder: Literal["novum", "aider"] = "novum"
    """What edits the experiment's code: novum's own coder, or an installed Aider, in the sandbox."""
    reserve_gib: float = Field(default=0.5, ge=0)
    """Free disk space under which no study starts, in GiB."""
    models: ModelSettings = ModelSettings()
    """Which model takes which role."""
    budget: BudgetSettings = BudgetSettings()
    """What a study may spend."""
    sandbox: SandboxSettings = SandboxSettings()
    """How model-written code is confined."""
    literature: LiteratureSettings = LiteratureSettings()
    """Where novelty and citations are looked up."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The environment overrides the file, whose values arrive as the init values.
        return env_settings, init_settings


def load_settings(folder: Path | None = None) -> Settings:
    """Read `novum.toml` in `folder` (default: the working folder) and the environment.

    Raises:
        UsageError: the file is not TOML, or a setting is unknown or out of range.
    """
    path = (folder or Path()) / "novum.toml"
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"cannot read the settings file {path}", str(error)) from error
    what = f"a setting in {path} or in the environment (NOVUM_...) is not valid"
    try:
        with _told(what, "see docs/settings.md for every setting"):
            return Settings(**values)
    except SettingsError as error:
        raise UsageError(
            what,
            f"{error} ({error.__cause__})",
            "a list or a group is written as JSON: NOVUM_LITERATURE__SOURCES='[\"arxiv\"]'; see docs/settings.md",
        ) from error


@contextmanager
def _told(what: str, next_step: str) -> Iterator[None]:
    """Turns pydantic's error into one of this project, which names each setting that is wrong."""
    try:
        yield
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(what, problems, next_step) from error
