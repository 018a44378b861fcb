"""The metrics of a run, computed from its saved outputs. Protected: a study cannot change this file."""

import argparse
import json
from pathlib import Path

DATASET = "measurements"
TRUTH = 3.0


def write_final_info(out_dir):
    """Read `outputs.json` in `out_dir` and write `final_info.json` there."""
    estimates = json.loads((Path(out_dir) / "outputs.json").read_text())
    values = {"error": [abs(float(e) - TRUTH) for e in estimates.values()]}
    means = {name: sum(v) / len(v) for name, v in values.items()}
    info = {"means": means, "stderrs": {}, "final_info_dict": values, "values": values}
    info |= {"seeds": [int(seed) for seed in estimates], "data": {"truth": TRUTH}}
    (Path(out_dir) / "final_info.json").write_text(json.dumps({DATASET: info}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out_dir", type=Path, required=True)
    write_final_info(parser.parse_args().out_dir)
