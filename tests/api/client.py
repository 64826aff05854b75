"""Starlette's test client, which warns at import that httpx has a successor; our lock pins httpx."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["TestClient"]
