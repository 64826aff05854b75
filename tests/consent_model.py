"""The rules of consent once more, as plainly as they can be written: a test holds the service to them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAYS = {"login": 365, "door": 30}
"""The scenarios, and the days that a consent to each counts."""


@dataclass
class Consent:
    """What the model knows of a consent that was given and not ended."""

    serial: int
    version: int
    until: datetime
    used: datetime
    enrolled: bool = False


@dataclass
class Model:
    """One person, the scenarios, and what was asked; `asked` has the campaigns that wait for a yes."""

    live: dict[str, Consent] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    material: dict[str, list[tuple[int, datetime]]] = field(default_factory=lambda: {name: [] for name in DAYS})
    published: dict[str, dict[int, datetime]] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in DAYS})
    campaigns: dict[str, datetime] = field(default_factory=dict)
    restricted: bool = False
    account: bool = False
    serials: int = 0

    def allows(self, scenario: str, now: datetime) -> bool:
        """R29, R33, R34: given or renewed, not over, to what is in force, for a purpose that is there."""
        consent = self.live.get(scenario)
        return (
            consent is not None
            and scenario not in self.retired
            and not self.asked[scenario]
            and not self.restricted
            and now < consent.until
            and not any(version > consent.version and since <= now for version, since in self.material[scenario])
        )

    def end(self, scenario: str) -> None:
        """A consent is over, and with it the question about it."""
        self.live.pop(scenario, None)
        self.asked[scenario].clear()

    def due(self, now: datetime) -> set[str]:
        """R39: what a run of the retention has to end."""
        return {
            scenario
            for scenario, consent in self.live.items()
            if scenario in self.retired or consent.until <= now or consent.used + timedelta(days=365) <= now
        }
