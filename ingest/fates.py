"""What became of the rows of a retry, in two bytes a row."""

from __future__ import annotations

from array import array

_UNTRIED, _IN, _FIRST_REASON = 0, 1, 2


class Fates:
    """Which rows went in and why others did not, by id.

    Attributes:
        reasons: Reason code to its number, of rows that did not go in.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, int] = {}
        self._codes = array("H")

    def fail(self, id_: int, reason: str) -> None:
        """Row ``id_`` was refused for ``reason``."""
        self._set(id_, self.reasons.setdefault(reason, _FIRST_REASON + len(self.reasons)))

    def bring_in(self, id_: int) -> None:
        """Row ``id_`` went in, unless it was refused."""
        if self._code(id_) == _UNTRIED:
            self._set(id_, _IN)

    def of(self, id_: int) -> str | None:
        """Return why ``id_`` was refused; the empty text where it went in, None where it was not tried."""
        code = self._code(id_)
        return None if code == _UNTRIED else "" if code == _IN else list(self.reasons)[code - _FIRST_REASON]

    def _code(self, id_: int) -> int:
        return self._codes[id_] if id_ < len(self._codes) else _UNTRIED

    def _set(self, id_: int, code: int) -> None:
        missing = id_ + 1 - len(self._codes)
        if missing > 0:
            self._codes.frombytes(bytes(2 * missing))
        self._codes[id_] = code
