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
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from novum.errors import SourceError
from novum.literature.answers import AnswerCache
from novum.literature.errors import SourceAuthError
from novum.literature.text import plain

T = TypeVar("T")
MOST_BYTES = 64 << 20
"""An answer larger than this is not read."""


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


class HttpAnswer(NamedTuple):
    """Status, headers (lower-case names) and body of one HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetch(Protocol):
    """One HTTP GET. Raises `OSError` when no complete answer came."""

    def __call__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer: ...


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
        return bool(self.secret or self.headers)


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
        """The parsed answer, or None for 404. `parse` raises ValueError on what is not an answer.

        Raises:
            SourceAuthError: the service refused the key (or, without one, refused access).
            SourceError: it could not be asked, or what it said cannot be read.
        """
        cached = self._cache.get(question.address) if self._cache else None
        if cached is not None:
            return parse(cached) if cached else None
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
        if answer.status == 404:
            return b"", None
        _check_status(question, answer)
        try:
            return answer.body, parse(answer.body)
        except ValueError as error:
            raise _Retry(f"its answer cannot be read: {error}") from error

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


def _check_status(question: Question, answer: HttpAnswer) -> None:
    if answer.status == 200:
        return
    said = f"HTTP {answer.status}: {_excerpt(answer.body)}"
    if answer.status in (401, 403):
        what = "refused the API key" if question.has_key else "refused access"
        raise SourceAuthError(
            f"{question.source} {what}",
            said,
            f"correct the key of {question.source} in novum.toml, or remove it there",
        )
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise _Retry(said, retry_after_s(answer.headers.get("retry-after")))
    raise SourceError(f"{question.source} did not accept the question", f"{said} ({question.address[:200]})")


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


def _excerpt(body: bytes) -> str:
    return plain(body[:2000].decode("utf-8", "replace"))[:200] or "(empty answer)"


def _without_secrets(text: str, question: Question) -> str:
    for secret in (*question.secret.values(), *question.headers.values()):
        text = text.replace(secret, "***") if secret else text
    return text


def http_fetch(url: str, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer:
    """GET over HTTP with httpx2. The whole answer must come within twice `timeout_s`."""
    import httpx2

    agent = {"user-agent": "novum", "accept": "application/json, application/atom+xml, */*"}
    until = time.monotonic() + 2 * timeout_s
    try:
        with httpx2.stream(
            "GET", url, headers={**agent, **headers}, timeout=timeout_s, follow_redirects=True
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise OSError(f"the answer is larger than {MOST_BYTES >> 20} MiB")
                if time.monotonic() > until:
                    raise TimeoutError(f"no complete answer within {2 * timeout_s:g} s")
            return HttpAnswer(
                response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(body)
            )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
