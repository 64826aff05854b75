"""Keys hide in `repr`, in logs and in tracebacks, also in those that show local variables."""

import io
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from rich.console import Console
from rich.traceback import Traceback

from faceauth.errors import FaceauthError
from faceauth.vault.keyring import Keyring, create_keyring, load_keyring
from faceauth.vault.keys import DataKey, KeyringProvider
from faceauth.vault.keystore import wrap_context
from faceauth.vault.records import open_record, seal_record
from faceauth.vault.secret import KeyBytes
from tests.clocks import START
from tests.vault.providers.holding import Holding

KEY = bytes(range(91, 123))
ROW = wrap_context("shop", "anna", "key_1", 1)


def shown(error: BaseException) -> str:
    """What the three ways of logging show of an error, with every frame's local variables."""
    out = io.StringIO()
    console = Console(file=out, width=4000)
    assert error.__traceback__ is not None
    console.print(
        Traceback.from_exception(
            type(error),
            error,
            error.__traceback__,
            show_locals=True,
            locals_max_length=1000,
            locals_max_string=100_000,
        )
    )
    transform = structlog.tracebacks.ExceptionDictTransformer(
        show_locals=True, locals_max_length=1000, locals_max_string=100_000
    )
    event: dict[str, Any] = {"exc_info": (type(error), error, error.__traceback__)}
    return f"{out.getvalue()}\n{transform(event['exc_info'])!r}\n{error!r}"


def spellings(key: bytes) -> Iterator[str]:
    """A key as it could show: raw, escaped, hexadecimal, base64, and as numbers; a part is enough."""
    yield key.hex()[:24]
    yield b64encode(key).decode()[:20]
    yield urlsafe_b64encode(key).decode()[:20]
    yield repr(key)[2:24]
    yield str(list(key))[1:30]
    yield key.decode("latin-1")[:12]


def leaks(text: str, keys: list[bytes]) -> list[str]:
    return [spelling for key in keys for spelling in spellings(key) if spelling in text]


@pytest.mark.parametrize("spelling", list(spellings(KEY)))
def test_a_key_that_shows_is_found(spelling: str) -> None:
    """The scan can fail."""
    assert leaks(f"key = {spelling}", [KEY])

    def careless(secret: bytes) -> None:
        raise ValueError(len(secret))

    with pytest.raises(ValueError, match="32") as raised:
        careless(KEY)
    assert leaks(shown(raised.value), [KEY])


def raised_by(act: Any) -> BaseException:
    """What `act` raises, without the frame of this test that knows the key."""
    try:
        act()
    except (FaceauthError, ValueError) as error:
        return error.with_traceback(error.__traceback__.tb_next if error.__traceback__ else None)
    raise AssertionError("nothing was raised")


def test_a_holder_that_fails_shows_no_key(holding: Holding, tmp_path: Path) -> None:
    """While it wraps, unwraps, reads and writes the keyring: with the holder down, or the record altered."""
    place = holding.place(tmp_path / "keyring")
    ring = place.create(now=START)
    keys = place.provider(ring)
    record = keys.wrap(KEY, context=ROW)
    secret = KeyBytes(KEY)
    acts: list[Callable[[], object]] = [lambda: keys.unwrap(record[:-3] + b"AAA", context=ROW)]
    if holding.settings.provider == "environment":
        holder: Any = place.holder
        known = holder._secrets
        holder._keks = {}
        acts += [lambda: keys.wrap(secret, context=ROW), lambda: place.replace(ring), place.load]
        errors = [raised_by(act) for act in acts]
        holder._keks = known
    else:
        errors = [raised_by(acts[0])]
        holding.down()
        acts = [lambda: keys.unwrap(record, context=ROW), lambda: keys.wrap(secret, context=ROW)]
        errors += [raised_by(act) for act in [*acts, lambda: place.replace(ring), place.load]]
        holding.up()
    every = [KEY, ring.pseudonym_key, ring.replay_key, *holding.secrets(), private(ring)]
    for error in errors:
        assert leaks(shown(error), every) == [], type(error)


def private(ring: Keyring) -> bytes:
    """The signing key's private number."""
    text = str(ring.signing_keys[0].as_dict(private=True)["d"])
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_keyring_file_shows_no_key(tmp_path: Path) -> None:
    """Damaged, foreign, or of a version that is not there: with its keys in the file, for this one."""
    path = tmp_path / "keyring"
    ring = create_keyring(path, now=START)
    text = path.read_text()
    keys = KeyringProvider(ring)
    record = keys.wrap(KEY, context=ROW)
    every = [KEY, ring.pseudonym_key, ring.replay_key, bytes(ring.kek[1]), private(ring)]
    errors = [
        raised_by(lambda: keys.unwrap(record[:-1] + bytes([record[-1] ^ 1]), context=ROW)),
        raised_by(lambda: keys.unwrap(record[:4] + b"\x07" + record[5:], context=ROW)),
    ]
    for damaged in (text[:-20], text.replace('"d":', '"e":'), text.replace('"active": 1', '"active": 2')):
        path.write_text(damaged)
        errors.append(raised_by(lambda: load_keyring(path)))
    for error in errors:
        assert leaks(shown(error), every) == [], type(error)


def test_records_and_data_keys_show_no_key() -> None:
    secret = KeyBytes(KEY)
    record = seal_record(b"plain", secret, key_version=1, context=b"", random=bytes)
    error = raised_by(lambda: open_record(record, secret, expected_key_version=1, context=b"other"))
    key = DataKey("key_1", "shop", "anna", 1, secret)
    assert leaks(shown(error) + repr(key) + str(secret) + f"{secret}" + repr([secret]), [KEY]) == []


def test_a_wiped_key_is_zeros() -> None:
    key = DataKey("key_1", "shop", "anna", 1, KeyBytes(KEY))
    key.wipe()
    assert bytes(key.secret) == bytes(32)
