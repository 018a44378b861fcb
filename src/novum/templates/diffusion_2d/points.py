"""The four sets of points, for training and held out. Protected: a study cannot change this file.

Each is a curve in the plane with a little noise across it, centred, with a spread of about one.
"""

import numpy as np

SETS = ("circle", "line", "moons", "dinosaur")
TRAINING, HELD_OUT = 1, 2

# A long-necked dinosaur, drawn on a grid of 100 by 55: along its back from nose to tail, then below from tail to jaw.
DINOSAUR = np.array(
    [
        *[(96, 50), (94, 53), (89, 55), (85, 54), (82, 50), (79, 44), (75, 38), (69, 34)],  # head and neck
        *[(60, 36), (50, 38), (40, 37), (31, 33), (22, 28), (13, 22), (6, 17), (0, 14)],  # back and tail
        *[(7, 13), (15, 15), (24, 19), (30, 20), (32, 14), (31, 7), (30, 0), (38, 0), (39, 7), (42, 14)],  # hind leg
        *[(48, 13), (55, 13), (60, 14), (61, 8), (60, 0), (68, 0), (69, 8), (72, 17)],  # belly and foreleg
        *[(77, 24), (82, 32), (86, 40), (88, 46), (92, 47), (96, 50)],  # throat and jaw
    ],
    dtype=float,
)


def circle(count, rng):
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    return 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0.0, 0.05, (count, 2))


def line(count, rng):
    place = rng.uniform(-1.8, 1.8, count)
    return np.stack([place, 0.5 * place], axis=1) + rng.normal(0.0, 0.05, (count, 2))


def moons(count, rng):
    angle, upper = rng.uniform(0.0, np.pi, count), rng.random(count) < 0.5
    x = np.where(upper, np.cos(angle) - 0.5, 0.5 - np.cos(angle))
    y = np.where(upper, np.sin(angle) - 0.25, 0.25 - np.sin(angle))
    return 1.2 * np.stack([x, y], axis=1) + rng.normal(0.0, 0.05, (count, 2))


def dinosaur(count, rng):
    """Points along the outline, evenly by length."""
    pieces = np.diff(DINOSAUR, axis=0)
    ends = np.cumsum(np.hypot(*pieces.T))
    place = rng.uniform(0.0, ends[-1], count)
    piece = np.searchsorted(ends, place)
    share = 1.0 - (ends[piece] - place) / np.hypot(*pieces[piece].T)
    outline = DINOSAUR[piece] + share[:, None] * pieces[piece]
    return (outline - [50.0, 27.0]) / 25.0 + rng.normal(0.0, 0.03, (count, 2))


def draw(count, seed, part):
    """`count` points of every set, [set, point, 2]; nothing but the seed and the part decides which."""
    shapes = (circle, line, moons, dinosaur)
    return np.stack([shape(count, np.random.default_rng([seed, part, n])) for n, shape in enumerate(shapes)])
