"""Why a request was not answered with scores: a status, a short code for programs, a sentence, and the place."""

from __future__ import annotations

from typing import Any

LONGEST, LONGEST_NAME = 600, 200  # characters of what a caller is told, whatever it sent


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of the server
    """A request that gets no scores; it travels between processes.

    Args:
        status: HTTP status.
        code: one word for programs.
        message: one sentence for people, cut where it is long.
        row: the row that is wrong, counted from 0 over the whole request.
        column: the column that is wrong.
        retry_after: seconds after which the same request may be sent again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        row: int | None = None,
        column: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        message = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.row, self.column, self.retry_after = row, column and column[:LONGEST_NAME], retry_after

    def __reduce__(self) -> Any:
        return _same, (self.status, self.code, self.message, self.row, self.column, self.retry_after)

    @property
    def body(self) -> dict[str, Any]:
        """What the caller is told."""
        said: dict[str, Any] = {"code": self.code, "message": self.message}
        said |= {name: value for name, value in (("row", self.row), ("column", self.column)) if value is not None}
        return {"error": said}

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def _same(
    status: int, code: str, message: str, row: int | None, column: str | None, retry_after: int | None
) -> Refusal:
    return Refusal(status, code, message, row=row, column=column, retry_after=retry_after)


def wrong(message: str, row: int | None = None, column: str | None = None) -> Refusal:
    """422: the request can be read, but its content cannot be scored.

    Example:
        >>> wrong("needs a text", 3, "completion").body["error"]["message"]
        'row 3, column `completion`: needs a text'
    """
    place = [f"row {row}"] if row is not None else []
    place += [f"column `{column[:80]}`"] if column is not None else []
    said = f"{', '.join(place)}: {message}" if place else message
    return Refusal(422, "wrong_content", said, row=row, column=column)


def too_large(message: str, row: int | None = None, column: str | None = None) -> Refusal:
    """413: more than the server takes on."""
    refusal = wrong(message, row, column)
    return Refusal(413, "too_large", refusal.message, row=row, column=column)
