"""How every network source asks: politely, a bounded number of times, and once for the same question.

Covers: a rate limit per host, `Retry-After`, retries with jitter, timeouts (also for a server that drips),
a limit on the size of answers, a circuit breaker per host, and a cache on disk with an age. Keys go into
headers or `secret` parameters, which enter neither the cache nor an error message. Not covered: several
processes on one machine each keep their own rate.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from novum.errors import SourceError
from novum.literature.answers import AnswerCache
from novum.literature.errors import SourceAuthError
from novum.literature.http import Fetch, HttpAnswer, http_fetch
from novum.literature.text import plain

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long a question is pursued. Times in seconds."""

    timeout_s: float = 20.0
    retries: int = 3
    backoff_s: float = 1.0
    """First pause between tries; doubles, with full jitter."""
    longest_wait_s: float = 60.0
    """Longest pause that a server may ask for; a longer one fails at once and opens the circuit."""
    failures_to_open: int = 3
    """So many failed questions in a row, and the host is left alone."""
    open_s: float = 120.0


@dataclass
class _Host:
    """What is remembered of a host. Times are those of the transport's clock."""

    next_at: float = 0.0
    failures: int = 0
    closed_until: float = 0.0
    lock: AbstractContextManager[Any] = field(default_factory=threading.Lock)


