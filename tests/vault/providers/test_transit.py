"""What is particular to HashiCorp Vault, tried on a double of it (see `vault_double`)."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from faceauth.errors import ConfigurationError, KeyUnavailable
from faceauth.sections import KeySettings, VaultSettings
from faceauth.vault.keks import Plain, Wrapped
from faceauth.vault.providers import transit as module
from faceauth.vault.providers.choose import choose_holder
from faceauth.vault.providers.transit import TransitKeks
from faceauth.vault.secret import KeyBytes
from tests.vault.providers.vault_double import TOKEN, VaultDouble


@pytest.fixture
def settings(double: VaultDouble) -> VaultSettings:
    return VaultSettings(url=double.url, token=SecretStr(TOKEN))


@pytest.fixture
def holder(settings: VaultSettings) -> TransitKeks:
    return TransitKeks(settings, timeout_s=20)


def test_many_keys_are_few_requests(holder: TransitKeks, double: VaultDouble) -> None:
    """The start-up of a large gallery must not be a request a person."""
    version = holder.make(after=0)
    before = len(double.requests)
    keys = [Plain(KeyBytes(number.to_bytes(4, "big") * 8), b"row %d" % number) for number in range(450)]
    records = holder.wrap(keys, version=version)
    opened = holder.unwrap(
        [Wrapped(record, version, plain.context) for record, plain in zip(records, keys, strict=True)]
    )
    assert opened == [plain.key for plain in keys]
    assert len(double.requests) - before == 6
    holder.close()


def test_the_context_is_vaults_associated_data(holder: TransitKeks, double: VaultDouble) -> None:
    """R46: bound by Vault's own AEAD, not by a note beside it."""
    version = holder.make(after=0)
    (record,) = holder.wrap([Plain(KeyBytes(32), b"row")], version=version)
    _, body = double.requests[-1]
    assert body["batch_input"][0]["associated_data"] == "cm93"
    assert body["batch_input"][0]["key_version"] == version
    assert record[:5] == b"\x02\0\0\0\x01"
    assert record[5:].startswith(b"vault:v1:")
    holder.close()


@pytest.mark.parametrize("wrong", [{"exportable": True}, {"allow_plaintext_backup": True}, {"type": "chacha20"}])
def test_a_key_that_could_leave_vault_is_refused(
    holder: TransitKeks, double: VaultDouble, wrong: dict[str, object]
) -> None:
    double.create("faceauth", **wrong)
    with pytest.raises(KeyUnavailable, match="not exportable"):
        holder.make(after=0)
    holder.close()


def test_a_version_made_in_vault_is_taken(holder: TransitKeks, double: VaultDouble) -> None:
    """A run that was cut off after Vault's rotation makes no further version."""
    double.create("faceauth")
    assert holder.make(after=0) == 1
    double.keys["faceauth"]["versions"][2] = bytes(32)
    assert holder.make(after=1) == 2
    assert holder.make(after=2) == 3
    holder.close()


def test_vaults_own_minimum_is_unavailable_not_damage(holder: TransitKeks, double: VaultDouble) -> None:
    version = holder.make(after=0)
    (record,) = holder.wrap([Plain(KeyBytes(32), b"row")], version=version)
    holder.make(after=version)
    double.keys["faceauth"]["min_decryption_version"] = 2
    with pytest.raises(KeyUnavailable, match="minimum"):
        holder.unwrap([Wrapped(record, version, b"row")])
    holder.close()


def test_the_token_file_is_read_at_each_use(double: VaultDouble, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("expired\n")
    holder = TransitKeks(VaultSettings(url=double.url, token_file=file), timeout_s=20)
    with pytest.raises(KeyUnavailable, match="refuses the token"):
        holder.make(after=0)
    file.write_text(f"{TOKEN}\n")
    assert holder.make(after=0) == 1
    file.unlink()
    with pytest.raises(KeyUnavailable):
        holder.versions()
    holder.close()


@pytest.mark.parametrize("url", ["", "http://vault.example", "ftp://127.0.0.1", "127.0.0.1:8200"])
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        choose_holder(KeySettings(provider="vault", vault=VaultSettings(url=url, token=SecretStr(TOKEN))))


def test_a_missing_token_is_named() -> None:
    with pytest.raises(ConfigurationError, match="VAULT__TOKEN"):
        choose_holder(KeySettings(provider="vault", vault=VaultSettings(url="https://vault.example")))


def test_nobody_there_is_unavailable() -> None:
    holder = TransitKeks(VaultSettings(url="http://127.0.0.1:9", token=SecretStr(TOKEN)), timeout_s=20)
    with pytest.raises(KeyUnavailable, match="cannot be reached"):
        holder.versions()
    holder.close()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "hvac", None)
    with pytest.raises(ConfigurationError, match=r"faceauth\[vault\]"):
        TransitKeks(VaultSettings(), timeout_s=1)
