"""How many orders to expect of a customer whose gaps are Erlang, given that they are alive.

An order comes at every k-th event. The events since the last order and those within the horizon are random numbers
whose distribution is known, and the number of orders is their sum over k, rounded down, cut short by the dropout.
"""

import cmath
import math

import numpy as np

from churnkit.models.histories import FloatArray


def orders_if_alive(
    k: int,
    r: float,
    alpha: float,
    p: FloatArray,
    weight: FloatArray,
    history: tuple[FloatArray, FloatArray, FloatArray],
    horizon: float,
) -> FloatArray:
    """Expected orders of an alive customer: the mean of (1 - (1 - p) ** whole(M / k)) / p.

    M is the number of events in the horizon and of those since the last order. As a function of M the power is a
    geometric series times a factor of period k, hence a sum over the k-th roots of unity of geometric series; the mean
    of each over the negative binomial number of events is a power. The mean over p is taken by quadrature.
    """
    x, t_x, T = history
    n, h, z = (r + k * x)[:, None], (horizon / (alpha + T))[:, None], ((T - t_x) / (alpha + T))[:, None]
    waiting = np.ones((k, len(x)))
    for j in range(1, k):
        waiting[j] = waiting[j - 1] * (n[:, 0] + (j - 1)) * z[:, 0] / j
    waiting = waiting / waiting.sum(axis=0)
    p = np.clip(p, 1e-7, 1 - 1e-7)
    root = np.exp(np.log1p(-p) / k)
    power = np.zeros_like(p)
    for turn in range(k // 2 + 1):  # the roots come in conjugate pairs: the other half gives the same real part
        unit = cmath.exp(2j * math.pi * turn / k)
        geometric = root * unit
        stays = 1 + (1 - geometric) * h
        per_event = geometric / stays
        mean = waiting[-1][:, None] * np.ones_like(per_event)
        for j in range(k - 2, -1, -1):
            mean = mean * per_event + waiting[j][:, None]
        share = (1 - 1 / (1 - p)) / (1 - 1 / geometric) / k if k > 1 else 1.0
        pair = 1.0 if turn in (0, k / 2) else 2.0
        power += pair * np.real(share * mean * np.exp(-n * np.log(stays)))
    return np.asarray((weight * (1 - power) / p).sum(axis=1))
