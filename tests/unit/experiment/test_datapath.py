"""Like is compared with like: a change of how the data are made or split is seen, and a change of the rest is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novum.experiment.datapath import touches_data
from novum.experiment.measuring import touches_metric
from novum.template import load_template

from .conftest import DECLARATION, FILES, FIT, Lab, MakeLab, change, edits, mean_of, replacing, run_of
from .test_results import CODE

NETWORK = "class Net:\n    def forward(self, x):\n        return x\n"
PROTECTED = {"tasks.py": "def table(): ...\n", "network.py": NETWORK, "evaluate.py": "import tasks\n"}
GROKS = """
import numpy as np
import tasks
import network

def loss_function(logits, targets):
    return ((logits - targets) ** 2).mean()

def load(seed, params):
    inputs, results = tasks.table(params.operation)
    return np.array(inputs), results

def train(seed, params):
    left, result = tasks.table(params.operation)
    mask = tasks.training_mask(len(result), params.fraction, seed)
    tokens = np.stack([left, left])
    known = np.array(mask)
    train_tokens, train_targets = tokens[known], result[known]
    model = network.Net(params.width)
    weights = list(model.parameters())
    for step in range(params.steps):
        loss = loss_function(model(train_tokens), train_targets)
        loss.backward()
        evaluate_all(model, tokens)
    return model

def evaluate_all(model, tokens):
    return model(tokens)

def main():
    params = arguments()
    inputs, results = load(0, params)
    for seed in params.seeds:
        train(seed, params)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    known = np.array(mask)\n", "    known = np.array(mask)\n    known = np.ones_like(known)\n"),
        ("    known = np.array(mask)\n", "    known = np.array(mask)\n    known[:] = True\n"),
        ("    known = np.array(mask)\n", "    known = np.array(mask)\n    known.fill(True)\n"),
        ("    known = np.array(mask)\n", "    known = np.array(mask)\n    known |= True\n"),
        ("    known = np.array(mask)\n", "    known = np.array(mask)\n    np.copyto(known, True)\n"),
        ("np.array(mask)", "~np.array(mask)"),
        ("tokens[known], result[known]", "tokens, result"),
        ("model(train_tokens), train_targets", "model(tokens), result"),
        ("params.fraction, seed", "0.9, seed"),
        ("params.fraction, seed", "params.fraction, seed, tasks.HELD_OUT"),
        ("    model = network", "    tasks.training_mask = lambda *_: mask | True\n    model = network"),
        ("    model = network", "    import tasks as t\n    more = t.table('x')\n    model = network"),
        ("    model = network", "    from tasks import table\n    model = network"),
        ("    model = network", "    more = __import__('tasks').table('x')\n    model = network"),
        (
            "    model = network",
            "    import sys\n    more = sys.modules['tasks'].table('x')\n    model = network",
        ),
        ("    return np.array(inputs), results", "    return np.array(inputs), 0 * results"),
        ("inputs, results = load(0, params)", "inputs, results = load(1, params)"),
        ("def evaluate_all(model, tokens):", "def evaluate_all(model, tokens, more=tasks.table('x')):"),
    ],
)
def test_a_change_of_the_data_path_is_seen(old: str, new: str) -> None:
    """Failures B S 4: training on the entries that the result is measured on is not a better result."""
    assert old in GROKS
    assert "the data are made or split" in touches_data(GROKS, GROKS.replace(old, new, 1), PROTECTED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(logits - targets) ** 2", "abs(logits - targets)"),
        ("    loss = loss_function(", "    loss = 2.0 * loss_function("),
        ("        loss.backward()\n", "        loss.backward()\n        average(weights)\n"),
        ("network.Net(params.width)", "network.Net(2 * params.width)"),
        ("range(params.steps)", "range(2 * params.steps)"),
        ("    return model(tokens)", "    return model(tokens) + 0.0"),
        ("import numpy as np\n", "import numpy as np\nimport math\n"),
        ("def loss_function", "# a comment\ndef loss_function"),
    ],
)
def test_a_change_of_the_rest_stays_comparable(old: str, new: str) -> None:
    """The other side of the same rule: a change of the training is what a study is for."""
    assert old in GROKS
    assert touches_data(GROKS, GROKS.replace(old, new, 1), PROTECTED) == ""


@pytest.mark.parametrize("name", ["char_lm", "diffusion_2d", "epidemic", "grokking"])
def test_declared_functions_of_the_templates_can_be_changed(name: str) -> None:
    """An edit inside a declared function touches no data, in any template that ships."""
    template = load_template(name)
    protected = {n: template.texts[n] for n in template.protected if n.endswith(".py")}
    source = template.texts[template.script]
    assert touches_data(source, source, protected) == ""
    for function in template.functions:
        body = f"{function.source}\n    rewritten = {{'a': params}}\n    return rewritten"
        changed = source.replace(function.source, body, 1)
        assert changed != source
        assert touches_data(source, changed, protected) == "", function.name


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("char_lm", "text = torch.tensor(learned", "text = torch.tensor(texts.read('text8')[1]"),
        ("diffusion_2d", "seed, points.TRAINING)", "seed, points.HELD_OUT)"),
        ("grokking", "params.train_fraction, seed)\n    return", "0.99, seed)\n    return"),
    ],
)
def test_training_on_held_out_data_is_seen_in_the_templates(name: str, old: str, new: str) -> None:
    template = load_template(name)
    protected = {n: template.texts[n] for n in template.protected if n.endswith(".py")}
    source = template.texts[template.script]
    assert old in source
    assert touches_data(source, source.replace(old, new, 1), protected)


