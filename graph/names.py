"""Names that need no database: Spark's executors know them without its driver installed."""

from __future__ import annotations

from typing import Final

RESERVED_RELATIONS = frozenset({"CLICKED", "SAME_SESSION", "CO_CLICKED"})
"Relations that recsys writes itself; a link table may not use these names, nor one that ends in ``WALKED``."

WALKED: Final = "_WALKED"
"What random walks over a relation lead to has its name with this after it."


def is_reserved(relation: str) -> bool:
    """True for names that recsys keeps for relations it writes itself."""
    return relation in RESERVED_RELATIONS or relation.endswith(WALKED)


def unwalked(relation: str) -> str:
    """Return the relation that was walked, or ``relation`` itself."""
    return relation.removesuffix(WALKED)
