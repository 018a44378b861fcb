"""The experiment: estimate the mean of a noisy quantity. Put your own in its place.

    python experiment.py --out_dir run_0 --seeds 0 1 2

writes `outputs.json` (what `evaluate.py` measures), `series.jsonl` (curves) and `final_info.json` (the metrics).
"""

import argparse
import json
import random
from pathlib import Path

import evaluate


def estimate(sample, params):
    """The estimate of the true value from a list of noisy measurements."""
    return sum(sample) / len(sample)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--measurements", type=int, default=20)
    params = parser.parse_args()
    params.out_dir.mkdir(parents=True, exist_ok=True)
    estimates = {}
    with (params.out_dir / "series.jsonl").open("w") as series:
        for seed in params.seeds:
            random.seed(seed)  # every source of chance that the code below may use
            sample = [random.gauss(evaluate.TRUTH, 1.0) for _ in range(params.measurements)]
            for step in range(1, len(sample) + 1):
                row = {"step": step, "name": "estimate", "value": estimate(sample[:step], params), "seed": seed}
                series.write(json.dumps(row) + "\n")
            estimates[str(seed)] = estimate(sample, params)
    (params.out_dir / "outputs.json").write_text(json.dumps(estimates))
    evaluate.write_final_info(params.out_dir)


if __name__ == "__main__":
    main()
