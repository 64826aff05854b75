"""Face login that people agreed to."""

from importlib.metadata import version

__version__ = version("faceauth")
