"""What `client` refuses by name.

InputError
└── DataRequestError    a split, feature set or frame that cannot be used as asked
CrowdalphaError
└── ClientError
    ├── NotLoggedIn         no server or no key to talk to it with
    ├── ServerUnreachable   no answer, after the retries that the request allows
    ├── DownloadDamaged     a file that is not what the server said it would be
    ├── NoOpenRound         nothing takes submissions now
    ├── ReceiptMismatch     a receipt that is not for what was sent
    ├── TookTooLong         work on the server that was not done by the deadline
    └── Refused             the server said no; carries its code, field and row
"""

from crowdalpha.errors import CrowdalphaError, InputError

__all__ = [
    "ClientError",
    "DataRequestError",
    "DownloadDamaged",
    "NoOpenRound",
    "NotLoggedIn",
    "ReceiptMismatch",
    "Refused",
    "ServerUnreachable",
    "TookTooLong",
]


class DataRequestError(InputError):
    """A split, feature set or frame cannot be used as asked; the message says what there is."""

    code = "invalid_request"


class ClientError(CrowdalphaError):
    """A request to a server that came to nothing."""

    code = "client_error"


class NotLoggedIn(ClientError):  # noqa: N818 - named for what happened
    """There is no server or no key to talk to it with."""

    code = "not_logged_in"


class ServerUnreachable(ClientError):  # noqa: N818 - named for what happened
    """The server gave no answer."""

    code = "server_unreachable"


class DownloadDamaged(ClientError):  # noqa: N818 - named for what happened
    """A file came in other than the server said it would be; it was not kept."""

    code = "download_damaged"


class NoOpenRound(ClientError):  # noqa: N818 - named for what happened
    """No round of the tournament takes submissions now."""

    code = "no_open_round"


class ReceiptMismatch(ClientError):  # noqa: N818 - named for what happened
    """The server acknowledged something else than what was sent."""

    code = "receipt_mismatch"


class TookTooLong(ClientError):  # noqa: N818 - named for what happened
    """Work on the server was not done by the deadline; it goes on, and can be asked for again."""

    code = "took_too_long"


class Refused(ClientError):  # noqa: N818 - named for what happened
    """The server refused a request.

    Attributes
    ----------
    status : int
        HTTP status.
    code : str
        Stable name of the reason, such as `round_closed`.
    field, row
        Where the fault is, if the server says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        field: str | None = None,
        row: int | None = None,
        request_id: str | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.field = field
        self.row = row
        self.request_id = request_id
        super().__init__(message)
