"""One GET over HTTP. Covers: timeouts also for a server that drips, the size of answers, redirects without the key."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 64 << 20
"""An answer larger than this is not read."""


class HttpAnswer(NamedTuple):
    """Status, headers (lower-case names) and body of one HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetch(Protocol):
    """One HTTP GET. Raises `OSError` when no complete answer came."""

    def __call__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer: ...


def http_fetch(url: str, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer:
    """GET over HTTP with httpx2. The whole answer must come within twice `timeout_s`.

    A redirect is followed; `headers`, which may hold a key, go to the host of `url` alone.
    """
    import httpx2

    agent = {"user-agent": "novum", "accept": "application/json, application/atom+xml, */*"}
    until = time.monotonic() + 2 * timeout_s

    def keep_key(request: httpx2.Request) -> None:
        if _origin(request.url) != _origin(httpx2.URL(url)):
            for name in headers:
                request.headers.pop(name, None)

    try:
        with (
            httpx2.Client(
                timeout=timeout_s, follow_redirects=True, event_hooks={"request": [keep_key]}
            ) as client,
            client.stream("GET", url, headers={**agent, **headers}) as response,
        ):
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


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
