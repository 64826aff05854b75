"""Each way of holding key-encryption keys, ready to use, and how to take it away."""

import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from faceauth.sections import KeySettings, TokenSettings, VaultSettings
from faceauth.vault.keks import KekHolder
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.providers.choose import choose_holder
from tests.vault.providers import vault_double

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "5678-user-pin"


@dataclass
class Holding:
    """A way of holding keys: its settings, and what takes it away and brings it back."""

    settings: KeySettings
    down: Callable[[], None]
    up: Callable[[], None]
    add: Callable[[], None] = lambda: None
    """Puts in place what a rotation needs from the operator, if anything."""
    secrets: Callable[[], list[bytes]] = list
    """The key-encryption keys, where this process can know them, to look for them."""
    made: list[KekHolder] = field(default_factory=list)

    def place(self, path: Path) -> KeyringPlace:
        """Choose the holder as the service does."""
        holder = choose_holder(self.settings)
        assert holder is not None
        self.made.append(holder)
        return KeyringPlace(path, self.settings.provider, holder)

    def close(self) -> None:
        """Close every holder that was made."""
        for holder in self.made:
            holder.close()


def environment() -> Holding:
    """Two versions, the second added on demand. It is never down: it is there, or the service is not."""
    keys = [os.urandom(32), os.urandom(32)]
    texts = [f"{number}:{b64encode(key).decode()}" for number, key in enumerate(keys, start=1)]
    settings = KeySettings(provider="environment", secret=SecretStr(texts[0]))

    def add() -> None:
        settings.secret = SecretStr(" ".join(texts))

    return Holding(settings, down=lambda: None, up=lambda: None, add=add, secrets=lambda: keys)


@contextmanager
def softhsm(folder: Path) -> Iterator[Path]:
    """Make a token of SoftHSM 2 in `folder` and point this process at it; yields where its files are."""
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    make = ["softhsm2-util", "--init-token", "--free", "--label", "faceauth-test"]
    subprocess.run([*make, "--so-pin", "1234-so-pin", "--pin", PIN], check=True, capture_output=True)
    try:
        yield tokens
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


def token(tokens: Path) -> Holding:
    """Keys of a label of their own on the session's token."""
    away = tokens.with_name("away")

    def down() -> None:
        shutil.move(tokens, away)

    def up() -> None:
        shutil.move(away, tokens)

    settings = TokenSettings(
        module=MODULE, token="faceauth-test", pin=SecretStr(PIN), label=f"test-{uuid4().hex[:8]}"
    )
    return Holding(
        KeySettings(provider="pkcs11", pkcs11=settings, timeout_s=20),
        down=down,
        up=up,
    )


def vault(double: vault_double.VaultDouble) -> Holding:
    """A transit key that is not made yet."""

    def turn(mode: str) -> None:
        double.mode = mode

    settings = VaultSettings(url=double.url, token=SecretStr(vault_double.TOKEN))
    return Holding(
        KeySettings(provider="vault", vault=settings, timeout_s=20),
        down=lambda: turn("sealed"),
        up=lambda: turn("ok"),
        secrets=lambda: [kek for key in double.keys.values() for kek in key["versions"].values()],
    )
