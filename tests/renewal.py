"""A service that changes its model: the double of a new one, and starting again with both."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import biometric_references
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.packs import Pack
from faceauth.installation import assemble
from faceauth.types import DetectedFace, Image
from tests.service import ColourEmbedder, OneFace, Service

OLD = ColourEmbedder.model_digest
NEW = b"n" * 32


class NewEmbedder(ColourEmbedder):
    """Another model: the same people, other numbers."""

    model_digest = NEW

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().embed(chips)[:, ::-1])


class Nobody:
    """A detector that sees nobody."""

    def detect(self, image: Image) -> Sequence[DetectedFace]:  # noqa: ARG002  the protocol's
        return []


class Crowd(OneFace):
    """A detector that sees somebody else first, far from the one face."""

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        (face,) = super().detect(image)
        away = replace(face, landmarks=face.landmarks + np.float32(250))
        return [away, face]


def pack(embedder: ColourEmbedder, **more: Any) -> Pack:
    parts: dict[str, Any] = {
        "name": "double",
        "licence": "",
        "digest": b"p" * 32,
        "embedder": embedder,
        "detector_kind": "double",
        "detector_sessions": {},
        "detector_options": {},
        "detector": OneFace(),
    }
    return Pack(**(parts | more))


def restart(service: Service, *, before: Pack | None) -> Service:
    """Start again on the same databases, with the new pack and the one it replaces."""
    old = service.installation
    again = assemble(
        old.settings, old.data, old.key_database, old.keyring, pack(NewEmbedder()), before=before, clock=old.clock
    )
    # What a start fills the index with.
    with again.index.adding() as adding, again.data.read() as conn:
        for scenario in again.scenarios.list(conn, DEFAULT_TENANT):
            if scenario.mode == "identify":
                found = again.references.open_scenario(conn, tenant=DEFAULT_TENANT, scenario=scenario.scenario)
                adding.fill(found)
    return Service(again, service.clock, 1000)


def models(service: Service) -> dict[bytes, int]:
    with service.installation.data.read() as conn:
        found = list(conn.scalars(select(biometric_references.c.model_digest)))
    return {digest: found.count(digest) for digest in set(found)}


def events(service: Service) -> list[str]:
    with service.installation.data.read() as conn:
        return list(conn.scalars(select(audit_log.c.event).order_by(audit_log.c.seq)))
