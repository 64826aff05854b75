"""Gate `timing` (G0): what came over a stream came when the device says it was taken, and as an answer.

A recording played faster or slower, frames made ahead, or an answer that waits to be worked out show in the
clocks. The multipart post comes at once, so nothing is known of its times but what the device says.
"""

from typing import Final

import numpy as np

from faceauth.errors import LivenessDenied
from faceauth.liveness.case import Case

GATE: Final = "timing"


def check_timing(case: Case) -> None:
    """Hold the device's clock against the service's.

    The delay of a frame is when it was received less when it was taken. A network can only add to it, so the least
    delay over a while may not fall: then frames were taken later than they say. What it adds is bounded too.

    Raises:
        LivenessDenied: gate `timing`, an injection: the clocks run apart, frames were held back, or a step was
            answered before it was told or too long after.
    """
    received, told = case.evidence.received_ms, case.evidence.told_ms
    if received is None or told is None:
        return
    frames, profile = [face.frame for face in case.faces], case.profile
    if len(received) != len(frames):
        raise LivenessDenied(GATE, "The frames' times are not all there.", reason="injection")
    delays = np.array(received, np.float64) - [frame.t_ms for frame in frames]
    third = max(len(delays) // 3, 1)
    drift = float(delays[-third:].min() - delays[:third].min())
    spread = float(delays.max() - delays.min())
    case.record(GATE, "drift_ms", drift)
    case.record(GATE, "spread_ms", spread)
    if not drift >= -profile.drift_ms or not spread <= profile.held_back_ms:
        raise LivenessDenied(GATE, "The device's clock runs apart from the service's.", reason="injection")
    for step in case.challenge.steps:
        at = next(when for when, frame in zip(received, frames, strict=True) if frame.step == step.id)
        after = at - told.get(step.id, at + 1)
        # The first step is told before the person is in place, and its frames begin when they are.
        if after < 0 or (step is not case.challenge.steps[0] and after > profile.answer_ms):
            raise LivenessDenied(GATE, "A step was answered before it was told, or too late.", reason="injection")
