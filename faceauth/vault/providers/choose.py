"""The one place that turns the setting into a holder of key-encryption keys."""

from faceauth.sections import KeySettings
from faceauth.vault.keks import KekHolder
from faceauth.vault.providers.environment import EnvironmentKeks


def choose_holder(settings: KeySettings) -> KekHolder | None:
    """Return who holds the keys, or None if the keyring file does. Libraries are loaded only for who is chosen.

    Raises:
        ConfigurationError: If a setting is missing or wrong, or the holder's library is not installed.
    """
    if settings.provider == "environment":
        return EnvironmentKeks(settings.secret.get_secret_value())
    if settings.provider == "pkcs11":
        from faceauth.vault.providers.token import TokenKeks  # noqa: PLC0415  its library is an extra

        return TokenKeks(settings.pkcs11, timeout_s=settings.timeout_s)
    if settings.provider == "vault":
        from faceauth.vault.providers.transit import TransitKeks  # noqa: PLC0415  the same

        return TransitKeks(settings.vault, timeout_s=settings.timeout_s)
    return None
