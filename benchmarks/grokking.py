"""What it is worth to train `grokking` on whole tensors: steps per second against a loader that yields examples.

    python benchmarks/grokking.py [--torch PYTHON] [--steps 100] [--repeats 5]

The same network, optimiser, data and batch size in both; only the data's way to the network differs: tensors that lie
on the device, or an `IterableDataset` that draws and encodes one example at a time in Python, collated by a
`DataLoader`. The two take turns in one process; the ratio is of the medians. Bound: at least 3 with the template's own
batch, the whole training set, and all cores of the machine. Shown besides: a batch of 256, and one thread, which the
template uses so that sums are taken in one order; there the arithmetic of a step, equal in both, weighs more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from novum.template import load_template
from novum.template.installing import template_python

TEMPLATE = Path(__file__).resolve().parent.parent / "src" / "novum" / "templates" / "grokking"
BOUND = 3.0
PROGRAM = '''
import json, random, statistics, sys, time
import torch
from torch.utils.data import DataLoader, IterableDataset
sys.path.insert(0, sys.argv[1])
steps, repeats, batch, threads = map(int, sys.argv[2:6])
sys.argv = ["experiment.py"]
import experiment, tasks

params = experiment.arguments()
left, right, result, symbols = tasks.table(params.operation, params.modulus)
mask = tasks.training_mask(len(result), params.train_fraction, 0)
entries = [(int(a), int(b), int(c)) for a, b, c in zip(left[mask], right[mask], result[mask])]
size = batch or len(entries)
code = {str(symbol): symbol for symbol in range(symbols)} | {"=": symbols}

class Examples(IterableDataset):
    """One example at a time, drawn at random and encoded symbol by symbol, for ever."""
    def __iter__(self):
        while True:
            left, right, result = random.choice(entries)
            tokens = [code[symbol] for symbol in (str(left), str(right), "=")]
            yield torch.tensor(tokens), torch.tensor(code[str(result)])

def whole_tensors():
    tokens = torch.tensor([(left, right, symbols) for left, right, _ in entries])
    targets = torch.tensor([result for _, _, result in entries])
    order = experiment.batches(len(entries), batch, torch.Generator().manual_seed(0), torch.device("cpu"))
    while True:
        chosen = next(order)
        yield tokens[chosen], targets[chosen]

def steps_per_second(batches):
    torch.manual_seed(0)
    model = experiment.new_model(symbols, params)[0]
    experiment.initialise(model, params)
    optimiser = torch.optim.AdamW(model.parameters(), lr=params.learning_rate, betas=(0.9, 0.98), fused=True)
    start = None
    for step in range(-10, steps):
        if step == 0:
            start = time.perf_counter()
        tokens, targets = next(batches)
        optimiser.zero_grad(set_to_none=True)
        experiment.loss_function(model(tokens), targets, params).backward()
        optimiser.step()
    return steps / (time.perf_counter() - start)

torch.set_num_threads(threads)
found = {"whole tensors": [], "one at a time": []}
for _ in range(repeats):
    found["whole tensors"].append(steps_per_second(whole_tensors()))
    found["one at a time"].append(steps_per_second(iter(DataLoader(Examples(), batch_size=size))))
print(json.dumps({"batch": size} | {name: statistics.median(values) for name, values in found.items()}))
'''


def main() -> int:
    """Print steps per second of both and their ratio; 1 when a bound does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--torch", help="a Python that has torch; the template's own by default.")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    torch = chosen.torch or template_python(load_template("grokking"))
    cores = len(os.sched_getaffinity(0))
    ok = True
    for batch, threads in ((0, cores), (0, 1), (256, cores)):
        command = [torch, "-c", PROGRAM, TEMPLATE, chosen.steps, chosen.repeats, batch, threads]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return 1
        found = json.loads(done.stdout)
        fast, slow = found["whole tensors"], found["one at a time"]
        judged = batch == 0 and threads == cores
        ok = ok and (not judged or fast >= BOUND * slow)
        print(
            f"batch {found['batch']}, {threads} thread(s): {fast:.0f} steps/s on whole tensors, "
            f"{slow:.0f} one example at a time, ratio {fast / slow:.1f}"
            + (f" (bound {BOUND:g}: {'ok' if fast >= BOUND * slow else 'BELOW'})" if judged else "")
        )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
