"""`python -m faceauth`: the command line, where its script is not on the path."""

from faceauth.cli import app

app()
