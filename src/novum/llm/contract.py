"""What every implementation of the Model port must do. Subclass it in a test, also in a plug-in's:

class TestMine(ModelContract):
    @pytest.fixture
    def model(self): ...
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from novum.llm import Message, Model, Reply, Request
from novum.records import Usage


def ask_for(step: str, text: str = "Say hello.", **fields: object) -> Request:
    """A small request."""
    return Request.model_validate(
        {
            "step": step,
            "messages": (Message.of("user", text),),
            "max_tokens": 32,
            "temperature": 0.0,
            **fields,
        }
    )


class ModelContract:
    """The tests. `model` is a fixture that gives a model which answers every request."""

    def test_it_has_a_name_of_kind_and_rest(self, model: Model) -> None:
        kind, separator, rest = model.name.partition(":")
        assert kind and separator and rest

    def test_a_reply_is_text_with_a_finish(self, model: Model) -> None:
        reply = model.complete(ask_for("contract/plain"))
        assert isinstance(reply, Reply)
        assert isinstance(reply.text, str)
        assert reply.finish in ("stop", "length")

    def test_usage_counts_one_call(self, model: Model) -> None:
        usage = model.complete(ask_for("contract/usage")).usage
        assert usage.calls == 1
        assert usage.prompt_tokens > 0
        assert 0 <= usage.cached_tokens <= usage.prompt_tokens
        assert usage.output_tokens >= 0
        assert usage.seconds >= 0

    def test_max_tokens_holds(self, model: Model) -> None:
        allowed = 8 + model.capabilities.reasoning_tokens
        request = ask_for("contract/limit", "Count from one to a hundred in words.", max_tokens=8)
        assert model.complete(request).usage.output_tokens <= allowed

    def test_a_price_is_known_or_unknown_but_never_negative(self, model: Model) -> None:
        price = model.price(Usage(prompt_tokens=1000, output_tokens=1000, calls=1))
        assert price is None or price >= 0

    def test_a_dollar_figure_is_the_price_of_the_usage(self, model: Model) -> None:
        usage = model.complete(ask_for("contract/price")).usage
        assert usage.dollars == model.price(usage)

    def test_asking_does_not_change_the_request(self, model: Model) -> None:
        request = ask_for("contract/frozen")
        before = request.model_dump()
        model.complete(request)
        assert request.model_dump() == before

    def test_it_answers_several_threads(self, model: Model) -> None:
        requests = [ask_for(f"contract/thread_{n}") for n in range(3)]
        with ThreadPoolExecutor(3) as pool:
            replies = list(pool.map(model.complete, requests))
        assert all(isinstance(reply, Reply) for reply in replies)

    def test_closing_twice_does_no_harm(self, model: Model) -> None:
        model.close()
        model.close()
