"""What a database's failure means and what to do about it, in one line."""

import sqlite3

_SQLITE = {
    sqlite3.SQLITE_BUSY: "is busy: another process holds it. Try again.",
    sqlite3.SQLITE_LOCKED: "is busy: another process holds it. Try again.",
    sqlite3.SQLITE_PERM: "may not be read. Check who owns the data folder.",
    sqlite3.SQLITE_READONLY: "cannot be written: the folder or file is read-only, or this was a read.",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reported an error. Check the disk.",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full. Free some space; nothing was changed.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check that the data folder is there and may be written.",
    sqlite3.SQLITE_CORRUPT: "is damaged. Restore it from a backup.",
    sqlite3.SQLITE_NOTADB: "is not a database. Check FACEAUTH_DATABASE_URL, or restore it from a backup.",
}

# By the first characters of PostgreSQL's error code, the longest that fits first.
_POSTGRESQL = {
    "53100": "cannot be written: the server's disk is full. Free some space; nothing was changed.",
    "42P01": "has no tables yet, or older ones. Run faceauth init.",
    "42501": "refuses this user. Grant it the rights that docs/database.md lists.",
    "40": "was busy: two transactions waited for each other. Try again.",
    "55": "is busy: another transaction holds a lock. Try again.",
    "53": "has no room: connections, memory or disk. Check the server.",
    "28": "refused the user or the password. Check FACEAUTH_DATABASE_URL.",
    "3D": "does not exist on the server. Create it, or check FACEAUTH_DATABASE_URL.",
    "25006": "cannot be written: this was a read, or the server is a standby.",
    "57": "is shutting down or was interrupted. Try again.",
    "08": "cannot be reached. Check that the server runs and FACEAUTH_DATABASE_URL.",
}


def explain(error: BaseException | None, place: str) -> str:
    """Return one line for the driver's `error` at `place`; it never holds the values of a query."""
    return f"The database {place} {_meaning(error)}"


def _meaning(error: BaseException | None) -> str:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and (known := _SQLITE.get(code & 0xFF)):
            return known
        if "no such table" in str(error):
            return "has no tables yet, or older ones. Run faceauth init."
        return f"failed ({type(error).__name__}). Run faceauth doctor."
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _POSTGRESQL["08"]
    for start in sorted(_POSTGRESQL, key=len, reverse=True):
        if state.startswith(start):
            return _POSTGRESQL[start]
    return f"failed (SQLSTATE {state}). Run faceauth doctor."
