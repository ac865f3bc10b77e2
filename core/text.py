"""The one normalisation of query text, and the id a query gets from it."""

from __future__ import annotations

import hashlib
import unicodedata

TEXT_ID_PREFIX = "text:"


def normalise(text: str) -> str:
    """Return ``text`` in NFKC, case-folded, with runs of white space made one blank and none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def query_id(text: str) -> str:
    """Return the id of a query that came without one: a prefix and 80 bits of BLAKE2b of its normalised text."""
    return (
        TEXT_ID_PREFIX + hashlib.blake2b(normalise(text).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
    )