class _Retry(Exception):
    """The try failed and another may help. `wait_s` is what the server asked for."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Question:
    """One GET: `params` are part of its identity, `secret` parameters and headers are not."""

    source: str
    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict)
    interval_s: float = 1.0
    """Least time between two requests to this host."""
    of_one_work: bool = False
    """Whether 404 says that the work is not there; of a search it says that the address is wrong."""

    def at(self, path: str, params: Mapping[str, str | int], *, of_one_work: bool = False) -> Question:
        """The question that is asked of this service at `path`, with what it is always told."""
        return replace(self, url=self.url + path, params={**params, **self.params}, of_one_work=of_one_work)

    @property
    def address(self) -> str:
        """The URL without secrets: what is cached and what errors show."""
        return f"{self.url}?{urlencode(self.params)}" if self.params else self.url

    @property
    def full_address(self) -> str:
        """The URL that is sent."""
        every = {**self.params, **self.secret}
        return f"{self.url}?{urlencode(every)}" if every else self.url

    @property
    def has_key(self) -> bool:
        """Whether a key goes with the question."""
        return bool(self.keys)

    @property
    def keys(self) -> tuple[str, ...]:
        """What nobody may see."""
        return (*self.secret.values(), *self.headers.values())


class Transport:
    """Asks questions for all sources of a library. Thread-safe."""

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        cache: AnswerCache | None = None,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        """`fetch`, `clock`, `sleep` and `chance` are for tests; the defaults are real."""
        self.patience = patience or Patience()
        self._cache = cache
        self._fetch = fetch or http_fetch
        self._clock = clock
        self._sleep = sleep
        self._chance = chance or random.Random()
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def ask(self, question: Question, parse: Callable[[bytes], T]) -> T | None:
        """The parsed answer, or None for a work that is not there. `parse` raises ValueError on what is no answer.

        Raises:
            SourceAuthError: the service refused the key (or, without one, refused access), or no key looks so.
            SourceError: it could not be asked, or what it said cannot be read.
        """
        known, kept = self._kept(question, parse)
        if known:
            return kept
        _check_key(question)
        host = self._host(question.url)
        self._check_circuit(question, host)
        try:
            body, answer = self._try(question, parse, host)
        except SourceAuthError:
            raise
        except SourceError:
            with host.lock:
                host.failures += 1
                if host.failures >= self.patience.failures_to_open:
                    host.closed_until = max(host.closed_until, self._clock() + self.patience.open_s)
            raise
        host.failures = 0
        if self._cache:
            self._cache.put(question.address, body)
        return answer

    def _kept(self, question: Question, parse: Callable[[bytes], T]) -> tuple[bool, T | None]:
        """Whether the cache has an answer, and the answer. One that cannot be read is asked for again."""
        body = self._cache.get(question.address) if self._cache else None
        if not body:
            return body is not None and question.of_one_work, None
        try:
            return True, parse(body)
        except ValueError:
            return False, None

    def _host(self, url: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(urlsplit(url).netloc, _Host())

    def _check_circuit(self, question: Question, host: _Host) -> None:
        left = host.closed_until - self._clock()
        if left > 0:
            raise SourceError(
                f"{question.source} is left alone for {left:.0f} s",
                "it failed several times in a row, or asked for a long pause",
                "go on without it, or try again later",
            )

    def _try(self, question: Question, parse: Callable[[bytes], T], host: _Host) -> tuple[bytes, T | None]:
        for number in range(self.patience.retries + 1):
            self._take_turn(host, question.interval_s)
            try:
                return self._once(question, parse)
            except _Retry as problem:
                why = str(problem)
                pause = self._pause(problem, number, host)
                if pause is None or number == self.patience.retries:
                    break
                self._sleep(pause)
        raise SourceError(
            f"{question.source} could not be asked",
            f"{why} ({number + 1} {'try' if number == 0 else 'tries'}, {question.address[:200]})",
            "check the network, or leave the source out in `literature.sources`",
        )

    def _once(self, question: Question, parse: Callable[[bytes], T]) -> tuple[bytes, T | None]:
        try:
            answer = self._fetch(question.full_address, question.headers, self.patience.timeout_s)
        except OSError as error:
            raise _Retry(_without_secrets(f"{type(error).__name__}: {error}", question)) from error
        if answer.status == 404 and question.of_one_work:
            return b"", None
        _check_status(question, answer)
        try:
            return answer.body, parse(answer.body)
        except ValueError as error:
            raise _Retry(_without_secrets(f"its answer cannot be read: {error}", question)) from error

    def _take_turn(self, host: _Host, interval_s: float) -> None:
        with host.lock:
            now = self._clock()
            wait = max(0.0, host.next_at - now)
            host.next_at = max(now, host.next_at) + interval_s
        if wait:
            self._sleep(wait)

    def _pause(self, problem: _Retry, number: int, host: _Host) -> float | None:
        """Seconds until the next try, or None when the server wants more than we wait."""
        if problem.wait_s is None:
            return self._chance.uniform(
                0, min(self.patience.longest_wait_s, self.patience.backoff_s * 2**number)
            )
        if problem.wait_s > self.patience.longest_wait_s:
            host.closed_until = self._clock() + problem.wait_s
            return None
        return problem.wait_s + self._chance.uniform(0, 0.1 * self.patience.backoff_s)


def _check_key(question: Question) -> None:
    if not all(key.isascii() and key.isprintable() for key in question.keys):
        raise SourceAuthError(
            f"the API key of {question.source} cannot be sent",
            "it holds a character that no key has, which often comes with pasting",
            f"correct the key of {question.source} in novum.toml, or remove it there",
        )


def _check_status(question: Question, answer: HttpAnswer) -> None:
    if answer.status == 200:
        return
    said = f"HTTP {answer.status}: {_excerpt(answer.body, question)}"
    if answer.status in (401, 403):
        what = "refused the API key" if question.has_key else "refused access"
        raise SourceAuthError(
            f"{question.source} {what}",
            said,
            f"correct the key of {question.source} in novum.toml, or remove it there",
        )
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise _Retry(said, retry_after_s(answer.headers.get("retry-after")))
    raise SourceError(
        f"{question.source} did not accept the question",
        f"{said} ({question.address[:200]})",
        "check its address in `literature.base_urls`" if answer.status == 404 else "",
    )


def retry_after_s(value: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds that a `Retry-After` header asks for (a number or a date), or None when it says nothing."""
    if not value:
        return None
    try:
        if value.strip().isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except (ValueError, TypeError, OverflowError):
        return None


def _excerpt(body: bytes, question: Question) -> str:
    """The beginning of what the service said; one that echoes the key does not publish it."""
    said = plain(body[:20_000].decode("utf-8", "replace"))
    return _without_secrets(said, question)[:200] or "(empty answer)"


def _without_secrets(text: str, question: Question) -> str:
    for secret in filter(None, question.keys):
        text = text.replace(secret, "***").replace(quote_plus(secret), "***")
    return text
