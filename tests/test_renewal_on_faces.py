"""From the pack `open` to `retail` on rendered sessions of real faces, with every stage as it ships."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.demo.people import Person, group_cast
from faceauth.demo.stage import Outcome, Stage, quiet_log
from faceauth.embed.install import install
from faceauth.embed.manifest import pack_spec
from faceauth.installation import create_installation, open_installation
from faceauth.settings import Settings
from faceauth.simulate import Head
from faceauth.thresholds import Deciding
from faceauth.two_people import accept_thresholds
from faceauth.types import Purpose

TRIES = 5
"""The steps are drawn by chance, and one living person in forty is not taken at once (docs/liveness.md)."""


@pytest.fixture(scope="module")
def both(shared: Path, models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with both packs."""
    folder, published = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("published")
    (folder / "open").symlink_to(models_dir / "open")
    for room in ("yunet", "reid-retail-0095"):
        for file in (shared / "models" / room).iterdir():
            shutil.copy(file, published)
    install("retail", folder, from_dir=published)
    return folder


def stand_before(stage: Stage, purpose: Purpose, account: str, who: Person) -> Outcome:
    """Go through a session, and through others where liveness said no or asked for one more step, as people do."""
    head = Head(who.first.image, who.first.landmarks, seed=1)
    outcome = stage.perform(stage.open(purpose, "login", account), head)
    for _ in range(TRIES - 1):
        if outcome.device != "open" and outcome.reason != "liveness":
            break
        outcome = stage.perform(stage.open(purpose, "login", account), head)
    return outcome


def made_with(stage: Stage, account: str) -> set[str]:
    place = stage.installation
    with place.data.read() as conn:
        found = place.references.describe(conn, tenant=DEFAULT_TENANT, account=account)
    return {info.model_digest for info in found}


def accepted_by_two(stage: Stage) -> None:
    """A pack that nobody accepted decides nothing (R52): Anna asks, Ben approves, Anna accepts."""
    place, deciding = stage.installation, Deciding.of(pack_spec("retail"))

    ask = partial(
        accept_thresholds,
        deciding,
        data=place.data,
        approvals=place.approvals,
        audit=place.audit,
        actor="cli:anna",
    )
    asked = ask().approval
    with place.data.begin() as conn:
        place.approvals.approve(conn, asked.approval_id, tenant=DEFAULT_TENANT, actor="cli:ben")
    assert ask().told is not None


def test_from_open_to_retail(both: Path, tmp_path: Path) -> None:
    """R23: enrolled with one model, logged in with it once more, and from then on with the other."""
    old, new = (pack_spec(name).model_digest().hex() for name in ("open", "retail"))
    settings = Settings(data_dir=tmp_path / "data", models_dir=both)
    create_installation(settings)
    with quiet_log() as log:
        first = open_installation(settings)
        cast = group_cast(first.pipeline.reader._detector)
        stage = Stage(tmp_path, first, cast, log)
        with first.data.begin() as conn:
            first.accounts.ensure(
                conn,
                tenant=DEFAULT_TENANT,
                account="ann",
                locale="en",
                birth_date=None,
                contact=None,
                guardian=None,
                now=first.clock(),
            )
        stage.answer("ann", "login")
        assert stand_before(stage, "enrol", "ann", cast.ann).accepted
        first.close()
        assert made_with(stage, "ann") == {old}

        changed = settings.model_copy(update={"model_pack": "retail", "model_pack_before": "open"})
        stage.installation = open_installation(changed)
        accepted_by_two(stage)
        assert stand_before(stage, "verify", "ann", cast.ben).reason == "mismatch"
        assert made_with(stage, "ann") == {old}
        assert stand_before(stage, "verify", "ann", cast.ann).accepted
        assert made_with(stage, "ann") == {new}
        assert stand_before(stage, "verify", "ann", cast.ben).reason == "mismatch"
        assert stand_before(stage, "verify", "ann", cast.ann).accepted
        stage.installation.close()
