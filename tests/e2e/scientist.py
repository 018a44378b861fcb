"""A scripted model that answers every step sensibly, without a model: `--model scripted:tests/e2e/scientist.py`.

It fills any schema with the first valid choice and sentences from a bank, rewrites the function that it is
shown, and writes plain prose. `SCIENTIST_DELAY_S` slows each reply down, for tests that interrupt a study.
"""

import hashlib
import os
import re
import time

capabilities = {"json_schema": True, "grammar": True, "prefill": True, "small": True, "context_tokens": 8192}

SUBJECTS = (
    "The model",
    "The simulation",
    "The outbreak",
    "The population",
    "The contact structure",
    "The intervention",
    "The design",
    "The comparison",
    "The measure",
    "The transmission process",
    "The age structure",
    "The town",
)
VERBS = (
    "describes how an infection moves through",
    "is a simple way of looking at",
    "keeps apart the parts of",
    "makes visible what happens inside",
    "draws attention to the dynamics of",
    "is meant to clarify",
    "follows the course of",
    "leaves room for chance in",
    "asks a narrow question about",
    "shows the role of",
)
OBJECTS = (
    "a closed community with mixed ages",
    "an epidemic under a temporary measure",
    "the contacts between groups",
    "a disease that spreads by contact",
    "the balance of timing and strength",
    "a stochastic process of infection",
    "the way in which people meet",
    "the path from exposure to recovery",
    "a policy that acts for a while",
)
SCALABLE = ("learning_rate", "weight_decay", "ema_decay", "noise_schedule", "loss_function")
"""Functions of the other templates whose value may be a little smaller."""
ENDS = ("", " in a transparent way", " without hidden assumptions", " step by step", " for a single season")


def sentences(key, count):
    """`count` different sentences that are the same for the same key."""
    start = int(hashlib.sha256(key.encode()).hexdigest(), 16)
    found = []
    for index in range(count):
        number = start + index * 7919
        parts = []
        for bank in (SUBJECTS, VERBS, OBJECTS, ENDS):
            number, place = divmod(number, len(bank))
            parts.append(bank[place])
        found.append(f"{parts[0]} {parts[1]} {parts[2]}{parts[3]}.")
    return found


def reply(request):
    time.sleep(float(os.environ.get("SCIENTIST_DELAY_S", "0")))
    if request.json_schema is not None:
        import json

        return json.dumps(value(request.json_schema, request.step))
    question = "".join(m.text for m in request.messages)
    if re.match(r"experiment/.*/(edit|fix)", request.step):
        return function_body(question)
    return "\n\n".join(" ".join(sentences(f"{request.step}/{n}", 3)) for n in range(2))


def function_body(question):
    """The function of the prompt, changed: another value from 0 to 1 for the epidemic, for others what they allow."""
    head = re.findall(r"^def .*:$", question, re.MULTILINE)[-1]
    if "day" in head:
        body = "    return 0.5 * (1.0 + 1.0 / (2.0 + day)) if day < 400 else 0.25"
        return f"```python\n{head}\n{body}\n```"
    old = re.findall(r"```python\n(.*?)```", question, re.DOTALL)[0].rstrip()
    if any(f" {name}(" in head for name in SCALABLE):
        before, _, returned = old.rpartition("return ")
        return f"```python\n{before}return 0.7 * {returned}\n```"
    body = old.removeprefix(head)
    return f"```python\n{head}\n    assert params.seeds{body}\n```"


def value(schema, key):
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        options = schema["enum"]
        preferred = [option for option in ("continue", "none", "implemented") if option in options]
        return preferred[0] if preferred else options[len(key) % len(options)]
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return value(schema[name][len(key) % len(schema[name])], key)
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: value(part, f"{key}.{name}") for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        count = max(schema.get("minItems", 1), min(2, schema.get("maxItems", 2)))
        items = [value(schema.get("items", {}), f"{key}[{n}]" + "x" * n) for n in range(count)]
        different = [item for n, item in enumerate(items) if item not in items[:n]]
        return different if len(different) >= schema.get("minItems", 0) else items
    if kind == "integer":
        return max(schema.get("minimum", 1), min(3, schema.get("maximum", 3)))
    if kind == "number":
        return max(schema.get("minimum", 0.5), min(0.5, schema.get("maximum", 0.5)))
    if kind == "boolean":
        return False
    return text(schema, key)


def text(schema, key):
    most = schema.get("maxLength", 240)
    words = " ".join(sentences(key, 1 if most < 200 or "pattern" in schema else 2))
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0]
