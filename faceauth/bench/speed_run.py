"""The whole of `faceauth bench speed`: load the packs, quantise, race stage by stage."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from faceauth.bench.contenders import BATCHES, Entrant, aligning, camera_sized, decoding, detecting, embedding
from faceauth.bench.dataset import Picture, read_folder, several_each
from faceauth.bench.int8 import Int8Accuracy, measure_int8
from faceauth.bench.quantised import embedder_bytes
from faceauth.bench.speed import Progress, Timing, race
from faceauth.embed.manifest import pack_spec
from faceauth.embed.packs import load_spec
from faceauth.errors import InvalidRequest
from faceauth.sections import InferenceSettings
from faceauth.types import Image

_IMAGES = 16
"""Different pictures that decoding, detection and alignment go through in turn."""


def measure_speed(
    data: Path,
    packs: Sequence[str],
    *,
    models_dir: Path,
    manifest: Path | None,
    inference: InferenceSettings | None = None,
    rounds: int,
    pictures: int,
    from_dir: Path | None,
    progress: Progress,
) -> tuple[tuple[Timing, ...], tuple[Int8Accuracy, ...]]:
    """Time every stage, one after the other.

    Args:
        data: A folder of folders of pictures.
        packs: Who takes part; the first is what the others are compared with.
        models_dir: Where they are installed.
        manifest: A manifest of one's own.
        inference: On what the embedders run too, beside the CPU, on which they always do.
        rounds: How often each contender is timed.
        pictures: How many pictures int8 is tried on; whole people, from the first ones.
        from_dir: Where dlib's network lies; see `package_file`.
        progress: Is told what is done.

    Raises:
        InvalidRequest: There are too few pictures.
        ModelError: A pack is not installed, or dlib's network cannot be had.
    """
    cv2.setNumThreads(1)
    provider = "cpu" if inference is None else inference.provider
    found = read_folder(data)
    entrants, costs = [], []
    for name in packs:
        spec, folder = pack_spec(name, manifest), models_dir / name
        pack = load_spec(spec, folder, inference)
        if spec.embedder.runtime != "onnx" or spec.embedder.batch == "one":
            raise InvalidRequest(f"The pack {name} embeds one chip at a time, or by a package's own class.")
        int8, cost = measure_int8(pack, spec, folder, several_each(found)[:pictures], progress=progress)
        costs.append(cost)
        entrants.append(Entrant(pack, spec, folder, embedder_bytes(spec, folder), int8, provider))
    images = _images(found)
    stages = [decoding(images), detecting(entrants, images), aligning(entrants, images)]
    timings = [one for stage in stages if stage for one in race(stage, rounds=rounds, progress=progress)]
    for batch in BATCHES:
        racing = embedding(entrants, batch=batch, from_dir=from_dir, models_dir=models_dir)
        timings += race(racing, rounds=rounds, progress=progress)
    return tuple(timings), tuple(costs)


def _images(pictures: Sequence[Picture]) -> list[Image]:
    images = []
    for picture in pictures[:: max(1, len(pictures) // _IMAGES)][:_IMAGES]:
        read = cv2.imread(str(picture.path))
        if read is not None:
            images.append(camera_sized(np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)))
    if not images:
        raise InvalidRequest("None of the pictures can be read.")
    return images
