"""A simulated camera: one photograph becomes the frames of a turning head, or of an attack.

It is a fixture for tests, for ``faceauth demo`` and for measurements of the liveness gates. It looks at one
photograph only, so whatever it shows says nothing about accuracy on living people.
"""

from faceauth.simulate.attacks import Screen, record
from faceauth.simulate.camera import Camera
from faceauth.simulate.session import SimulatedFrame, simulate_session
from faceauth.simulate.surface import Head, Print, Subject

__all__ = ["Camera", "Head", "Print", "Screen", "SimulatedFrame", "Subject", "record", "simulate_session"]
