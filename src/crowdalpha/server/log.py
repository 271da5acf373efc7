"""Logging: structured events through the standard library, silent until the operator's process configures that.

An event is a snake_case name in the past tense with keys, written once, where a state changed. `request_id` and
`job_id` are added to every event that is written while a request or a job is worked on.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Literal, cast

import structlog
from structlog.stdlib import BoundLogger

__all__ = ["LogFormat", "configure_logging", "get_log"]

LogFormat = Literal["auto", "json", "text"]

EVENT = "crowdalpha_event"
"""Attribute of a record under which its keys lie."""
QUIET = ("procrastinate", "uvicorn.access", "uvicorn.error", "httpx2", "asyncio")
"""Loggers that tell of each of their steps; of these only warnings."""


def get_log(name: str) -> BoundLogger:
    """Return the logger of a module; it needs no global configuration and shares none."""
    logger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, _to_record],
        wrapper_class=BoundLogger,
    )
    return cast("BoundLogger", logger)


def configure_logging(*, style: LogFormat = "auto", level: str = "INFO") -> None:
    """Write the log of this process to its standard error; for commands that run a platform, once.

    Parameters
    ----------
    style : {"auto", "json", "text"}
        A line a record: JSON for programs, text for people; `auto` is text on a terminal.
    level : str
        Least important level that is written.
    """
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if as_json else _TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _to_record(_: object, __: str, event: MutableMapping[str, object]) -> tuple[tuple[str], dict[str, object]]:
    """Give the standard library a readable message, and the keys beside it for a formatter that wants them."""
    options = {name: event.pop(name) for name in ("exc_info", "stack_info") if name in event}
    words = [f"{name}={value!r}" for name, value in (("event", event.get("event")), *event.items()) if name != "event"]
    message = " ".join([f"event={event.get('event')!r}", *words])
    return (message,), {**options, "extra": {EVENT: dict(event)}}


def _keys(record: logging.LogRecord) -> dict[str, object]:
    event = getattr(record, EVENT, None)
    keys = dict(event) if isinstance(event, dict) else {"event": record.getMessage()}
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {"at": at, "level": record.levelname.lower(), "logger": record.name, **keys}


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        keys = _keys(record)
        if record.exc_info:
            keys["exception"] = self.formatException(record.exc_info)
        return json.dumps(keys, default=str)


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        keys = _keys(record)
        at, level, event = str(keys.pop("at"))[11:19], str(keys.pop("level")), keys.pop("event")
        keys.pop("logger")
        line = f"{at} {level:<7} {event} " + " ".join(f"{name}={value}" for name, value in keys.items())
        return line.rstrip() + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")
