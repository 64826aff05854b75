"""A second place for every audit record, outside the database: a file, or syslog.

A record is written there before the act it is about is committed; when that fails, so does the act (R49). So the
sink may hold a record of an act that then failed otherwise, and its number comes again: the database is the truth,
the sink shows what was taken out of it.
"""

import os
import socket
from pathlib import Path
from typing import Final, Protocol

from faceauth.sections import AuditSettings

_SYSLOG_PRIORITY: Final = 10 * 8 + 5
"""Facility 10 (security), severity 5 (notice): RFC 5424, 6.2.1."""


class Sink(Protocol):
    """Takes records."""

    def write(self, line: str) -> None:
        """Keep one line.

        Raises:
            OSError: it was not kept.
        """
        ...


class FileSink:
    """Appends to a file that only its owner may read, and waits until the line is on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, line: str) -> None:
        """Keep one line."""
        # Opened each time: the file may be rotated away meanwhile.
        place = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            text = f"{line}\n".encode()
            if os.write(place, text) != len(text):
                raise OSError("The disk took only a part of an audit record.")
            os.fsync(place)
        finally:
            os.close(place)


class SyslogSink:
    """Hands lines to the machine's own syslog; what that does with them is its affair."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, line: str) -> None:
        """Hand one line over."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(str(self._path))
            out.send(f"<{_SYSLOG_PRIORITY}>faceauth: {line}".encode())


def sink_of(settings: AuditSettings) -> Sink | None:
    """Return the second place that the settings name, if they name one."""
    if settings.file is not None:
        return FileSink(settings.file)
    return None if settings.syslog is None else SyslogSink(settings.syslog)
