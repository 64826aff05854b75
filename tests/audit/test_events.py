"""The vocabulary of the audit log is closed and readable."""

import re

from sqlalchemy import String

from faceauth.audit.events import CONCERNS_FACE, Event
from faceauth.db.audit_tables import audit_log


def test_each_word_has_three_parts_and_fits_its_column() -> None:
    """Habit 10: `source:subject:action`."""
    column = audit_log.c.event.type
    assert isinstance(column, String)
    for event in Event:
        assert re.fullmatch(r"[a-z]+:[a-z]+:[a-z]+", event), event
        assert column.length is not None
        assert len(event) <= column.length


def test_a_person_sees_what_touched_the_face() -> None:
    assert Event.SESSION_ACCEPTED in CONCERNS_FACE
    assert Event.REFERENCE_ERASED in CONCERNS_FACE
    assert Event.APIKEY_CREATED not in CONCERNS_FACE
