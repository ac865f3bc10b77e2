"""The edges of link tables by pandas alone, to be held against the graph."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd


def link_edges(links: pd.DataFrame, queries: Collection[str], items: Collection[str]) -> pd.Series:
    """Return how many edges each relation has from each label.

    Args:
        links: Columns source, relation and target.
        queries: Ids of all queries; a link leaves the query and the item of its source, an anchor where it is neither.
        items: Ids of all items.

    Returns:
        Edges by (relation, source label).
    """
    links = links[links["source"] != links["target"]].drop_duplicates(["source", "relation", "target"])
    is_query, is_item = links["source"].isin(queries), links["source"].isin(items)
    ends = {"Query": is_query, "Item": is_item, "Anchor": ~(is_query | is_item)}
    counts = {label: links[leaves].groupby("relation").size() for label, leaves in ends.items()}
    return pd.concat({label: count for label, count in counts.items() if len(count)}).swaplevel().sort_index()
