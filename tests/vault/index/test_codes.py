"""Codes nominate: what FAISS is told of its own layout, what a codebook learns, and whom it finds."""

from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest
from faceauth.vault.index import EngineName, Place, ReferenceBatch, ReferenceIndex, Sizes
from faceauth.vault.index.blocks import make_engine
from faceauth.vault.index.codebook import Codebook, Moments, groups_for
from faceauth.vault.index.codes import DEPTH, FIRST_DEPTH, GLANCE, CodedRows
from tests.vault.index.faces import MODEL, blocks, search, vectors

DIMENSION = 32


def crowded(count: int, seed: int) -> NDArray[np.float32]:
    """Faces as `open` has them: all near one direction, and apart in few others."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, DIMENSION)) / (1 + np.arange(DIMENSION)) @ turned() + 3 * turned()[0]
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def turned() -> NDArray[np.float64]:
    rotation: NDArray[np.float64] = np.linalg.qr(np.random.default_rng(3).normal(size=(DIMENSION, DIMENSION)))[0]
    return rotation


def book(faces: NDArray[np.float32], groups: int | None = None) -> Codebook:
    moments = Moments(faces.shape[1])
    moments.add(faces)
    return Codebook.fit(moments, groups)


def scores_of(engine: CodedRows, queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Less what the mean adds to all of them."""
    return engine._nominate(queries, k)[0] - (queries @ engine._book.mean)[:, None]


def test_the_packed_codes_are_those_that_faiss_packs() -> None:
    """A new FAISS that lays its codes out in another way must not go unnoticed."""
    faces = crowded(333, 1)
    codebook = book(faces)
    engine = CodedRows(400, DIMENSION, codebook)
    engine.put_many(0, faces[:70])
    for row in range(70, 100):
        engine.put(row, faces[row])
    engine.put_many(100, faces[100:])
    theirs: Any = faiss.IndexPQFastScan(len(codebook.turn), codebook.groups, 4, faiss.METRIC_INNER_PRODUCT, 96)
    faiss.copy_array_to_vector(codebook.centroids.ravel(), theirs.pq.centroids)
    theirs.is_trained = True
    theirs.add((faces - codebook.mean) @ codebook.turn.T)
    packed = faiss.rev_swig_ptr(theirs.codes.get(), theirs.codes.size())
    assert packed.tobytes() == engine._packed.tobytes()[: packed.size]
    for row in range(333):
        engine.clear(row)
    assert not engine._packed.any()


def test_turned_vectors_and_queries_keep_their_product() -> None:
    faces, queries = crowded(500, 2), crowded(20, 3)
    codebook = book(faces)
    turned_faces = (faces - codebook.mean) @ codebook.turn.T
    assert np.allclose(turned_faces @ (queries @ codebook.ask.T).T, (faces - codebook.mean) @ queries.T, atol=1e-4)


@pytest.mark.parametrize("groups", [8, 32, 64])
def test_more_groups_nominate_better(groups: int) -> None:
    """How often the best of 5,000 strangers is among the 100 nominated; more groups than dimensions do no harm."""
    faces, queries = crowded(5_000, 4), crowded(100, 5)
    engine = CodedRows(5_000, DIMENSION, book(faces, groups))
    engine.put_many(0, faces)
    best = np.argmax(queries @ faces.T, axis=1)
    nominated = engine._nominate(queries, 100)[1]
    hits = np.mean([row in found for row, found in zip(best, nominated, strict=True)])
    assert {8: 0.5, 32: 0.8, 64: 0.8}[groups] <= hits <= {8: 0.8, 32: 1, 64: 1}[groups]


def test_whom_the_codes_rank_low_is_found_all_the_same() -> None:
    """Codes of 8 groups are far off: where they leave room for somebody better, more rows are compared, or all."""
    faces, queries = crowded(5_000, 4), crowded(100, 5)
    engine = CodedRows(5_000, DIMENSION, book(faces, 8), depth=400)
    engine.put_many(0, faces)
    best = np.argmax(queries @ faces.T, axis=1)
    nominated = engine._nominate(queries, 400)[1]
    assert any(row not in found for row, found in zip(best, nominated, strict=True))
    assert (engine.search(queries, 10) == best[:, None]).any(axis=1).all()


