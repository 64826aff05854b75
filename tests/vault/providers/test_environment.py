"""Secrets from the environment: 32 random bytes, or a refusal that says how to make them."""

from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from faceauth.errors import ConfigurationError, KeyUnavailable
from faceauth.sections import KeySettings
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.providers.choose import choose_holder
from faceauth.vault.providers.environment import EnvironmentKeks, parse_secrets
from faceauth.vault.secret import KeyBytes
from tests.clocks import START

ROOT = Path(__file__).resolve().parent.parent.parent.parent
GOOD = bytes(np.random.default_rng(5).permutation(256)[:32].astype(np.uint8))
OTHER = GOOD[::-1]


def text(key: bytes) -> str:
    return b64encode(key).decode()


def test_one_secret_is_version_one_and_several_say_theirs() -> None:
    assert parse_secrets(text(GOOD)) == {1: KeyBytes(GOOD)}
    assert parse_secrets(urlsafe_b64encode(GOOD).decode().rstrip("=")) == {1: KeyBytes(GOOD)}
    assert parse_secrets(f"1:{text(GOOD)}, 3:{text(OTHER)}") == {1: KeyBytes(GOOD), 3: KeyBytes(OTHER)}


WEAK = {
    "nothing": "",
    "short": text(GOOD[:31]),
    "long": text(GOOD + b"a"),
    "no base64": "changeme!",
    "zeros": text(bytes(32)),
    "one byte": text(b"\xaa" * 32),
    "counting": text(bytes(range(32))),
    "counting by threes": text(bytes(range(0, 96, 3))),
    "repeating": text(GOOD[:16] * 2),
    "a password": text(b"correct horse battery staple! 123"[:32]),
    "hexadecimal": text(GOOD[:16].hex().encode()),
    "the same twice": f"1:{text(GOOD)} 2:{text(GOOD)}",
    "a version twice": f"1:{text(GOOD)} 1:{text(OTHER)}",
    "version nought": f"0:{text(GOOD)}",
}


@pytest.mark.parametrize("weak", WEAK.values(), ids=WEAK)
def test_what_could_be_guessed_is_refused_and_not_shown(weak: str) -> None:
    """STYLE: default secrets are refused; the text names none of it."""
    with pytest.raises(ConfigurationError, match="FACEAUTH_KEYS__SECRET") as refused:
        choose_holder(KeySettings(provider="environment", secret=SecretStr(weak)))
    for word in weak.replace(",", " ").split():
        assert word.split(":")[-1][:8] not in str(refused.value)


def test_no_example_of_the_docs_is_accepted() -> None:
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for word in page.read_text(encoding="utf-8").replace("`", " ").split():
            with pytest.raises(ConfigurationError):
                parse_secrets(word)


def test_random_bytes_are_hardly_ever_refused() -> None:
    """The chance of fewer than 20 different values among 32, exactly; 30.1 are expected."""
    chance = [[0.0] * 33 for _ in range(33)]
    chance[0][0] = 1.0
    for drawn in range(32):
        for different in range(drawn + 1):
            chance[drawn + 1][different] += chance[drawn][different] * different / 256
            chance[drawn + 1][different + 1] += chance[drawn][different] * (256 - different) / 256
    assert sum(chance[32][:20]) == pytest.approx(1.4e-10, rel=0.05)
    assert sum(number * share for number, share in enumerate(chance[32])) == pytest.approx(30.1, abs=0.1)
    assert (95 / 256) ** 32 < 2e-14


def test_a_rotation_needs_the_next_version_first(tmp_path: Path) -> None:
    """Nothing here writes the setting; the text says what to add."""
    place = KeyringPlace(tmp_path / "keyring", "environment", EnvironmentKeks(text(GOOD)))
    keyring = place.create(now=START)
    with pytest.raises(KeyUnavailable, match=r"Add 2:"):
        place.next(keyring, bytes)
    both = KeyringPlace(place.path, "environment", EnvironmentKeks(f"1:{text(GOOD)} 2:{text(OTHER)}"))
    assert both.next(both.load(), bytes).active == 2


def test_closing_overwrites_the_keys() -> None:
    holder = EnvironmentKeks(text(GOOD))
    kept = holder._secrets[1]
    holder.close()
    assert bytes(kept) == bytes(32)
