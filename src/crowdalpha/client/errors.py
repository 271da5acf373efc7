"""What `client` refuses by name.

InputError
└── DataRequestError    a split, feature set or frame that cannot be used as asked
"""

from crowdalpha.errors import InputError

__all__ = ["DataRequestError"]


class DataRequestError(InputError):
    """A split, feature set or frame cannot be used as asked; the message says what there is."""

    code = "invalid_request"
