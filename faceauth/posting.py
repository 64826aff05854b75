"""A burst that came as one post: its frames, and what is known of them beside their pixels."""

from collections.abc import Sequence

from faceauth.capture.burst import Burst, read_burst
from faceauth.liveness.chain import chain_of
from faceauth.sections import CaptureSettings
from faceauth.types import Challenge, Evidence


def read_post(
    parts: Sequence[bytes],
    timeline: object,
    challenge: Challenge,
    limits: CaptureSettings,
    *,
    unverified_chain: object = None,
    unverified_signature: object = None,
) -> Burst:
    """Decode a post's frames, and hash them as the device may have done.

    Args:
        parts: the pictures as received, in order.
        timeline: the parsed JSON that came with them.
        challenge: what they answer.
        limits: caps on frames, bytes and pixels.
        unverified_chain: what the device says is the last hash, if anything; it is compared here.
        unverified_signature: what it says is its key's signature over that hash; it is checked later.

    Raises:
        InvalidImage, ImageTooLarge, InvalidTimeline, TooManyFrames: as in `read_burst`.
        LivenessDenied: the device's chain is another.
    """
    frames = read_burst(parts, timeline, challenge, limits)
    own = chain_of(challenge, zip([frame.t_ms for frame in frames], parts, strict=True))
    own.check(unverified_chain)
    return Burst(frames, evidence=Evidence(chain=own.digest, unverified_signature=unverified_signature))
