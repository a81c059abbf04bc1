"""How much of a request is read: what says it is too large is not read, what proves to be is given up in the middle.

It looks into no body. The rule that must not be broken: no more of a request than its bound is ever held.
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive


class TooLarge(HTTPException):
    """More was sent than may be; the framework's own kind, which it lets through where it reads a body."""

    def __init__(self, limit: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body of at most {limit} bytes")


def told_length(headers: Headers) -> int:
    """Return how many bytes a request says it has, 0 where it does not say."""
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() else 0


def bounded(receive: Receive, limit: int) -> Receive:
    """Return how a request is read of which at most `limit` bytes are; the one that reads on meets `TooLarge`."""
    read = 0

    async def heard() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise TooLarge(limit)
        return message

    return heard
