"""A stochastic SEIR epidemic in a town with three age groups, and the measures against it.

    python experiment.py --out_dir run_0 --seeds 0 1 2 3 4

writes `outputs.npz` (the daily state of every seed), `series.jsonl` (curves) and, by `evaluate.py`,
`final_info.json` (the metrics). The functions from `contact_multiplier` to `transmission_factor` are the
policy and the disease: they are what a study changes. The rest simulates.
"""

import argparse
import json
import math
import random
from pathlib import Path

import numpy as np

import evaluate

GROUPS = ("children", "adults", "elders")
SHARES = np.array([0.22, 0.58, 0.20])
# Contacts a day of one person of the row's group with people of the column's group; contacts are mutual, so
# share[i] * CONTACTS[i, j] == share[j] * CONTACTS[j, i].
UPPER = {(0, 0): 8.0, (0, 1): 5.0, (0, 2): 0.8, (1, 1): 8.0, (1, 2): 1.2, (2, 2): 2.0}
CONTACTS = np.array(
    [[UPPER[i, j] if i <= j else UPPER[j, i] * SHARES[j] / SHARES[i] for j in range(3)] for i in range(3)]
)


def contact_multiplier(day, prevalence, params):
    """Share of normal contacts that people still have on this day, from 0 to 1.

    day counts from 0; prevalence is the share of the town that is infectious today.
    """
    end = params.reduction_start + params.reduction_days
    if params.reduction_start <= day < end:
        return 1.0 - params.reduction
    return 1.0


def isolation_fraction(day, prevalence, params):
    """Share of the infectious people who stay at home and infect nobody on this day, from 0 to 1."""
    return params.isolation


def vaccination_weight(day, group, params):
    """Priority of an age group for the vaccine doses of this day, 0 or more.

    group is "children", "adults" or "elders"; doses are shared in proportion to weight times group size.
    """
    if params.vaccination_target == "all" or params.vaccination_target == group:
        return 1.0
    return 0.0


def vaccination_rate(day, params):
    """Vaccine doses given on this day, as a share of the whole town, from 0 to 1."""
    if day < params.vaccination_start:
        return 0.0
    return params.vaccination_daily


def infection_probability(force, params):
    """Probability that a susceptible person is infected within a day.

    force is the expected number of infectious contacts of that person on that day, 0 or more.
    """
    return 1.0 - math.exp(-force)


def transmission_factor(day, params):
    """Factor on transmission for the season, 0 or more; 1 is the yearly mean."""
    return 1.0 + params.seasonality * math.cos(2.0 * math.pi * day / 365.0)


def bounded(value, name, day, upper=1.0):
    """`value` when it is a number from 0 to `upper`; a policy that leaves its range stops the run."""
    number = float(value)
    if not 0.0 <= number <= upper:
        raise ValueError(f"{name} returned {number} on day {day}; it must be between 0 and {upper}")
    return number


def transmission_matrix(params):
    """Infectious contacts a day, [susceptible group, infectious group], scaled so that R0 is as asked for."""
    contacts = CONTACTS
    if params.mixing == "proportionate":
        activity = CONTACTS.sum(axis=1)
        contacts = np.outer(activity, activity * SHARES) / (activity @ SHARES)
    largest = np.abs(np.linalg.eigvals(contacts)).max()
    return params.r0 / (params.infectious_days * largest) * contacts


def doses_by_group(day, people, params):
    """Expected vaccine doses of each group on `day`."""
    weights = np.array([bounded(vaccination_weight(day, g, params), "vaccination_weight", day, 1e6) for g in GROUPS])
    weights = weights * people
    doses = bounded(vaccination_rate(day, params), "vaccination_rate", day) * people.sum()
    return doses * weights / weights.sum() if weights.sum() > 0 else np.zeros(3)


