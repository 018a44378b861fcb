"""The transport: polite, patient within bounds, and honest about what went wrong."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from novum.errors import SourceError
from novum.literature.answers import AnswerCache
from novum.literature.build import object_with, parse_json
from novum.literature.errors import SourceAuthError
from novum.literature.http import HttpAnswer
from novum.literature.transport import Patience, Question, Transport, retry_after_s

from .loopback_source import Said, Server, as_json, serving


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Answers:
    """A fetch that gives the next of its answers, and the last one for ever."""

    def __init__(self, *answers: HttpAnswer | OSError) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []

    def __call__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer:
        self.urls.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


OK = HttpAnswer(200, {}, b'{"fine": 1}')
BUSY = HttpAnswer(429, {}, b'{"message": "Too Many Requests"}')
ASK = Question("svc", "https://svc.example/q", {"a": 1})
ONE_WORK = Question("svc", "https://svc.example/work", of_one_work=True)


def transport(fetch: Answers, now: Time | None = None, patience: Patience | None = None) -> Transport:
    now = now or Time()
    return Transport(patience, fetch=fetch, clock=now.clock, sleep=now.sleep, chance=random.Random(1))


def test_429_without_retry_after_is_tried_again_with_growing_bounded_pauses() -> None:
    now, fetch = Time(), Answers(BUSY, BUSY, OK)
    assert transport(fetch, now).ask(ASK, parse_json) == {"fine": 1}
    assert len(fetch.urls) == 3
    assert all(s <= 4 for s in now.slept)


def test_retry_after_is_honoured() -> None:
    now, fetch = Time(), Answers(BUSY._replace(headers={"retry-after": "17"}), OK)
    transport(fetch, now).ask(ASK, parse_json)
    assert 17 <= max(now.slept) < 18


def test_a_retry_after_beyond_our_patience_fails_at_once_and_the_host_is_left_alone_so_long() -> None:
    now, fetch = Time(), Answers(BUSY._replace(headers={"retry-after": "3600"}))
    asking = transport(fetch, now)
    with pytest.raises(SourceError, match="429"):
        asking.ask(ASK, parse_json)
    with pytest.raises(SourceError, match="left alone for 3600 s"):
        asking.ask(ASK, parse_json)
    assert len(fetch.urls) == 1 and not now.slept


@pytest.mark.parametrize(
    "bad",
    [BUSY, HttpAnswer(500, {}, b"<html>oops"), HttpAnswer(200, {}, b"<html>maintenance</html>"),
     HttpAnswer(200, {}, b'{"data": [1, 2'), TimeoutError("slow"), ConnectionResetError("reset")],
    ids=["429", "500", "html", "truncated", "hang", "reset"],
)  # fmt: skip
def test_what_never_gets_well_is_one_error_after_a_bounded_number_of_tries(bad: HttpAnswer | OSError) -> None:
    fetch = Answers(bad)
    with pytest.raises(SourceError, match=r"(?s)svc could not be asked.*4 tries.*next:"):
        transport(fetch).ask(ASK, parse_json)
    assert len(fetch.urls) == 4


def test_a_bad_key_is_one_clear_error_at_once_and_is_not_shown() -> None:
    fetch = Answers(HttpAnswer(403, {}, b'{"message":"Forbidden"}'))
    question = Question("svc", "https://svc.example/q", headers={"x-api-key": "s3cret"})
    with pytest.raises(SourceAuthError, match=r"(?s)svc refused the API key.*HTTP 403.*novum.toml") as caught:
        transport(fetch).ask(question, parse_json)
    assert len(fetch.urls) == 1 and "s3cret" not in str(caught.value)


def test_a_key_in_the_address_is_neither_cached_nor_shown(tmp_path: Path) -> None:
    question = Question("svc", "https://svc.example/q", {"a": 1}, secret={"api_key": "s3cret"})
    fetch = Answers(ConnectionError("cannot reach https://svc.example/q?a=1&api_key=s3cret"), OK)
    cache = AnswerCache(tmp_path, 60)
    asking = Transport(Patience(retries=0), fetch=fetch, cache=cache, sleep=lambda _: None)
    with pytest.raises(SourceError) as caught:
        asking.ask(question, parse_json)
    assert "s3cret" not in str(caught.value)
    asking.ask(question, parse_json)
    assert "api_key=s3cret" in fetch.urls[0]
    assert not any(b"s3cret" in f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())


def test_400_is_not_tried_again_and_says_what_the_service_said() -> None:
    fetch = Answers(HttpAnswer(400, {}, b'{"error":"Unrecognized field"}'))
    with pytest.raises(SourceError, match="Unrecognized field"):
        transport(fetch).ask(ASK, parse_json)
    assert len(fetch.urls) == 1


def test_404_says_that_a_work_is_not_there() -> None:
    assert transport(Answers(HttpAnswer(404, {}, b"nope"))).ask(ONE_WORK, parse_json) is None


def test_404_to_a_search_is_a_wrong_address_and_not_an_empty_answer(tmp_path: Path) -> None:
    """A wrong path in `base_urls` was "answered, nothing found", and kept so for a month."""
    fetch, cache = Answers(HttpAnswer(404, {}, b"no such page")), AnswerCache(tmp_path, 60)
    asking = Transport(fetch=fetch, cache=cache, sleep=lambda _: None)
    with pytest.raises(SourceError, match=r"(?s)did not accept.*HTTP 404: no such page.*base_urls"):
        asking.ask(ASK, parse_json)
    fetch.answers = [OK]
    assert asking.ask(ASK, parse_json) == {"fine": 1}


@pytest.mark.parametrize("kept", [b"", b"{half", b"[" * 100_000])
def test_a_kept_answer_that_cannot_be_read_is_asked_for_again(tmp_path: Path, kept: bytes) -> None:
    cache = AnswerCache(tmp_path, 60)
    cache.put(ASK.address, kept)
    assert Transport(fetch=Answers(OK), cache=cache).ask(ASK, parse_json) == {"fine": 1}
    assert cache.get(ASK.address) == OK.body


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_a_service_that_echoes_the_key_does_not_publish_it(status: int) -> None:
    body = b"<html>bad key: s3cret/+x or s3cret%2F%2Bx in your question</html>"
    question = Question("svc", "https://svc.example/q", secret={"api_key": "s3cret/+x"})
    with pytest.raises(SourceError) as caught:
        transport(Answers(HttpAnswer(status, {}, body))).ask(question, parse_json)
    assert "s3cret" not in str(caught.value)


def test_an_error_in_json_that_echoes_the_key_does_not_publish_it() -> None:
    body = b'{"error": "bad key s3cret/+x"}'
    question = Question("svc", "https://svc.example/q", headers={"x-api-key": "s3cret/+x"})
    with pytest.raises(SourceError, match=r"JSON without .data.: .*bad key \*\*\*") as caught:
        transport(Answers(HttpAnswer(200, {}, body))).ask(question, lambda b: object_with(b, "data"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("key", ["s3cr\u00e9t", "s3cret\u200b", "s3cret\n"])
def test_a_key_with_a_character_that_cannot_be_sent_is_one_clear_error(key: str) -> None:
    fetch = Answers(OK)
    question = Question("svc", "https://svc.example/q", headers={"x-api-key": key})
    with pytest.raises(
        SourceAuthError, match=r"(?s)key of svc cannot be sent.*pasting.*novum.toml"
    ) as caught:
        transport(fetch).ask(question, parse_json)
    assert fetch.urls == [] and "s3cr" not in str(caught.value)


def test_after_three_failures_the_host_is_left_alone_and_later_asked_again() -> None:
    now, fetch = Time(), Answers(HttpAnswer(500, {}, b""))
    asking = transport(fetch, now, Patience(retries=0))
    for _ in range(3):
        with pytest.raises(SourceError, match="could not be asked"):
            asking.ask(ASK, parse_json)
    with pytest.raises(SourceError, match="left alone"):
        asking.ask(ASK, parse_json)
    assert len(fetch.urls) == 3
    now.now += 121
    fetch.answers = [OK]
    assert asking.ask(ASK, parse_json) == {"fine": 1}


def test_requests_to_one_host_keep_their_distance_and_hosts_do_not_wait_for_each_other() -> None:
    now, fetch = Time(), Answers(OK)
    asking = transport(fetch, now)
    for _ in range(3):
        asking.ask(Question("svc", "https://a.example/q", interval_s=3.0), parse_json)
    assert now.slept == [3.0, 3.0]
    asking.ask(Question("svc", "https://b.example/q", interval_s=3.0), parse_json)
    assert now.slept == [3.0, 3.0]


def test_an_answer_is_asked_for_once_until_it_is_too_old(tmp_path: Path) -> None:
    now, fetch = Time(), Answers(OK)
    cache = AnswerCache(tmp_path, max_age_s=100, clock=now.clock)
    for _ in range(3):
        assert Transport(fetch=fetch, cache=cache).ask(ASK, parse_json) == {"fine": 1}
    assert len(fetch.urls) == 1
    now.now += 101
    Transport(fetch=fetch, cache=cache).ask(ASK, parse_json)
    assert len(fetch.urls) == 2


def test_not_there_is_cached_and_a_broken_answer_is_not(tmp_path: Path) -> None:
    missing = Answers(HttpAnswer(404, {}, b""))
    for _ in range(2):
        assert Transport(fetch=missing, cache=AnswerCache(tmp_path, 60)).ask(ONE_WORK, parse_json) is None
    assert len(missing.urls) == 1
    other = Question("svc", "https://svc.example/other")
    broken = Answers(HttpAnswer(200, {}, b'{"data": ['))
    asking = Transport(
        Patience(retries=0), fetch=broken, cache=AnswerCache(tmp_path, 60), sleep=lambda _: None
    )
    with pytest.raises(SourceError):
        asking.ask(other, parse_json)
    broken.answers = [OK]
    assert asking.ask(other, parse_json) == {"fine": 1}


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = AnswerCache(tmp_path / "file", 60)
    assert Transport(fetch=Answers(OK), cache=cache).ask(ASK, parse_json) == {"fine": 1}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 60.0), ("Wed, 21 Oct 2015 07:26:00 GMT", 0.0), ("soon", None),
     ("", None), (None, None), ("-3", None)],
)  # fmt: skip
def test_retry_after_is_a_number_a_date_or_nothing(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, now=lambda: 1445412420.0) == seconds


# -- over real HTTP ------------------------------------------------------------------------------------


@pytest.fixture
def quick() -> Transport:
    return Transport(Patience(timeout_s=0.3, retries=1, backoff_s=0.01))


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(lambda path, number: request.param) as running:
        yield running


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (Said(body=b"{}", hang_s=5), "ReadTimeout"),
        (Said(reset=True), "Error"),
        (Said(body=as_json({"data": list(range(1000))}), cut=50), "Error"),
        (Said(body=b"<!DOCTYPE html><html><body>Cloudflare</body></html>"), "an HTML page"),
        (Said(status=503, body=b"<html><h1>Down</h1></html>"), "HTTP 503: Down"),
        (Said(status=429, body=b'{"message":"Too Many Requests"}'), "HTTP 429"),
    ],
    indirect=["server"],
    ids=["hang", "reset", "truncated", "html", "503", "429"],
)
def test_over_http_every_failure_is_a_source_error_that_names_it(
    server: Server, why: str, quick: Transport
) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match=f"(?s){why}"):
        quick.ask(Question("svc", server.url + "/q", interval_s=0), parse_json)
    assert len(server.asked) == 2
    assert time.monotonic() - began < 3


def test_a_redirect_to_another_host_does_not_take_the_key_along(quick: Transport) -> None:
    with serving(lambda path, number: Said(body=as_json({"fine": 1}))) as other:
        elsewhere = Said(status=302, headers={"Location": f"{other.url}/q"})
        home = Said(status=302, headers={"Location": "/again"})
        with serving(lambda path, number: home if path == "/q" else elsewhere) as server:
            question = Question("svc", f"{server.url}/q", headers={"x-api-key": "s3cret"}, interval_s=0)
            assert quick.ask(question, parse_json) == {"fine": 1}
    assert [headers.get("x-api-key") for headers in server.headers] == ["s3cret", "s3cret"]
    assert [headers.get("x-api-key") for headers in other.headers] == [None]


def test_a_port_where_nothing_listens_is_a_source_error(quick: Transport) -> None:
    with pytest.raises(SourceError, match="ConnectError"):
        quick.ask(Question("svc", "http://127.0.0.1:9/q", interval_s=0), parse_json)


def test_many_threads_keep_the_distance_of_one() -> None:
    stamps: list[float] = []

    def answer(path: str, number: int) -> Said:
        stamps.append(time.monotonic())
        return Said()

    with serving(answer) as running:
        asking = Transport()
        threads = [
            threading.Thread(
                target=asking.ask, args=(Question("s", f"{running.url}/{n}", interval_s=0.1), parse_json)
            )
            for n in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(stamps) - min(stamps) > 0.35
