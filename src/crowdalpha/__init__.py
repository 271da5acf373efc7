"""The open, self-hostable platform for crowdsourced alpha."""

__version__ = "0.1.0"
