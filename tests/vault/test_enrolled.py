"""Counting who is enrolled with a model."""

from faceauth.vault.enrolled import count_enrolled
from tests.vault.story import Story
from tests.vault.world import MODEL, World


def test_counts_by_scenario(story: Story) -> None:
    """Accounts and references of that model, each scenario by itself; nobody with another model."""
    with story.world.data.read() as conn:
        found = count_enrolled(conn, model_digest=MODEL)
        assert [(one.scenario, one.accounts) for one in found] == [("door", 1), ("login", 2)]
        assert all(one.references >= one.accounts and one.tenant == found[0].tenant for one in found)
        assert count_enrolled(conn, model_digest=b"x" * 32) == ()


def test_nobody(world: World) -> None:
    with world.data.read() as conn:
        assert count_enrolled(conn, model_digest=MODEL) == ()
