"""The customers: standing items with their rhythms, and the length of each history."""

from dataclasses import dataclass

import numpy as np

from m2rec.data.market.settings import MOST_RHYTHMS
from m2rec.data.market.shop.shop import Shop
from m2rec.data.sequences import Sequences
from m2rec.data.split import Split, by_user

TRAINING, VALIDATION, TEST = range(3)  # the codes of `Customers.roles`


@dataclass(frozen=True)
class Customers:
    """U customers. A rhythm's nominal days are phase + n · period for every integer n, 0 is the first day seen.

    A customer's rhythms come by falling period, the unused places last (item 0, period 0); their items differ.
    """

    lengths: np.ndarray  # int64 (U,) days
    roles: np.ndarray  # int8 (U,) TRAINING, VALIDATION or TEST
    rhythm_items: np.ndarray  # int64 (U, 3)
    rhythm_periods: np.ndarray  # int64 (U, 3)
    rhythm_phases: np.ndarray  # int64 (U, 3) 0…period - 1

    def __getitem__(self, rows: np.ndarray) -> "Customers":
        """Some of the customers."""
        return Customers(**{name: values[rows] for name, values in vars(self).items()})

    def __len__(self) -> int:
        return len(self.lengths)


def draw_customers(shop: Shop, random: np.random.Generator) -> Customers:
    """Customers of this shop, drawn independently of each other, except for who is held out."""
    settings, n = shop.settings, shop.settings.customers
    lengths = settings.shortest + (random.random(n) * (settings.longest - settings.shortest + 1)).astype(np.int64)
    counts = pick(np.array(settings.rhythm_counts), random.random(n))
    used = np.arange(MOST_RHYTHMS) < counts[:, None]

    periods = np.where(used, pick(np.array(settings.period_weights), random.random(used.shape)) + 2, 0)
    periods = -np.sort(-periods, axis=1)
    phases = (random.random(used.shape) * periods).astype(np.int64)
    items = np.zeros(used.shape, dtype=np.int64)
    for place in range(MOST_RHYTHMS):
        waiting = used[:, place]
        while waiting.any():  # drawn again where the customer has the item already
            items[waiting, place] = pick(shop.standing, random.random(n))[waiting]
            waiting = (items[:, place, None] == items[:, :place]).any(axis=1) & used[:, place]
    return Customers(lengths, _roles(shop, lengths), items, periods, phases)


def split(shop: Shop, lengths: np.ndarray) -> Split:
    """Training customers entirely, and every day from `first_target` on of the others."""
    settings = shop.settings
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return by_user(
        Sequences(np.ones(offsets[-1], dtype=np.int32), offsets),
        validation_share=settings.validation_share,
        test_share=settings.test_share,
        first_target=settings.first_target,
        seed=settings.split_seed,
    )


def pick(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Indices drawn by weight, one for each number in [0, 1) of `uniform`; its shape."""
    cumulative = np.cumsum(weights)
    return np.searchsorted(cumulative, uniform * cumulative[-1], side="right")


def _roles(shop: Shop, lengths: np.ndarray) -> np.ndarray:
    parts = split(shop, lengths)
    roles = np.full(len(lengths), TRAINING, dtype=np.int8)
    roles[parts.validation_from < parts.validation_to] = VALIDATION
    roles[parts.test_from < parts.test_to] = TEST
    return roles
