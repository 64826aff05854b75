"""The data inventory: every column of every table with its class, where it lies, how long and why.

It is made from the tables themselves and from the settings, so that it says what is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from faceauth.capture.flow import KEPT as FLOWS
from faceauth.capture.seen_frames import KEPT as SEEN
from faceauth.db.annotations import LONG, TABLES, Class
from faceauth.db.schema import KEY_METADATA, METADATA
from faceauth.outbox.messages import KEPT_DEAD, KEPT_DELIVERED
from faceauth.settings import Settings

Language = Literal["en", "zh"]

CLASSES: Final[dict[Class, tuple[str, str]]] = {
    "biometric": ("biometric, sealed", "生物特征（密封）"),
    "identifying": ("identifying", "可识别个人"),
    "pseudonymous": ("pseudonymous", "假名化"),
    "secret": ("secret", "机密"),
    "staff": ("about staff", "管理人员"),
    "technical": ("nothing about people", "不涉及个人"),
}

WHERE: Final = {"data": ("data database", "数据库"), "keys": ("key database", "密钥库")}


@dataclass(frozen=True, slots=True)
class Held:
    """One table as the page tells it; `columns` are names by class, in the words of one language."""

    table: str
    where: str
    how_long: str
    why: str
    columns: tuple[tuple[str, tuple[str, ...]], ...]


def inventory(settings: Settings, language: Language) -> tuple[Held, ...]:
    """Return every table there is, those that say most about people first.

    Raises:
        LookupError: a table or a column has no annotation.
    """
    numbers = {
        "inactivity": settings.retention.inactivity_days,
        "sessions": settings.retention.sessions_days,
        "observed": settings.liveness.observe_days,
        "seen": SEEN.days,
        "flows": FLOWS.days,
        "delivered": KEPT_DELIVERED.days,
        "dead": KEPT_DEAD.days,
        "console": settings.console.longest_hours,
    }
    which = 0 if language == "en" else 1
    order = list(CLASSES)
    found = []
    for where, name, columns in every_column():
        weight = min(order.index(class_of(name, column)) for column in columns)
        found.append((weight, _held(name, columns, where, which, numbers)))
    return tuple(held for _, held in sorted(found, key=lambda one: (one[0], one[1].table)))


def every_column() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield where each table is, its name and its columns, as the code that reads and writes them has them."""
    for where, metadata in (("data", METADATA), ("keys", KEY_METADATA)):
        for table in metadata.tables.values():
            yield where, table.name, tuple(column.name for column in table.columns)


def class_of(table: str, column: str) -> Class:
    """Return a column's class.

    Raises:
        LookupError: it has no annotation.
    """
    found = TABLES[table].class_of(column) if table in TABLES else None
    if found is None:
        raise LookupError(f"{table}.{column} has no line in faceauth/db/annotations.py.")
    return found


def _held(table: str, columns: Sequence[str], where: str, which: int, numbers: Mapping[str, int]) -> Held:
    note = TABLES[table]
    told = {
        CLASSES[kind][which]: tuple(name for name in columns if class_of(table, name) == kind) for kind in CLASSES
    }
    return Held(
        table=table,
        where=WHERE[where][which],
        how_long=LONG[note.how_long][which].format(**numbers),
        why=note.why[which],
        columns=tuple((kind, names) for kind, names in told.items() if names),
    )
