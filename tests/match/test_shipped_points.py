"""The operating points that ship can be decided at, 1:1 and 1:N (R8)."""

import pytest

from faceauth.embed.manifest import pack_spec
from faceauth.match.operating_points import check, threshold_for_gallery


@pytest.mark.parametrize("pack", ["open", "retail", "retail-fine"])
def test_every_shipped_point_can_be_decided_at(pack: str) -> None:
    """One malformed point would stop every search: the choice looks at all of them."""
    points = pack_spec(pack).points(None)
    assert "fmr-1e-4" in points
    assert all(check(point) for point in points.values())
    assert threshold_for_gallery(points, 10).name in points
