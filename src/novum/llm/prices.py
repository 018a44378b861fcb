"""Prices of hosted models, from the table inside the genai-prices wheel (no network).

An unknown price is None, never zero: a budget in dollars then refuses to start rather than to count wrongly.
"""

from __future__ import annotations

from novum.records import Usage

# Names that differ between pydantic-ai's providers and the price table.
_PROVIDER_IDS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "google-cloud": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "grok": "x-ai",
    "openai-chat": "openai",
    "openai-responses": "openai",
    "xai": "x-ai",
}


def dollars(name: str, usage: Usage) -> float | None:
    """Dollars for `usage` of the model `provider:model`, or None when the table does not know it."""
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    provider, _, model = name.partition(":")
    try:
        priced = calc_price(
            PricedUsage(
                input_tokens=usage.prompt_tokens,
                cache_read_tokens=usage.cached_tokens,
                cache_write_tokens=usage.cache_written_tokens,
                output_tokens=usage.output_tokens,
            ),
            model_ref=model,
            provider_id=_PROVIDER_IDS.get(provider, provider),
        )
    except LookupError:
        return None
    return float(priced.total_price)