def test_a_study_says_that_a_change_of_the_data_is_not_comparable(make_lab: MakeLab) -> None:
    data = '"""Protected: where the points of training are."""\n\nTRAINING = [1.0, 2.0]\n'
    script = FILES["experiment.py"].replace("import evaluate\n", "import evaluate\nimport points\n")
    script = script.replace("print(", "shown = points.TRAINING\n    print(len(shown), ")
    declaration = DECLARATION.replace(
        'protected = ["evaluate.py"]', 'protected = ["evaluate.py", "points.py"]'
    )
    lab = make_lab({"points.py": data, "experiment.py": script, "template.toml": declaration})
    lab.replies = edits(replacing("    shown = points.TRAINING", "    shown = points.TRAINING[:1]"))
    results = lab.run(change())
    (made,) = results.comparisons
    assert made.verdict == "not comparable"
    assert made.reason.startswith("the change touches how the data are made or split: ")
    assert not run_of(results, "run_1").comparable


def test_a_new_file_that_uses_the_data_is_seen_too(lab: Lab) -> None:
    helper = (
        "helper.py\n```python\nimport evaluate\n\nERROR = evaluate.error([0.0, 1.9], [[1.0, 2.0]])\n```\n"
    )
    lab.replies = edits(helper)
    results = lab.run(change())
    assert "helper" not in results.comparisons[0].reason
    assert results.comparisons[0].verdict == "not comparable"


def test_an_edit_of_a_declared_function_is_comparable(lab: Lab) -> None:
    results = lab.run(change())
    assert run_of(results, "run_1").comparable
    assert results.comparisons[0].verdict == "better"
    assert mean_of(results, "run_1") < mean_of(results, "run_0")


@pytest.mark.parametrize(
    "text", ["x = " + "+".join(["a"] * n) for n in (300, 900, 3000)] + ["x = " + "-" * 150 + "1", "\n"]
)
def test_expressions_that_are_very_long_are_judged_or_said_to_be_too_deep(text: str) -> None:
    """A long sum ended the study with a RecursionError."""
    source = f"import tasks\ny = tasks.table({text[4:] or 1})\nfinal_info = y\n"
    try:
        for why in (touches_data(source, "", PROTECTED), touches_metric(source, "", {"loss"})):
            assert why
    except SyntaxError:
        return


LINES = st.sampled_from(
    [*GROKS.splitlines(), "lambda tasks: tasks", "for x, tasks[0] in tasks: pass", "with tasks: pass"]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(LINES, max_size=8).map("\n".join) | st.text(max_size=60))
def test_no_source_raises_anything_but_a_syntax_error(source: str) -> None:
    try:
        assert touches_data(source, source, PROTECTED) == ""
        touches_data(GROKS, source, PROTECTED)
        touches_metric(GROKS, source, {"loss"})
    except SyntaxError:
        return


# -- metrics in the editable file ----------------------------------------------------------------------

BATCHES = """
import numpy as np

def get_batch(split):
    return TRAIN if split == "train" else HELD_OUT

def estimate_loss(model):
    return model(get_batch("held_out"))

def forward(model):
    return model

def main():
    model = forward(1)
    loss = estimate_loss(model)
    final_info = {"d": {"means": {"loss": np.mean(loss)}}}
"""


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ('TRAIN if split == "train" else HELD_OUT', "TRAIN", True),
        ("    model = forward(1)", "    model = forward(1)\n    np.mean = min", True),
        ("    model = forward(1)", "    model = forward(1)\n    model.evaluate = min", True),
        ("    model = forward(1)", "    model = forward(1)\n    setattr(np, 'mean', min)", True),
        ("    model = forward(1)", "    model = forward(1)\n    np.flag = True", False),
        ("    return model\n", "    return 2 * model\n", False),
    ],
)
def test_what_a_measuring_function_calls_belongs_to_the_metric(old: str, new: str, touched: bool) -> None:
    """Failures B S 4: a split that gives training data under both names, a mean that is none."""
    assert old in BATCHES
    assert bool(touches_metric(BATCHES, BATCHES.replace(old, new, 1), {"loss"})) is touched


def test_a_function_that_the_template_declares_is_there_to_be_changed() -> None:
    changed = CODE.replace("sum(model) / 3", "sum(model) / 4")
    assert touches_metric(CODE, changed, {"loss"})
    assert touches_metric(CODE, changed, {"loss"}, {"evaluate"}) == ""


def test_the_function_that_a_lab_rewrites_is_no_data(lab: Lab) -> None:
    lab.replies = edits(replacing(FIT, "    return [0.0, 1.5]"))
    assert run_of(lab.run(change()), "run_1").not_comparable == ""
