"""The audit log as commands write it."""

from faceauth.audit.log import AuditLog
from faceauth.audit.sinks import sink_of
from faceauth.clock import system_clock
from faceauth.settings import Settings
from faceauth.vault.keyring import Keyring


def open_log(settings: Settings, keyring: Keyring) -> AuditLog:
    """Return the log of an installation, with its second place if it has one."""
    return AuditLog(pseudonym_key=keyring.pseudonym_key, clock=system_clock, sink=sink_of(settings.audit))
