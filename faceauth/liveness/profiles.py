"""Named levels of liveness: which motions are asked for, and every threshold with where it is from.

Thresholds marked "study" are those of this project's preliminary study on rendered heads; the others were chosen
on the simulated camera and a real clip. Both: docs/liveness.md. They are where to start, not claims: measure with
real sessions before relying on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from faceauth.types import StepKind

TURNS: Final[tuple[StepKind, ...]] = ("turn_left", "turn_right")
NODS: Final[tuple[StepKind, ...]] = ("nod_up", "nod_down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One level of liveness. Times are in ms, lengths in eye distances (IPD) unless said otherwise.

    Attributes:
        name: as scenarios and challenges name it.
        flash: whether the screen's colours are looked for on the skin (G4).
        passive: whether the passive models must find the face living (G2).
        motions: how many motions a challenge has.
        firsts: motions that may be drawn first: `closer` is not among them, for it shows no solid head.
        others: motions that may be drawn after the first.
        colours: how many colours a flash shows.
        colour_ms: for how long each; 400 ms is less than three flashes a second (WCAG 2.2, 2.3.1).
        center_ms: how long the first look into the camera lasts.
        motion_ms: how long a motion step lasts.
        return_ms: how long a look into the camera after a motion lasts, the way back included.
        slack_ms: by how much the frames of a step may span less, one frame's interval at the slowest rate allowed.
        drift_ms: by how much a stream's delay may fall from its first third to its last (own figure; frames that
            come at twice the speed they say fall by a second and more).
        held_back_ms: how much later than another a frame may arrive (own figure: a network that stood still).
        answer_ms: how long after a step was told its first frame may come (own figure: the network both ways).
        least_fps: slowest mean rate of frames; study: 8 to 60 a second.
        most_fps: fastest mean rate.
        longest_gap_ms: longest time between two frames: with more, somebody could be swapped unseen.
        longest_ms: longest session (R15).
        least_frames: fewest frames of a step.
        steady_ms: the head must face the camera for this long before a motion.
        steady_nose: how far the nose may stand from where it was, while facing the camera; a detector's landmarks
            tremble by as much on a face seen from the side.
        nose_turn: how far the nose must go in a turn, to the commanded side. For a nod landmarks are too uncertain
            (a laughing mouth moves the face's frame); there γ alone tells, which has a side too.
        way_least: how far the face's texture must go to the commanded side.
        way_aside: how far it may go across it, as a share of that.
        way_best: how far the texture goes where a motion is judged best; further on, a face hides parts of itself.
        reaction_ms: nobody's head is on its way earlier than this after a prompt.
        nose_astray: how far it may be to the other side while a motion is asked for, or on its way too early.
        closer_least: how much larger the face must get by coming closer.
        closer_soon: nobody's face has grown by so much earlier than a reaction takes.
        least_eye_px: pixels between the eyes, facing the camera (study, G1: 50).
        least_tracked: points that must be followed through a step (study, G1: 40).
        least_kept: share of the points that must be found again in each next frame; a face that is swapped for
            another leaves few (docs/liveness.md has the figures).
        parallax: least γ of the motions' mean (study, G3: 0.12 of a turn or a nod).
        parallax_each: least γ of each motion; flat and bent pictures reach it by noise in one, not in all.
        off_plane: least median residual of a homography over a turn, against what is exactly flat.
        flash_least: the least share of the face's light that the screen must make (study, G4: 0.012).
        flash_clear: with less, a light that fits neither colours nor face may be the camera's noise.
        flash_rho: least correlation with the colours that were told (study, G4: 0.85).
        flash_shape: least correlation with how light falls on a face (study, G4: 0.45 for another statistic).
        flash_flat: below this it falls as on something flat, and up to flash_shape one more flash is asked for
            (own figure: of 200 simulated sessions, pack `open`, none was below .37).
        passive_frames: fewest key frames that the passive models are shown (study, G2: 5).
        passive_pass: from this median on they find the face living (study, G2: 0.80; docs/passive.md).
        passive_fail: below this median it is a picture (study, G2: 0.50); between both they cannot tell.
        same_point: the embedder's operating point whose threshold any two facing frames must reach.
        too_constant: cosine above which all frames, turned ones too, are one frozen picture (study, G1: 0.999).
        least_faces: fewest frames that face the camera.
        best_faces: how many frames go on to be embedded.
    """

    name: str
    flash: bool = False
    passive: bool = False
    motions: int = 2
    firsts: tuple[StepKind, ...] = TURNS
    others: tuple[StepKind, ...] = (*TURNS, *NODS, "closer")
    colours: int = 6
    colour_ms: int = 400
    center_ms: int = 450
    motion_ms: int = 900
    return_ms: int = 1000
    slack_ms: int = 130
    drift_ms: int = 400
    held_back_ms: int = 2500
    answer_ms: int = 2500
    least_fps: float = 8.0
    most_fps: float = 60.0
    longest_gap_ms: int = 400
    longest_ms: int = 60_000
    least_frames: int = 4
    steady_ms: int = 200
    steady_nose: float = 0.12
    nose_turn: float = 0.03
    way_least: float = 0.12
    way_aside: float = 0.8
    way_best: float = 0.5
    reaction_ms: int = 100
    nose_astray: float = 0.15
    closer_least: float = 1.2
    closer_soon: float = 1.1
    least_eye_px: float = 50.0
    least_tracked: int = 40
    least_kept: float = 0.5
    parallax: float = 0.12
    parallax_each: float = 0.05
    off_plane: float = 0.018
    flash_least: float = 0.012
    flash_clear: float = 0.03
    flash_rho: float = 0.85
    flash_shape: float = 0.4
    flash_flat: float = 0.33
    passive_frames: int = 5
    passive_pass: float = 0.80
    passive_fail: float = 0.50
    same_point: str = "fmr-1e-3"
    too_constant: float = 0.999
    least_faces: int = 3
    best_faces: int = 6

    @property
    def qualifies(self) -> bool:
        """Whether the level is one of the presentation-attack detection that R10's looser limits are meant for."""
        return self.flash

    @property
    def without_flash(self) -> "Profile":
        """The same level with a second motion in place of the flash; itself where there is none."""
        return next(one for one in _ALL if not one.flash and one.passive == self.passive) if self.flash else self

    def at_least(self, other: "Profile") -> bool:
        """Say whether every gate of `other` is one of this level's too."""
        return self.flash >= other.flash and self.passive >= other.passive

    def min_ms(self, kind: StepKind, *, first: bool) -> int:
        """Return how long a step of this kind must last; `first` says that it opens the session."""
        if kind == "flash":
            return self.colours * self.colour_ms
        if kind == "center":
            return self.center_ms if first else self.return_ms
        return self.motion_ms


MOTION: Final = Profile(name="motion")
"""Integrity, continuity and the parallax of a solid head: gates G0, G1, G3 and G3b of docs/liveness.md."""

MOTION_FLASH: Final = replace(MOTION, name="motion+flash", flash=True, motions=1, firsts=(*TURNS, *NODS))
"""One motion, and the screen's colours on the skin: gate G4 instead of a second motion."""

_ALL: Final = (
    MOTION,
    MOTION_FLASH,
    replace(MOTION, name="motion+passive", passive=True),
    replace(MOTION_FLASH, name="motion+flash+passive", passive=True),
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({profile.name: profile for profile in _ALL})
"""Every level by its name."""
