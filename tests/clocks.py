"""A clock that tests turn by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """Stands still until it is told otherwise."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Move on, or back when negative."""
        self.now += timedelta(seconds=seconds)
