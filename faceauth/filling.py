"""Fills the index from the sealed references when the service starts; searches wait until it is whole."""

from collections.abc import Callable, Collection
from threading import Event

from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.vault.gallery import Gallery
from faceauth.vault.index import ReferenceBatch, ReferenceIndex
from faceauth.vault.keystore import DataKeys
from faceauth.vault.quarantine import Quarantine

Progress = Callable[[int, int], None]
"""Told how many references are in the index, and of how many."""


class IndexFilling:
    """Puts the references of every identification scenario into the index; 1:1 opens its own (R8).

    What is stored while it runs comes in by the way that it always does, and what is erased does not come back.

    Args:
        data: The data database.
        keys: The data keys.
        scenarios: Says which scenarios identify.
        index: What is filled.
        models: The digests of the models that serve: what another made is compared with nothing, and need not lie
            in memory.
        quarantine: Where references that do not open are marked.
    """

    def __init__(
        self,
        *,
        data: Database,
        keys: DataKeys,
        scenarios: ScenarioStore,
        index: ReferenceIndex,
        models: Collection[bytes],
        quarantine: Quarantine | None = None,
    ) -> None:
        self._data = data
        self._keys = keys
        self._scenarios = scenarios
        self._index = index
        self._models = models
        self._quarantine = quarantine
        self._stopped = Event()

    def stop(self) -> None:
        """Let `run` end after the batch it is at; searches stay refused. Call it from any thread."""
        self._stopped.set()

    def run(self, progress: Progress | None = None) -> int:
        """Fill, and return how many references came in. Searches are refused until everybody is there.

        Raises:
            KeyUnavailable: No key can be had.
            StorageError: A database failed.
        """
        self._index.hold()
        with self._data.read() as conn:
            wanted = [
                (found.tenant, found.scenario)
                for found in self._scenarios.list(conn, DEFAULT_TENANT)
                if found.mode == "identify" and found.state == "active"
            ]
        count = self._fill(wanted, progress) if wanted else 0
        if not self._stopped.is_set():
            self._index.release()
        return count

    def _fill(self, wanted: Collection[tuple[str, str]], progress: Progress | None) -> int:
        gallery = Gallery(
            self._data, self._keys, scenarios=wanted, models=self._models, quarantine=self._quarantine
        )
        counts = gallery.count()
        total = sum(counts.values())
        done = 0
        with self._index.adding() as adding:
            for opened in gallery:
                if self._stopped.is_set():
                    break
                # With two models nobody knows how many of a scenario's references are whose: rows come as needed.
                scenario = opened.place.tenant, opened.place.scenario
                expected = counts.pop(scenario, 0) if len(self._models) == 1 else 0
                if expected:
                    adding.expect(opened.place, opened.vectors.shape[1], expected)
                ids, accounts = zip(*((row.reference_id, row.account) for row in opened.rows), strict=True)
                done += adding.add_many(ReferenceBatch(opened.place, ids, accounts, opened.vectors))
                if progress is not None:
                    progress(done, max(total, done))
        return done
