"""Every constant of the Rhythm Market, in one place."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CAUSES = ("rhythm", "chain", "taste", "noise")  # the codes 0…3 of `Market.causes`
RHYTHM, CHAIN, TASTE, NOISE = range(4)
LONGEST_PERIOD = 28
MOST_RHYTHMS = 3
MOST_SUCCESSORS = 4


def _period_weights() -> tuple[float, ...]:
    """Periods of 3, 5, 7 and 10 days, two and four weeks are likelier; any period may occur."""
    favoured = {2: 3, 3: 11, 4: 7, 5: 14, 6: 5, 7: 26, 8: 3, 10: 12, 14: 9, 21: 3, 28: 5}
    weights = [favoured.get(period, 0.4) for period in range(2, LONGEST_PERIOD + 1)]
    return tuple(weight / sum(weights) for weight in weights)


@dataclass(frozen=True)
class MarketSettings:
    """Constants of the shop and its customers. One purchase a day: a position in a history is a day. The probabilities
    that an item is followed by another are in chains.csv.
    """

    seed: int = 2505
    customers: int = 20_000
    shortest: int = 100  # days
    longest: int = 200

    # who is held out; `by_user` draws them, so a world's [data] settings must say the same
    validation_share: float = 0.1
    test_share: float = 0.1
    first_target: int = 28
    split_seed: int = 0

    # rhythms
    rhythm_counts: tuple[float, ...] = (0.08, 0.22, 0.34, 0.36)  # probability of 0, 1, 2, 3 standing items
    period_weights: tuple[float, ...] = _period_weights()  # of periods 2…28
    slip: float = 0.03  # an occurrence comes a day early, and with the same probability a day late
    miss: float = 0.05  # or does not occur

    # of a day without a rhythm or a follow-up
    taste_share: float = 0.8  # the rest is noise
    interest_weights: tuple[float, float] = (0.7, 0.3)  # of a customer's first and second interest
    interest_shift: float = 0.012  # probability a day that a new interest comes first and the first becomes second

    # the shop
    catalogue_share: float = 1.0  # of the items of each kind, the best sellers first; at least one of each stays
    chain_strength: float = 1.0  # what the follow-up probabilities of chains.csv are multiplied by; none exceeds .95
    popularity_exponent: float = 0.7  # the k-th item of a kind sells k^-exponent times as well as the first
    follow_up_shares: tuple[tuple[float, ...], ...] = (
        (0.6, 0.25, 0.15),
        (0.6, 0.2, 0.12, 0.08),
    )  # of an item's successors
    arrivals_from: int = 84  # the day on which held-out customers first see the new arrivals

    def __post_init__(self) -> None:
        for name in ("slip", "miss", "taste_share", "interest_shift"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")
        if self.slip > 0.5:
            raise ValueError("slip must not exceed 0.5: an occurrence slips to one side or the other")
        if not 0 < self.catalogue_share <= 1:
            raise ValueError("catalogue_share must be above 0 and at most 1")
        if not 0 <= self.chain_strength < float("inf"):
            raise ValueError("chain_strength must be a number from 0 up")
        if not abs(self.popularity_exponent) < float("inf"):
            raise ValueError("popularity_exponent must be a finite number")
        if not (min(self.validation_share, self.test_share) >= 0 and self.validation_share + self.test_share < 1):
            raise ValueError("validation_share and test_share must not be negative, and leave customers to learn from")
        if min(self.seed, self.split_seed) < 0:
            raise ValueError("seeds must not be negative")
        self._check_lengths()
        if min(*self.rhythm_counts, *self.period_weights, *self.interest_weights) < 0:
            raise ValueError("probabilities must not be negative")
        if self.customers < 1:
            raise ValueError("there must be at least one customer")
        for name in ("rhythm_counts", "period_weights", "interest_weights"):
            if abs(sum(getattr(self, name)) - 1) > 1e-9:
                raise ValueError(f"{name} must sum to 1")
        if len(self.period_weights) != LONGEST_PERIOD - 1:
            raise ValueError(f"period_weights must cover the periods 2…{LONGEST_PERIOD}")
        if not 0 < self.first_target < self.shortest <= self.longest:
            raise ValueError("first_target must come before shortest, and shortest not after longest")

    def _check_lengths(self) -> None:
        """Of what has a place for each possible number: with more, customers and oracles would not agree."""
        if len(self.rhythm_counts) != MOST_RHYTHMS + 1:
            raise ValueError(f"rhythm_counts must have the probabilities of 0…{MOST_RHYTHMS} standing items")
        if len(self.interest_weights) != 2:
            raise ValueError("interest_weights must have two weights")
        for shares in self.follow_up_shares:
            fits = isinstance(shares, tuple) and 1 <= len(shares) <= MOST_SUCCESSORS
            if not (fits and all(0 < share < float("inf") for share in shares)):
                raise ValueError(f"follow_up_shares must be lists of 1 to {MOST_SUCCESSORS} shares above 0")
        if not self.follow_up_shares:
            raise ValueError("follow_up_shares must have at least one list of shares")

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "MarketSettings":
        """Settings from JSON or TOML, where tuples have become lists; what is not named is the default."""

        def frozen(value: Any) -> Any:
            return tuple(frozen(part) for part in value) if isinstance(value, list) else value

        return cls(**{name: frozen(value) for name, value in values.items()})

    def to_json(self) -> str:
        """The settings as text: equal settings give equal text."""
        return json.dumps(asdict(self))


DEFAULT = MarketSettings()
