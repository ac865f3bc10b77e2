"""Names of the columns of clicks, items and links, and the usual names they are found under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from recsys.core.errors import UsageError

QUERY_TEXT: Final = "query_text"
QUERY_ID: Final = "query_id"
ITEM_ID: Final = "item_id"
ITEM_TITLE: Final = "item_title"
SESSION: Final = "session"
TIMESTAMP: Final = "timestamp"
COUNT: Final = "count"
EVENT: Final = "event"
SOURCE: Final = "source"
RELATION: Final = "relation"
TARGET: Final = "target"
NODE_ID: Final = "node_id"
NODE_TEXT: Final = "node_text"

FIRST_SEEN: Final = "first_seen"
LAST_SEEN: Final = "last_seen"
"When an item was first and last clicked, as a log says: properties of its node and columns of its payload."

USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    QUERY_TEXT: ("query_text", "query", "search_query", "search_term", "keywords", "text", "q"),
    QUERY_ID: ("query_id", "qid"),
    ITEM_ID: ("item_id", "item", "product_id", "doc_id", "clicked_item", "label_id", "asin", "sku"),
    ITEM_TITLE: ("item_title", "title", "product_title", "name", "label_text"),
    SESSION: ("session", "session_id", "visit_id"),
    TIMESTAMP: ("timestamp", "time", "ts", "event_time", "clicked_at"),
    COUNT: ("count", "clicks", "click_count"),
    EVENT: ("event", "event_type", "event_name"),
    SOURCE: ("source", "source_id", "from"),
    RELATION: ("relation", "type", "predicate"),
    TARGET: ("target", "target_id", "to"),
    NODE_ID: ("node_id", "id"),
    NODE_TEXT: ("node_text", "title", "text", "name"),
}
"Column to the names it is looked for under, in order, whatever the case."


class ColumnMissingError(UsageError):
    """A column is neither named by a flag nor present under a usual name."""

    def __init__(self, wanted: str, tried: Sequence[str], present: Sequence[str], where: str) -> None:
        self.wanted = wanted
        self.present = tuple(present)
        flag = "--event-column" if wanted == EVENT else "--" + wanted.replace("_", "-")
        super().__init__(
            f"{where} has no column for {wanted} (looked for {', '.join(tried)}; "
            f"present: {', '.join(present) or 'none'}); name it with {flag} COLUMN"
        )


def find_columns(
    present: Sequence[str],
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    named: Mapping[str, str | None] | None = None,
    where: str = "the input",
) -> dict[str, str]:
    """Match our columns to those of a file.

    Args:
        present: Columns of the file.
        required: Our columns that must be found.
        optional: Our columns that may be missing.
        named: Our column to the file's column, as given by flags; None counts as not given.
        where: Name of the file in errors.

    Returns:
        Our column to the file's column, for those found.

    Raises:
        ColumnMissingError: A named or required column is not there.
    """
    by_lower = {column.strip().lower(): column for column in reversed(present)}
    named = named or {}
    found: dict[str, str] = {}
    for ours in (*required, *optional):
        given = named.get(ours)
        tried = (given,) if given else USUAL_NAMES[ours]
        match = next((column for column in present if column == given), None)
        if given is None:
            match = next((by_lower[name] for name in tried if name in by_lower), None)
        if match is not None:
            found[ours] = match
        elif given or ours in required:
            raise ColumnMissingError(ours, tried, present, where)
    return found
