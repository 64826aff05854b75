"""How old somebody is."""

from datetime import date


def age(birth_date: date, today: date) -> int:
    """Return whole years; someone born on 29 February has the birthday on 1 March in other years."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
