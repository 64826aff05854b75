"""Structured logs, one JSON object a line, without secrets, bodies, vectors or scores (R9, R24)."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

HIDDEN: Final = "[hidden]"

LONGEST: Final = 500
"""Characters of one value; nothing that belongs into a log is longer (own figure)."""

TURNED_AWAY: Final = "ASGI callable returned without completing handshake."
"""What uvicorn 0.54 says, as an error, of every WebSocket that is answered with a status instead of let in."""

SOCKET: Final = '%s - "WebSocket %s"'
"""What begins uvicorn's line for every WebSocket, access log or none: the person's address, and the path."""

_SECRET_NAMES: Final = re.compile(
    r"token|secret|password|authorization|cookie|api_?key$|vector|embedding|score|frame_bytes|body|image|pixels",
    re.IGNORECASE,
)
_SECRET_VALUES: Final = re.compile(
    r"\bf[ac]_[A-Za-z0-9_-]{16,}"  # API keys and client tokens
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # signed tokens
    r"|(?<=://)[^/\s@]+:[^/\s@]+(?=@)"  # user and password in an address
)


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what must not be logged, by its name, by its shape, or because it is no plain value."""
    return {name: _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: Any) -> Any:
    if _SECRET_NAMES.search(name):
        return HIDDEN
    match value:
        case None | bool() | int():
            shown: Any = value
        case float():
            shown = round(value, 3)
        case str():
            shown = _SECRET_VALUES.sub(HIDDEN, value)[:LONGEST]
        case Mapping():
            shown = {str(key): _shown(str(key), inner) for key, inner in value.items()}
        case list() | tuple() if len(value) <= 20 and all(isinstance(one, str) for one in value):
            shown = [_shown(name, one) for one in value]
        case _:
            shown = HIDDEN  # bytes, arrays and objects could carry a face
    return shown


def configure_logging(level: str = "INFO") -> None:
    """Send structlog's events and the standard library's through one JSON writer on standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [_exception_kind, hide_secrets, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Alembic tells at every start that it found nothing to do.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Each WebSocket has a line of ours, without address and path.
    logging.getLogger("uvicorn.error").addFilter(_is_of_no_socket)
    # It would write down every address that a message goes to, and some are secrets themselves.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _is_of_no_socket(record: logging.LogRecord) -> bool:
    return record.msg != TURNED_AWAY and not str(record.msg).startswith(SOCKET)


def _exception_kind(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tell an exception by its kind and place: its text may quote what somebody sent."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        if (trace := _innermost(error)) is not None:
            event["at"] = trace
    event.pop("exception", None)
    event.pop("stack_info", None)
    return event


def _innermost(error: BaseException) -> str | None:
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{code.co_qualname}:{trace.tb_lineno}" if hasattr(code, "co_qualname") else code.co_name
