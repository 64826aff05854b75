"""The OpenAPI document: what FastAPI derives, with an example everywhere, our errors and who may call."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from faceauth.api.problems import MEDIA_TYPE
from faceauth.api.wire.base import Answer, Problem, Request

DESCRIPTION: Final = (
    "Face login that people agreed to. Three calls from the backend: record the consent, open a session, read "
    "its outcome. The device posts frames with the session's own token. Errors are problem documents with a "
    "stable code. Elsewhere, because people or WebSockets come there: GET /v1/sessions/{session_id}/stream "
    "(docs/streaming.md), /oauth2/authorize and /oauth2/logout (docs/openid.md), and the pages under /ui."
)

SCHEMES: Final[dict[str, Any]] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key (fa_…), for one tenant and role."},
    "clientToken": {"type": "http", "scheme": "bearer", "description": "A session's client token, for it alone."},
}


def build_document(app: FastAPI, version: str) -> dict[str, Any]:
    """Return the document for this app."""
    document = get_openapi(title="faceauth", version=version, description=DESCRIPTION, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = SCHEMES
    for model in _models(Request, Answer):
        if model.__name__ in schemas and (extra := model.model_config.get("json_schema_extra")):
            # FastAPI drops every null on the way, and an example without its nulls would not fit its schema.
            schemas[model.__name__].update(extra)
    for operation in _operations(document):
        _add_errors(operation, schemas["Problem"]["examples"][0])
        _add_security(operation)
        _plain_body(operation)
        _add_examples(operation, schemas)
    return document


def _models(*roots: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for root in roots:
        yield root
        yield from _models(*root.__subclasses__())


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _add_errors(operation: dict[str, Any], example: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "A problem: branch on its code.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _add_security(operation: dict[str, Any]) -> None:
    tags = operation.get("tags", [])
    if {"device", "person"} & set(tags):
        operation["security"] = [{"clientToken": []}]
    elif not {"service", "openid"} & set(tags):
        operation["security"] = [{"apiKey": []}]


def _plain_body(operation: dict[str, Any]) -> None:
    """Say of a body that may be left out what it is; that it may be left out is said beside it."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        kinds = [one for one in content.get("schema", {}).get("anyOf", ()) if one != {"type": "null"}]
        if len(kinds) == 1:
            content["schema"] = kinds[0]


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for content in body.get("content", {}).values():
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            examples = schemas.get(name, {}).get("examples")
            if examples and "example" not in content:
                content["example"] = examples[0]
