"""The console's words, each in English and in Chinese; a page's own are in a module of their own."""

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]
"""A name and what it says in English and in Chinese."""


def spoken(language: str, *tables: Words) -> dict[str, str]:
    """Return the words of some tables in one language."""
    which = 1 if language == "zh" else 0
    return {name: both[which] for table in tables for name, both in table.items()}
