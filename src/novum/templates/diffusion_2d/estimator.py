"""An estimate of the Kullback-Leibler divergence from samples. Protected: a study cannot change this file."""

import numpy as np


def distance_to_neighbour(points, others, k):
    """The distance of each point to the k-th nearest of the others, [point]."""
    found = []
    for part in np.array_split(points, max(1, len(points) * len(others) // 4_000_000)):
        # Differences, not the cheaper expansion of the square: points of one curve can be very near.
        squares = sum((part[:, None, axis] - others[None, :, axis]) ** 2 for axis in range(points.shape[1]))
        found.append(np.partition(squares, k - 1, axis=1)[:, k - 1])
    return np.sqrt(np.concatenate(found))


def kl_divergence(x, y, k=5):
    """D(P || Q) in nats from samples x of P and y of Q, both [sample, dimension].

    The k-nearest-neighbour estimator of Wang, Kulkarni and Verdu (IEEE Trans. Inform. Theory, 2009): the distance
    to the k-th neighbour among the y against that among the other x. It is near zero for two samples of the same
    distribution, and noise can make it negative.
    """
    among_own = distance_to_neighbour(x, x, k + 1)  # the nearest is the point itself
    among_other = distance_to_neighbour(x, y, k)
    ratio = np.log(np.maximum(among_other, 1e-12)) - np.log(np.maximum(among_own, 1e-12))
    return float(x.shape[1] * ratio.mean() + np.log(len(y) / (len(x) - 1)))
