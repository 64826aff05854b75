"""Where tables register: one collection for the data, one for the wrapped keys."""

from typing import Final

from sqlalchemy import MetaData

from faceauth.db.columns import NAMES

DATA: Final = MetaData(naming_convention=NAMES)
KEYS: Final = MetaData(naming_convention=NAMES)
