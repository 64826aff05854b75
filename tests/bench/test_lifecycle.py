"""`faceauth bench lifecycle`: real withdrawals, a real rotation and a real log, only smaller."""

from pathlib import Path

import pytest

from faceauth.bench.lifecycle import measure_audit, measure_campaign, measure_rotation, measure_withdrawals
from faceauth.settings import Settings


@pytest.fixture
def settings(models_dir: Path, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "unused", models_dir=models_dir)


def _quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def test_a_withdrawal_is_unusable_before_it_is_gone(settings: Settings) -> None:
    """R40: the first commit denies; the answer comes when everything is erased."""
    found = measure_withdrawals(settings, 20, 3, progress=_quiet)
    assert len(found.unusable) == len(found.gone) == 3
    assert all(0 < unusable < gone for unusable, gone in zip(found.unusable, found.gone, strict=True))
    assert found.as_json()["people"] == 20


def test_every_key_is_rotated(settings: Settings) -> None:
    """R45."""
    found = measure_rotation(settings, 20, progress=_quiet)
    assert found.count == 20
    assert found.cpu_seconds > 0


def test_a_campaign_asks_reminds_and_suspends_everybody(settings: Settings) -> None:
    """R34: nobody is left out, which the measurement itself looks at."""
    told: list[tuple[str, int, int]] = []
    found = measure_campaign(settings, 120, progress=lambda *progress: told.append(progress))
    ended = {label.split()[0]: (done, of) for label, done, of in told}
    assert ended == dict.fromkeys(("asking", "reminding", "closing"), (120, 120))
    assert found.as_json()["people"] == found.reminding.count == 120
    assert min(found.asking.seconds, found.reminding.seconds, found.closing.seconds) > 0


def test_the_log_that_is_checked_is_a_whole_one() -> None:
    """R51: 1,000 records asked for, as many whole nodes of the tree written, every one of them checked."""
    seen: list[int] = []
    found = measure_audit(
        1_000, progress=lambda label, done, _: seen.append(done) if "checking" in label else None
    )
    assert found.count == 768
    assert seen[-1] == 768
    assert found.as_json()["per_s"] > 0
    assert found.cpu_seconds > 0
