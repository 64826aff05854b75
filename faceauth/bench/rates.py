"""Rates that cannot be told without their number of trials and their interval (R3)."""

import math
from dataclasses import dataclass
from functools import lru_cache

from faceauth.errors import InvalidRequest

CONFIDENCE = 0.95
"""Of every interval here."""

_PRECISION = 1e-10
"""Of a limit, relative to itself."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many events in so many trials.

    Its text always holds the trials and the 95 % interval, and no format makes a bare percentage of it.

    Raises:
        InvalidRequest: There are no trials, or more events than trials.
    """

    events: int
    trials: int

    def __post_init__(self) -> None:
        if self.trials < 1 or not 0 <= self.events <= self.trials:
            raise InvalidRequest(f"{self.events} of {self.trials} is no rate; more data is needed.")

    @property
    def value(self) -> float:
        """The share itself, to calculate with; to be told, take the text or `as_json`."""
        return self.events / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval; see `clopper_pearson`."""
        return clopper_pearson(self.events, self.trials)

    @property
    def complement(self) -> "Rate":
        """The trials without the event: a FNMR's complement is the TAR."""
        return Rate(self.trials - self.events, self.trials)

    def as_json(self) -> dict[str, float | int]:
        """Return the rate as a report holds it."""
        low, high = self.interval
        return {"rate": self.value, "low": low, "high": high, "events": self.events, "trials": self.trials}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{_short(self.value)} [{_short(low)}, {_short(high)}] ({self.events:,} of {self.trials:,})"

    def __format__(self, spec: str) -> str:
        if any(sign in spec for sign in "%efg"):
            raise ValueError("A rate is told with its trials and its interval (R3); use its text.")
        return format(str(self), spec)


@lru_cache(maxsize=1024)
def clopper_pearson(events: int, trials: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate.

    Source: Clopper and Pearson, Biometrika 26 (1934); for none or all, the one-sided limit that ISO/IEC 19795-1
    calls the rule of 3. It takes trials for independent. Comparisons that share a picture or a person are not, so
    for all-against-all comparisons the true interval is wider.
    """
    if events == 0:
        return 0.0, min(1.0, 3 / trials)
    if events == trials:
        return max(0.0, 1 - 3 / trials), 1.0
    tail = (1 - CONFIDENCE) / 2
    low = _quantile(tail, events, trials - events + 1)
    high = _quantile(1 - tail, events + 1, trials - events)
    return low, high


def comparisons_needed(fmr: float) -> int:
    """Return how many comparisons a claim of `fmr` needs: the rule of 3 turned round."""
    return math.ceil(3 / fmr)


def _quantile(share: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = share, by bisection."""
    low, high = 0.0, 1.0
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if _incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0 < x < 1.

    Source: NIST Digital Library of Mathematical Functions, 8.17.4 and 8.17.22 (continued fraction).
    """
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front / a * _fraction(x, a, b)
    return 1 - front / b * _fraction(1 - x, b, a)


def _fraction(x: float, a: float, b: float) -> float:
    """Evaluate 1/(1 + d₁/(1 + d₂/(1 + …))) by the modified Lentz method."""
    tiny = 1e-300
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _off_zero(1 + term * d, tiny)
            c = _off_zero(1 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value


def _off_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def _short(value: float) -> str:
    if value == 0 or value >= 0.1:
        return f"{value:.4f}"
    return f"{value:.5f}" if value >= 1e-3 else f"{value:.2e}"
