"""Which names are taken from outside; everything else is refused before it reaches the database."""

import re

from faceauth.errors import InvalidRequest

_ACCOUNT = re.compile(r"[A-Za-z0-9._:@+-]{1,200}", re.ASCII)
_SCENARIO = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
# RFC 5646's common shapes: en, zh, zh-Hans, pt-BR, zh-Hant-TW.
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def is_account(account: str) -> bool:
    """Say whether an account may be called so."""
    return _ACCOUNT.fullmatch(account) is not None


def is_scenario(scenario: str) -> bool:
    """Say whether a scenario may be called so."""
    return _SCENARIO.fullmatch(scenario) is not None


def is_plain_text(text: str) -> bool:
    """Say whether either database can hold it: no zero byte, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_account(account: str) -> str:
    """Return an account id of 1 to 200 characters out of ``A-Z a-z 0-9 . _ : @ + -``.

    Raises:
        InvalidRequest: It is anything else.
    """
    if not is_account(account):
        raise InvalidRequest("An account id has 1 to 200 of the characters A-Z a-z 0-9 . _ : @ + -")
    return account


def check_scenario(scenario: str) -> str:
    """Return a scenario's name: a small letter, then up to 63 small letters, digits, ``_`` or ``-``.

    Raises:
        InvalidRequest: It is anything else.
    """
    if not is_scenario(scenario):
        raise InvalidRequest("A scenario's name is a small letter and up to 63 small letters, digits, _ or -")
    return scenario


def check_locale(locale: str) -> str:
    """Return a language tag such as ``en`` or ``zh-Hans``.

    Raises:
        InvalidRequest: It is anything else.
    """
    if not _LOCALE.fullmatch(locale):
        raise InvalidRequest("A locale is a language tag such as en or zh-Hans")
    return locale


def masked(name: str) -> str:
    """Return an account id or contact as administrators see it: ``anna@example.com`` as ``a***@example.com``.

    One letter is shown, and of a mail address its domain; a name of one letter shows none.
    """
    who, at, domain = name.partition("@")
    return f"{who[:1] if len(who) > 1 else ''}***{at}{domain}"
