"""Reads batches: what a batch's queries clicked and are linked with, from Neo4j, and what is drawn from it.

Shape letters: B queries of the batch, M items, H distinct hard items, N hard items that somebody clicked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.pages import Edges, Kind
from recsys.graph.schema import CLICKED, Label
from recsys.model.batch import Batch, Hard, Rows, Side, Term
from recsys.model.draw import Draw, pick_one, without_own
from recsys.model.hard_negatives import HardNegatives
from recsys.model.near import Near, NeighbourReader
from recsys.model.page_cache import PageCache
from recsys.model.pairs import PairsByQuery
from recsys.model.prune import Pruning
from recsys.model.snapshot import Snapshot
from recsys.model.two_hop import TwoHop

CLICKS: Kind = (CLICKED, "Item")


class BatchReader:
    """Reads neighbours of a batch from Neo4j and draws from them.

    Args:
        graph: Where to read.
        snapshot: Its relations are drawn from; nodes with later rows are left out.
        excluded: Pairs that are no negatives, clicked or not: each query's own page, and those of a filter.
        held_out: True for query rows that are never drawn as neighbours; None means that all may be.
        two_hop: Draws other queries of the items, which items are composed with; None for items by their text alone.
        hard_negatives: Draws near items that a query did not click; None for negatives of the batch alone.
        pruning: Says which edges of the relations are drawn from; None for all.
        degree_cap: Of a row with more neighbours in one relation, or more clicked items, a sample of that many is drawn
            from in each epoch; None draws from all. Masks know all of them.
        seed: Of these samples.
        pages: Holds neighbours that were read, for later epochs; None asks the graph each time.
    """

    def __init__(
        self,
        graph: Graph,
        snapshot: Snapshot,
        excluded: PairsByQuery,
        held_out: npt.NDArray[np.bool_] | None = None,
        two_hop: TwoHop | None = None,
        hard_negatives: HardNegatives | None = None,
        pruning: Pruning | None = None,
        *,
        degree_cap: int | None = None,
        seed: int = 0,
        pages: PageCache | None = None,
    ) -> None:
        self._near = NeighbourReader(graph, snapshot, degree_cap, seed, pages)
        self._snapshot = snapshot
        self._excluded = excluded
        self._held_out = held_out
        self._two_hop = two_hop
        self._hard_negatives = hard_negatives
        self._pruning = pruning

    def start(self, epoch: int) -> None:
        """Make ready for the batches of ``epoch``; none of another is being read."""
        self._near.start(epoch)
        if self._hard_negatives:
            self._hard_negatives.start(epoch)
        if self._pruning:
            self._pruning.start(epoch)

    def read(self, query_B: Rows, rng: np.random.Generator) -> Batch:
        """Return the batch of ``query_B``, each of which has clicked something.

        It takes two round trips, none once all rows are on disk, and where hubs are not kept there one more for their
        sample and one for each mask.
        """
        near_queries = self._neighbours("Query", query_B, [CLICKS])
        _, item_B = pick_one(query_B, self._in_snapshot(near_queries.edges[CLICKS], "Item"), rng)
        known_BB = self._known(query_B, item_B, near_queries)
        near_items = self._neighbours("Item", np.unique(item_B), [])
        terms = [
            *self._terms("query", "Query", query_B, near_queries, rng),
            *self._terms("item", "Item", item_B, near_items, rng),
        ]
        neighbour = self._two_hop.draw(query_B, item_B, rng) if self._two_hop else None
        hard = self._hard(self._hard_negatives, query_B, item_B, near_queries, rng) if self._hard_negatives else None
        terms = [term for term in terms if len(term.draw.position_N) > 1]
        return Batch(query_B, item_B, known_BB, terms, neighbour, hard)

    def _known(self, query_B: Rows, item_M: Rows, near: Near) -> npt.NDArray[np.bool_]:
        return np.asarray(near.known(query_B, item_M, CLICKS) | self._excluded.known(query_B, item_M))

    def _hard(
        self, negatives: HardNegatives, query_B: Rows, item_B: Rows, near: Near, rng: np.random.Generator
    ) -> Hard | None:
        """Return one drawn item per query, each once; an item that the batch holds already is left out."""
        item_H = np.setdiff1d(negatives.draw(query_B, rng), item_B)
        if not len(item_H):
            return None
        none = np.empty(0, dtype=np.int64)
        position_N, clicker_N = self._two_hop.draw_clickers(item_H, rng) if self._two_hop else (none, none)
        return Hard(item_H, self._known(query_B, item_H, near), position_N, clicker_N)

    def _neighbours(self, label: Label, rows: Rows, further: Sequence[Kind]) -> Near:
        relations = (*self._snapshot.relations, *self._snapshot.kin)
        kinds = [(relation.name, relation.target) for relation in relations if relation.source == label]
        return self._near.read(label, rows, [*further, *kinds])

    def _terms(self, side: Side, label: Label, rows_B: Rows, near: Near, rng: np.random.Generator) -> list[Term]:
        terms = []
        for relation in (relation for relation in self._snapshot.relations if relation.source == label):
            edges = self._in_snapshot(near.edges[relation.name, relation.target], relation.target)
            if self._pruning:
                edges = self._pruning.keep(relation, edges)
            position_N, drawn_N = pick_one(rows_B, edges, rng)
            kinds = [(kin.name, kin.target) for kin in self._snapshot.family(relation)]
            draw = Draw(position_N, drawn_N, near.known(rows_B[position_N], drawn_N, *kinds))
            if relation.target == label:
                draw = without_own(draw, rows_B)
            terms.append(Term(relation.name, side, relation.target, draw))
        return terms

    def _in_snapshot(self, edges: Edges, target: Label) -> Edges:
        inside = edges.target < self._snapshot.rows[target]
        if target == "Query" and self._held_out is not None:
            inside &= ~self._held_out[np.where(inside, edges.target, 0)]
        return edges if inside.all() else edges.where(inside)
