"""The web server of one process: its port, its signals, its end."""

import signal
import socket

import uvicorn
from fastapi import FastAPI

from crowdalpha.server.errors import ServerError

__all__ = ["PortTaken", "bound_socket", "serve"]

DRAIN_S = 20
"""Seconds that requests under way have to end after a signal to stop."""
BACKLOG = 2048


class PortTaken(ServerError):  # noqa: N818 - named for what happened
    """The port cannot be listened on."""

    code = "port_taken"


def bound_socket(host: str, port: int) -> socket.socket:
    """Take a port before anything else is started; 0 takes any that is free.

    Raises
    ------
    PortTaken
        If another program has it, or this user may not have it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PortTaken(f"port {port} on {host}: {reason}; stop what uses it, or choose another with --port") from error
    return listening


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Answer requests until SIGTERM or Ctrl-C; those under way are answered first."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _already_ended)  # uvicorn raises a signal again once it has ended by it
    uvicorn.Server(config).run(sockets=[listening])


def _already_ended(_: int, __: object) -> None:
    """Let the caller end in order, and close what it opened."""
