"""Logging: structured events through the standard library, silent until the operator configures that.

An event is a snake_case name in the past tense with keys, written once, where a state changed.
"""

import logging
from typing import cast

import structlog
from structlog.stdlib import BoundLogger

__all__ = ["get_log"]


def get_log(name: str) -> BoundLogger:
    """Return the logger of a module; it needs no global configuration and shares none."""
    logger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, structlog.processors.KeyValueRenderer(key_order=["event"])],
        wrapper_class=BoundLogger,
    )
    return cast("BoundLogger", logger)
