"""``CO_CLICKED``: items that the same queries and sessions lead to, by cosine, on integer rows.

Shape letters: Q queries, I items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array, vstack

from recsys.graph.pages import Edges

TOP: Final = 10
"Neighbours kept per item."
MAX_ITEMS: Final = 30
"Items that one query vouches for at most; a hash chooses among more."
MAX_MATES: Final = 10
"Queries of its sessions from which a query takes items, those with the most sessions."

_PAGE_QUERIES = 20_000
_PAGE_PRODUCTS = 5_000_000
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def contexts(
    clicked_QI: csr_array, sessions_QQ: csr_array, max_items: int = MAX_ITEMS, max_mates: int = MAX_MATES
) -> csr_array:
    """Return for each query the items that it, or a query of its sessions, clicked.

    Args:
        clicked_QI: Clicks of query on item.
        sessions_QQ: Sessions that two queries share.
        max_items: Items per query: the most clicked ones of its own, then those of most mates.
        max_mates: Queries of its sessions that a query takes items from.

    Returns:
        Ones, of shape (Q, I).
    """
    own_QI = _ones(_largest(clicked_QI, max_items))
    mates_QQ = _ones(_largest(sessions_QQ, max_mates))
    pages = []
    for start in range(0, own_QI.shape[0], _PAGE_QUERIES):
        rows = slice(start, start + _PAGE_QUERIES)
        # An item of the query itself weighs more than all of its mates together.
        weighed = csr_array(mates_QQ[rows] @ own_QI + own_QI[rows] * float(max_mates + 1))
        pages.append(_largest(weighed, max_items, start))
    return _ones(csr_array(vstack(pages, format="csr")))


def nearest_items(contexts_QI: csr_array, top: int = TOP) -> Iterator[tuple[Edges, Floats]]:
    """Yield the ``top`` nearest items of every item, page by page: cos(i, j) = n_ij / √(n_i n_j).

    Args:
        contexts_QI: n_ij is the number of rows that have both items, n_i of those that have i. The cost is the number
            of pairs within rows, thus linear in the entries where rows are short.
        top: Neighbours per item; ties go to the smaller row.

    Yields:
        Edges (``clicks`` is n_ij) in order of source and nearness, and their cosine, in (0, 1].
    """
    by_item = csc_array(contexts_QI)
    count_I = np.diff(by_item.indptr)
    size_Q = np.diff(contexts_QI.indptr).astype(np.int64)
    products_I = np.add.reduceat(np.append(size_Q[by_item.indices], 0), by_item.indptr[:-1]) * (count_I > 0)
    for start, stop in _pages(products_I):
        shared = csr_array(by_item[:, start:stop].T @ contexts_QI).tocoo()
        source, target = shared.coords[0].astype(np.int64) + start, shared.coords[1].astype(np.int64)
        other = source != target
        source, target, both = source[other], target[other], shared.data[other]
        cosine = both / np.sqrt(count_I[source].astype(np.float64) * count_I[target])
        order = np.lexsort((target, -cosine, source))
        order = order[_rank(source[order]) < top]
        yield Edges(source[order], target[order], both[order].astype(np.int64)), cosine[order]


def _pages(products_I: npt.NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """Yield ranges of items whose pairs fit in memory; an item of more has a range of its own."""
    total = np.cumsum(products_I)
    start = 0
    while start < len(total):
        before = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, before + _PAGE_PRODUCTS, side="right")), start + 1)
        yield start, stop
        start = stop


def _largest(matrix: csr_array, limit: int, first_row: int = 0) -> csr_array:
    """Keep the ``limit`` largest entries of each row; a hash of row and column decides among equals.

    Args:
        matrix: Rows of a larger one.
        limit: Entries per row.
        first_row: Where they begin there, so that where pages end decides nothing.
    """
    entries = matrix.tocoo()
    row, column = entries.coords
    order = np.lexsort((draw(row + first_row, column), -entries.data, row))
    order = order[_rank(row[order]) < limit]
    return csr_array((entries.data[order], (row[order], column[order])), shape=matrix.shape)


def _rank(sorted_rows: Rows) -> Rows:
    """Return the position of each entry within its run of equal rows."""
    starts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
    lengths = np.diff(np.append(starts, len(sorted_rows)))
    return np.arange(len(sorted_rows)) - np.repeat(starts, lengths)


def draw(row: Rows, column: Rows) -> npt.NDArray[np.uint64]:
    """Return what decides among equal entries of a row: a hash of both ends."""
    mixed = row.astype(np.uint64) * _MIX[0] + column.astype(np.uint64)
    for shift, factor in ((30, _MIX[1]), (27, _MIX[2])):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    return mixed ^ (mixed >> np.uint64(31))


def _ones(matrix: csr_array) -> csr_array:
    return csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