class Watched(CodedRows):
    """Remembers how many rows were nominated and compared."""

    def watch(self) -> None:
        self.depths: list[int] = []
        self.compared: list[int] = []

    def _nominate(self, queries: NDArray[np.float32], depth: int) -> Any:
        self.depths.append(depth)
        return super()._nominate(queries, depth)

    def scores(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        self.compared.append(len(rows))
        return super().scores(rows, query)


def test_who_stands_out_costs_one_look() -> None:
    """Somebody's second picture, among strangers: the first nominated settle it. Strangers take more."""
    faces = vectors(5_000, 14, DIMENSION)
    engine = Watched(5_000, DIMENSION, book(faces, 8))
    engine.put_many(0, faces)
    engine.watch()
    for row in range(20):
        assert row in engine.search(faces[row : row + 1], 10)
    assert engine.depths == [FIRST_DEPTH] * 20
    assert 20 <= len(engine.compared) < 40
    assert set(engine.compared) <= {GLANCE, FIRST_DEPTH - GLANCE}
    engine.search(vectors(30, 15, DIMENSION), 10)
    assert engine.depths[20:] == [FIRST_DEPTH, DEPTH]


def test_somebody_nearly_as_alike_is_among_a_glance_too() -> None:
    """R8: a twin within an error of the best lets nobody in, so the few rows of a glance must hold both."""
    faces, probes = vectors(5_000, 16, DIMENSION), vectors(100, 17, DIMENSION)
    twins = probes + np.random.default_rng(18).normal(size=(2, *probes.shape)) * 0.02
    faces[:200] = (twins / np.linalg.norm(twins, axis=2, keepdims=True)).reshape(200, DIMENSION)
    engine = Watched(5_000, DIMENSION, book(faces, 16))
    engine.put_many(0, faces)
    engine.watch()
    for number, probe in enumerate(probes):
        assert {number, number + 100} <= set(engine.search(probe[None], 10)[0].tolist())
    assert engine.compared.count(GLANCE) == 100
    assert len(engine.compared) < 150


class Told(Watched):
    """Is told what codes and rows score, the rows in order: codes are off by 0.01, the best row leads as told."""

    def tell(self, lead: float, further: float) -> None:
        self.watch()
        self.codes = np.full(self.capacity, 0.5, np.float32)
        self.codes[FIRST_DEPTH:] -= np.float32(further * 0.01)
        self.exact = self.codes + np.where(np.arange(self.capacity) % 2, 0.01, -0.01).astype(np.float32)
        self.codes[0] = self.exact[0] = 0.5 + lead * 0.01

    def _nominate(self, queries: NDArray[np.float32], depth: int) -> Any:
        super()._nominate(queries, depth)
        return self.codes[None, :depth], np.arange(depth)[None]

    def scores(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        super().scores(rows, query)
        return self.exact[rows]


@pytest.mark.parametrize(
    ("lead", "further", "compared"),
    [
        (5.3, 0, [GLANCE]),
        (4.7, 0, [GLANCE, FIRST_DEPTH - GLANCE]),
        (4.2, 2.2, [GLANCE, FIRST_DEPTH - GLANCE, GLANCE, DEPTH - GLANCE]),
    ],
)
def test_a_lead_that_is_large_enough_ends_a_search(lead: float, further: float, compared: list[int]) -> None:
    """5 errors at a glance, 4.5 among the first nominated, 6 among more: measured in docs/index-engines.md."""
    faces = crowded(5_000, 4)
    engine = Told(5_000, DIMENSION, book(faces, 8))
    engine.put_many(0, faces)
    engine.tell(lead, further)
    assert 0 in engine.search(crowded(1, 5), 10)
    assert engine.compared == compared


def test_a_lead_that_ends_a_search_among_few_does_not_among_more() -> None:
    """One of 1,000 probes had been missed where 4 errors were enough at any depth: here every row is compared."""
    faces, query = crowded(5_000, 4), crowded(1, 5)
    engine = Told(5_000, DIMENSION, book(faces, 8))
    engine.put_many(0, faces)
    # 4.2 errors are not enough for 200, nor 5.4 for 4,000; of those told, row 0 would be the best.
    engine.tell(4.2, 1.2)
    assert np.argmax(faces @ query[0]) in engine.search(query, 10)
    assert engine.depths == [FIRST_DEPTH, DEPTH]


def test_nominated_rows_come_best_first_with_what_the_codes_make_of_them() -> None:
    """What `search` builds upon: a new FAISS that orders its answers in another way must not go unnoticed."""
    faces, queries = crowded(2_000, 19), crowded(10, 20)
    codebook = book(faces)
    engine = CodedRows(2_500, DIMENSION, codebook)
    engine.put_many(0, faces)
    scores, rows = engine._nominate(queries, 300)
    assert (np.diff(scores, axis=1) <= 0).all()
    exact = np.einsum("qnd,qd->qn", faces[rows], queries)
    assert np.median(np.abs(exact - scores)) < 0.02
    scores, rows = engine._nominate(queries, 2_100)
    assert (rows[:, :2_000] >= 0).all()
    assert (rows[:, 2_000:] == -1).all()


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        book(crowded(100, 6), 2)
    with pytest.raises(InvalidRequest):
        Codebook.fit(Moments(DIMENSION))


def test_empty_rows_are_nominated_by_no_score_above_the_mean() -> None:
    """A block that is nearly all holes still finds the one who is left, whatever the depth."""
    faces = crowded(2_000, 7)
    engine = CodedRows(2_000, DIMENSION, book(faces), depth=5)
    engine.put_many(0, faces)
    for row in range(1, 2_000):
        engine.clear(row)
    assert engine.search(faces[:1], 1).tolist() == [[0]]
    assert scores_of(engine, faces[:1], 2)[0, 1] == pytest.approx(0, abs=1e-2)


def test_a_codebook_holds_no_row() -> None:
    """R42: what is learned are a mean and a covariance; the points are of a normal distribution."""
    faces = crowded(300, 8)
    codebook = book(faces)
    inside = b"".join(part.tobytes() for part in (codebook.mean, codebook.turn, codebook.ask, codebook.centroids))
    assert not any(face[at : at + 2].tobytes() in inside for face in faces for at in range(0, DIMENSION, 2))


def test_the_same_moments_make_the_same_codebook() -> None:
    faces = crowded(300, 9)
    assert np.array_equal(book(faces).centroids, book(faces).centroids)


@pytest.mark.parametrize(("dimension", "groups"), [(8, 16), (128, 40), (256, 64), (512, 128)])
def test_groups_grow_with_the_dimension(dimension: int, groups: int) -> None:
    assert groups_for(dimension) == groups


@pytest.mark.parametrize(
    ("rows", "engine"),
    [(4_096, "exact"), (20_000, "exact"), (20_001, "fp16"), (50_000, "fp16"), (50_001, "codes")],
)
def test_auto_chooses_by_size(rows: int, engine: EngineName) -> None:
    assert Sizes().engine_for(rows, "auto") == engine


def test_a_small_place_is_exact_whatever_is_set() -> None:
    assert {Sizes().engine_for(4_096, choice) for choice in ("codes", "int8", "fp16")} == {"exact"}


def test_expected_rows_get_the_engine_of_them_all_at_once() -> None:
    """What a start does: one block of codes but for the rows that they were learned from, and those move on."""
    sizes = Sizes(small=64, exact_below=200, half_below=1_000, learned_from=256, largest_codes=4_096)
    index, faces = ReferenceIndex(sizes=sizes), vectors(3_000, 10)
    names = [f"r{number}" for number in range(3_000)]
    place = Place("shop", "login", MODEL)
    with index.adding() as adding:
        adding.expect(place, faces.shape[1], 3_000)
        for start in range(0, 3_000, 500):
            part = slice(start, start + 500)
            adding.add_many(ReferenceBatch(place, names[part], names[part], faces[part]))
    assert [(block.engine.name, block.used) for block in blocks(index)] == [("codes", 3_000)]
    assert [search(index, face, 1)[0].reference_id for face in faces[::100]] == names[::100]


def test_every_engine_says_what_it_costs() -> None:
    faces = crowded(300, 11)
    engines = [make_engine(name, 64, DIMENSION, book(faces), 10) for name in ("exact", "fp16", "int8", "codes")]
    assert [engine.name for engine in engines] == ["exact", "fp16", "int8", "codes"]
    assert [engine.bytes_per_row for engine in engines] == [128, 64, 32, 84]
    assert [engine.bytes_scanned for engine in engines] == [128, 64, 32, 20]
    assert all(engine.search(faces[:2], 3).shape == (2, 0) for engine in engines)


@pytest.mark.parametrize("name", ["exact", "fp16", "int8", "codes"])
def test_every_engine_finds_the_nearest_itself(name: EngineName) -> None:
    """Before anything is scored again: a nearest row that is not among the answers is lost."""
    faces = vectors(2_000, 12, DIMENSION)
    engine = make_engine(name, 2_000, faces.shape[1], book(faces), 200)
    engine.put_many(0, faces)
    probes = vectors(50, 13, DIMENSION)
    nearest = (probes @ faces.T).argmax(axis=1)
    assert (engine.search(probes, 10) == nearest[:, None]).any(axis=1).all()


@pytest.mark.parametrize("name", ["exact", "fp16", "int8", "codes"])
def test_scores_are_those_of_the_rows_as_they_are_kept(name: EngineName) -> None:
    faces = vectors(200, 21, DIMENSION)
    engine = make_engine(name, 200, DIMENSION, book(faces), 200)
    engine.put_many(0, faces)
    query, kept = vectors(1, 22, DIMENSION)[0], np.zeros(DIMENSION, np.float32)
    for row, score in zip((3, 190, 7), engine.scores(np.array([3, 190, 7]), query), strict=True):
        engine.read(row, kept)
        assert score == pytest.approx(kept @ query, abs=1e-6)
