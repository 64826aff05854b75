"""Face login that people agreed to."""

import os
from importlib.metadata import version

__version__ = version("faceauth")

# From 1.29 on, ONNX Runtime's own builds keep an identifier of the machine under ~/.cache/Microsoft and send
# events to Microsoft from the moment they are imported (their Privacy.md). Nothing of this service goes to anyone,
# so it is switched off before anything of ours can import them; their API could only do it too late.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