def simulate(seed, params):
    """One epidemic: a dict of arrays [day, group], one row more than `params.days` for the states."""
    random.seed(seed)  # these two for changes of the code that use them
    np.random.seed(seed)
    rng = np.random.default_rng(seed)
    matrix = transmission_matrix(params)
    people = rng.multinomial(params.population, SHARES)
    # Chances to leave a state within a day, so that the mean stay in it is as asked for.
    leave_exposed, leave_infectious = 1.0 / params.latent_days, 1.0 / params.infectious_days
    infectious = rng.multivariate_hypergeometric(people, params.initial_infected)
    susceptible, exposed, removed = people - infectious, np.zeros(3, int), np.zeros(3, int)
    vaccinated = np.zeros(3, int)
    states = [(susceptible, exposed, infectious, removed, vaccinated)]
    new_infections, multipliers = [], []
    for day in range(params.days):
        prevalence = float(infectious.sum() / params.population)
        contacts = bounded(contact_multiplier(day, prevalence, params), "contact_multiplier", day)
        isolated = bounded(isolation_fraction(day, prevalence, params), "isolation_fraction", day)
        season = bounded(transmission_factor(day, params), "transmission_factor", day, 10.0)
        force = season * contacts * (1.0 - isolated) * matrix @ (infectious / people)
        chance = [bounded(infection_probability(f, params), "infection_probability", day) for f in force]
        infected = rng.binomial(susceptible, chance)
        onset = rng.binomial(exposed, leave_exposed)
        recovered = rng.binomial(infectious, leave_infectious)
        # A dose reaches a person at random, and so only in part one who can still be infected.
        dose_chance = np.minimum(doses_by_group(day, people, params) * params.vaccine_efficacy / people, 1.0)
        immunised = rng.binomial(susceptible - infected, dose_chance)
        susceptible = susceptible - infected - immunised
        exposed = exposed + infected - onset
        infectious = infectious + onset - recovered
        removed, vaccinated = removed + recovered, vaccinated + immunised
        states.append((susceptible, exposed, infectious, removed, vaccinated))
        new_infections.append(infected)
        multipliers.append(contacts)
    names = ("susceptible", "exposed", "infectious", "removed", "vaccinated")
    arrays = {name: np.array([state[i] for state in states]) for i, name in enumerate(names)}
    return arrays | {"new_infections": np.array(new_infections), "contact_multiplier": np.array(multipliers)}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--population", type=int, default=10000)
    parser.add_argument("--days", type=int, default=240)
    parser.add_argument("--initial_infected", type=int, default=20)
    parser.add_argument("--r0", type=float, default=2.4)
    parser.add_argument("--latent_days", type=float, default=3.0)
    parser.add_argument("--infectious_days", type=float, default=5.0)
    parser.add_argument("--reduction", type=float, default=0.25)
    parser.add_argument("--reduction_start", type=int, default=20)
    parser.add_argument("--reduction_days", type=int, default=60)
    parser.add_argument("--isolation", type=float, default=0.1)
    parser.add_argument("--vaccination_daily", type=float, default=0.001)
    parser.add_argument("--vaccination_start", type=int, default=20)
    parser.add_argument("--vaccination_target", choices=("all", *GROUPS), default="all")
    parser.add_argument("--vaccine_efficacy", type=float, default=0.9)
    parser.add_argument("--seasonality", type=float, default=0.0)
    parser.add_argument("--mixing", choices=("age", "proportionate"), default="age")
    return parser.parse_args()


def main():
    """Simulate every seed, save the outputs, and evaluate them."""
    params = arguments()
    params.out_dir.mkdir(parents=True, exist_ok=True)
    with (params.out_dir / "series.jsonl").open("w") as series:
        runs = []
        for seed in params.seeds:
            run = simulate(seed, params)
            for name in ("infectious", "new_infections"):
                for day, people in enumerate(run[name].sum(axis=1).tolist()):
                    series.write(json.dumps({"step": day, "name": name, "value": people, "seed": seed}) + "\n")
            runs.append(run)
            print(f"seed {seed}: {run['new_infections'].sum()} infections", flush=True)
    stacked = {name: np.stack([run[name] for run in runs]) for name in runs[0]}
    np.savez_compressed(params.out_dir / "outputs.npz", seeds=np.array(params.seeds), **stacked)
    evaluate.write_final_info(params.out_dir)


if __name__ == "__main__":
    main()
