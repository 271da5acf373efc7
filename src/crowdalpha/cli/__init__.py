"""The command line: parse, call one function, print."""

from crowdalpha.cli.app import main

__all__ = ["main"]
