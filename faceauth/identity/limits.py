"""The named profiles of attempt limits: what the settings choose from, each figure with its source (R10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from faceauth.identity.attempts import NIST_BASE, NIST_PAD, AttemptProfile
from faceauth.identity.places import PlaceLimits, PlaceProfile
from faceauth.identity.rates import RateLimits, RateProfile


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of one name: an account's without and with qualifying liveness, of places, and of requests."""

    name: str
    account: AttemptProfile
    qualifying: AttemptProfile
    places: PlaceProfile
    requests: RateProfile


PLACES: Final = PlaceProfile(
    device=PlaceLimits(verify=20, search=10),
    network=PlaceLimits(verify=200, search=30),
    source=(
        "own figures, for NIST SP 800-63B-4 §3.2.3 limits accounts only. A device: the free attempts of four "
        "accounts. A network: an office or a carrier shares one address; 200 tries with strangers' faces at a "
        "false match rate of 1e-4 let in 0.02 an hour, before liveness. A search is a try at everybody: fewer."
    ),
)
"""The limits of places beside those of NIST."""

REQUESTS: Final = RateProfile(
    authorize=RateLimits(network=60, client=600),
    token=RateLimits(network=300, client=1200),
    source=(
        "own figures. A login begins with one request from a person's network, and ends with one for its tokens "
        "from its client's. What one network may ask for is no more than a quarter of what a client may."
    ),
)
"""The limits of the OpenID provider's endpoints beside those of NIST."""

_STRICT: Final = AttemptProfile(
    name="strict",
    free=3,
    first_wait=timedelta(seconds=60),
    longest_wait=timedelta(hours=1),
    disable_after=20,
    source="own figures, all below NIST SP 800-63B-4 §3.2.3; no level of liveness loosens them",
)

LIMITS: Final[Mapping[str, Limits]] = {
    limits.name: limits
    for limits in (
        Limits("nist-63b-4", NIST_BASE, NIST_PAD, PLACES, REQUESTS),
        Limits(
            "strict",
            _STRICT,
            _STRICT,
            PlaceProfile(
                device=PlaceLimits(verify=10, search=5),
                network=PlaceLimits(verify=60, search=10),
                source="own figures: half of the other profile's and less",
            ),
            RateProfile(
                authorize=RateLimits(network=30, client=300),
                token=RateLimits(network=150, client=600),
                source="own figures: half of the other profile's",
            ),
        ),
    )
}
"""By name, as `ATTEMPTS__PROFILE` has it."""
