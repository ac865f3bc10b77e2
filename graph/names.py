"""Names that need no database: Spark's executors know them without its driver installed."""

from __future__ import annotations

RESERVED_RELATIONS = frozenset({"CLICKED", "SAME_SESSION", "CO_CLICKED"})
"Relations that recsys writes itself; a link table may not use these names."
