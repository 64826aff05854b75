"""What is particular to a PKCS#11 token, tried on SoftHSM."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from faceauth.errors import ConfigurationError, KeyUnavailable
from faceauth.sections import KeySettings, TokenSettings
from faceauth.vault.keks import Plain
from faceauth.vault.providers import token as module
from faceauth.vault.providers.choose import choose_holder
from faceauth.vault.providers.token import TokenKeks
from faceauth.vault.secret import KeyBytes
from tests.vault.providers.holding import MODULE, PIN, Holding, token

pkcs11 = pytest.importorskip("pkcs11", reason="needs the extra: pip install 'faceauth[pkcs11]'")


@pytest.fixture
def holding(softhsm: Path) -> Holding:
    return token(softhsm)


@pytest.fixture
def holder(holding: Holding, tmp_path: Path) -> TokenKeks:
    made = holding.place(tmp_path / "keyring").holder
    assert isinstance(made, TokenKeks)
    return made


def test_the_key_never_leaves_the_token(holder: TokenKeks) -> None:
    """Made there, sensitive, not extractable, and never was."""
    version = holder.make(after=0)
    key = holder._deadline.run(lambda: holder._key(version))
    attribute = pkcs11.Attribute
    assert key[attribute.SENSITIVE]
    assert key[attribute.ALWAYS_SENSITIVE]
    assert not key[attribute.EXTRACTABLE]
    assert key[attribute.NEVER_EXTRACTABLE]
    assert key[attribute.LOCAL]
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        _ = key[attribute.VALUE]
    holder.close()


def test_a_key_that_could_be_taken_out_is_not_used(holder: TokenKeks, holding: Holding) -> None:
    def careless() -> None:
        session = holder._opened(writes=True)
        attribute = pkcs11.Attribute
        session.generate_key(
            pkcs11.KeyType.AES,
            256,
            label=f"{holding.settings.pkcs11.label}-1",
            store=True,
            template={attribute.EXTRACTABLE: True, attribute.SENSITIVE: False},
        )

    holder._deadline.run(careless)
    with pytest.raises(KeyUnavailable, match="could be taken out"):
        holder.wrap([Plain(KeyBytes(32), b"")], version=1)
    holder.close()


def test_two_keys_of_one_name_are_not_chosen_between(holder: TokenKeks, holding: Holding) -> None:
    for _ in range(2):
        holder._deadline.run(
            lambda: holder._opened(writes=True).generate_key(
                pkcs11.KeyType.AES, 256, label=f"{holding.settings.pkcs11.label}-1", store=True
            )
        )
    with pytest.raises(KeyUnavailable, match="has 2 keys named"):
        holder.wrap([Plain(KeyBytes(32), b"")], version=1)
    holder.close()


def test_a_refused_pin_is_not_tried_again(softhsm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens count wrong PINs and lock: one is enough."""
    settings = TokenSettings(module=MODULE, token="faceauth-test", pin=SecretStr("0000"))
    holder = TokenKeks(settings, timeout_s=20)
    opened, tries = holder._opened, []

    def counted() -> object:
        tries.append(1)
        return opened()

    monkeypatch.setattr(holder, "_opened", counted)
    for _ in range(3):
        with pytest.raises(KeyUnavailable, match="refuses the PIN"):
            holder.versions()
    assert len(tries) == 1
    holder.close()


@pytest.mark.parametrize("missing", ["module", "token", "pin"])
def test_missing_settings_are_named(missing: str) -> None:
    values = {"module": MODULE, "token": "t", "pin": SecretStr(PIN)}
    del values[missing]
    with pytest.raises(ConfigurationError, match="PKCS11__MODULE"):
        choose_holder(KeySettings(provider="pkcs11", pkcs11=TokenSettings.model_validate(values)))


def test_a_library_that_is_none_is_unavailable(tmp_path: Path) -> None:
    settings = TokenSettings(module=tmp_path / "none.so", token="t", pin=SecretStr(PIN))
    holder = TokenKeks(settings, timeout_s=20)
    with pytest.raises(KeyUnavailable, match="cannot be used"):
        holder.versions()
    holder.close()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pkcs11", None)
    with pytest.raises(ConfigurationError, match=r"faceauth\[pkcs11\]"):
        TokenKeks(TokenSettings(), timeout_s=1)
