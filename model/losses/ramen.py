"""RAMEN's objective: the click loss plus weighted terms of the graph (arXiv 2402.18434, section 3).

Shape letters: B rows of the batch, H hard items, C = B + H items, N rows that have a neighbour, M neighbours of rows
and hard items, U distinct anchors, T texts, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from torch.nn.functional import normalize

from recsys.model.graph_weights import GraphWeights
from recsys.model.losses.in_parts import embed
from recsys.model.losses.infonce import masked_infonce_loss
from recsys.model.losses.pairs import known_in_batch
from recsys.model.losses.triplet import (
    MASKED,
    RAMEN_CITATION,
    hardest_negatives,
    hardest_triplet_loss,
    weighted_triplets,
)
from recsys.model.precision import products

ClickLoss = Literal["triplet", "infonce"]
Compare = Callable[[Tensor, Tensor, Tensor], Tensor]


class RamenLoss(nn.Module):
    """L_click + Σ_t (λ_x · R_x^t + λ_z · R_z^t), every R a hinge triplet over the batch.

    The graph shapes the encoder while it trains and is gone at inference. Rows without an anchor in a relation take
    no part in that relation's term, and a known neighbour is never a negative.

    Where the batch brings a neighbour per item (another query that clicked it, two hops over the clicks), two more
    terms are added with weight 1: queries that share an item are pulled together, and the item is also trained as it
    will be indexed, norm(E(z) + α · E(neighbour)), the row's own query left out. Hard items are negatives for every
    row, composed in the same way.

    Args:
        model: Shared encoder of queries, items and anchors; its output must have unit norm.
        click_loss: How queries are compared with items and with queries that share an item: ``triplet`` or ``infonce``.
        margin: γ, in cosine, of all triplets.
        graph_weight: λ: a number for every relation and side, or weights that change while training.
        alpha: α, share of the neighbour in a composed item.
        mini_batch_size: Texts whose activations are held at once, as :func:`recsys.model.losses.in_parts.embed` says;
            0 for all.

    Requirements:
        Batches of :class:`recsys.model.collator.BatchCollator`; or (query, item) pairs of texts, and then it is the
        click loss alone.

    Inputs:
        Features of the columns: queries and their items, then, where the label has them, hard items, the neighbours of
        rows and hard items, and the batch's distinct anchors; or, where the label has ``places``, features of texts in
        parts, and by column their positions among all of them. The label is a mapping with ``known`` (B, B);
        ``hard``: ``known`` (B, H) and ``position`` of those with a neighbour; ``neighbour``: ``position`` (N) and
        ``known`` (N, N); ``terms``: per term ``relation``, ``side``, ``position``, ``anchor`` (indices into the
        anchors) and ``known``.

    References:
        Mittal et al., Graph Regularized Encoder Training for Extreme Classification, arXiv 2402.18434.

    Example:
        ``SentenceTransformerTrainer(model, args, dataset, loss=RamenLoss(model), data_collator=collator)``
    """

    def __init__(
        self,
        model: SentenceTransformer,
        *,
        click_loss: ClickLoss = "triplet",
        margin: float = 0.3,
        graph_weight: float | GraphWeights = 0.1,
        alpha: float = 2.0,
        mini_batch_size: int = 0,
    ) -> None:
        super().__init__()
        self.model = model
        self.click_loss = click_loss
        self.margin = margin
        self.weights = graph_weight if isinstance(graph_weight, GraphWeights) else GraphWeights(graph_weight)
        self.alpha = alpha
        self.mini_batch_size = mini_batch_size
        triplet = partial(hardest_triplet_loss, margin=margin)
        self._compare: Compare = masked_infonce_loss if click_loss == "infonce" else triplet

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Any = None) -> dict[str, Tensor]:
        """Return the weighted components, which the trainer adds up.

        They are ``click``; with neighbours ``composed`` and ``shared_item``; with terms ``graph``.
        """
        columns = list(sentence_features)
        if not isinstance(labels, Mapping):
            labels = {"known": known_in_batch(columns[:2]), "terms": []}
        embeddings = [embed(self.model, features, self.mini_batch_size) for features in columns]
        if "places" in labels:
            text_TD = torch.cat(embeddings)
            embeddings = [text_TD.index_select(0, place) for place in labels["places"].values()]
        return self.compute_loss_from_embeddings(embeddings, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the components from the embeddings of queries, items, hard items, neighbours and anchors."""
        query_BD, item_CD, *further = embeddings
        known_BC = labels["known"]
        side_SD = torch.cat([query_BD, item_CD]) if labels["terms"] else query_BD
        if "hard" in labels:
            item_CD = torch.cat([item_CD, further.pop(0)])
            known_BC = torch.cat([known_BC, labels["hard"]["known"]], dim=1)
        losses = {"click": self._compare(query_BD, item_CD, known_BC)}
        if "neighbour" in labels:
            neighbour_MD = further.pop(0)
            item_CD = self._composed(item_CD, neighbour_MD, labels)
            losses["composed"] = self._compare(query_BD, item_CD, known_BC)
            losses["shared_item"] = self._shared_item(query_BD, neighbour_MD, labels["neighbour"])
        if self.weights.watches:
            self.weights.observe(hits(query_BD, item_CD[: len(query_BD)], labels["known"]), len(query_BD))
        if labels["terms"]:
            losses["graph"] = self._regularizer(side_SD, further[0], labels["terms"])
        return losses

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings that the model card shows."""
        return {
            "click_loss": self.click_loss,
            "margin": self.margin,
            "graph_weight": self.weights.start,
            "alpha": self.alpha,
            "mini_batch_size": self.mini_batch_size,
        }

    @property
    def citation(self) -> str:
        """BibTeX of the method."""
        return RAMEN_CITATION

    def _composed(self, item_CD: Tensor, neighbour_MD: Tensor, labels: Mapping[str, Any]) -> Tensor:
        """Return items as they will be indexed."""
        position_M = labels["neighbour"]["position"]
        if "hard" in labels:
            position_M = torch.cat([position_M, len(labels["known"]) + labels["hard"]["position"]])
        return normalize(item_CD.index_add(0, position_M, self.alpha * neighbour_MD), dim=1)

    def _shared_item(self, query_BD: Tensor, neighbour_MD: Tensor, neighbour: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of queries against queries that share their item."""
        position_N = neighbour["position"]
        return self._compare(query_BD.index_select(0, position_N), neighbour_MD[: len(position_N)], neighbour["known"])

    def _regularizer(self, side_SD: Tensor, anchor_UD: Tensor, terms: list[dict[str, Any]]) -> Tensor:
        """Return Σ_t λ_t R^t over the terms with a weight; the embeddings of both sides lie end to end.

        The hardest negatives are looked for term by term, and all gradients are taken at once: on a GPU many small
        operations take longer than what they compute.
        """
        rows, weights, anchors = [], [], []
        for term in terms:
            if weight := self.weights.of(term["relation"], term["side"]):
                row_N = term["position"] + (len(side_SD) // 2 if term["side"] == "item" else 0)
                weight_NH, column_NH = hardest_negatives(
                    side_SD[row_N], anchor_UD[term["anchor"]], term["known"], margin=self.margin
                )
                rows.append(row_N)
                weights.append(weight_NH * (weight / len(row_N)))
                anchors.append(term["anchor"][column_NH])
        if not rows:
            return anchor_UD.new_zeros(())
        row_ND = side_SD.index_select(0, torch.cat(rows))
        return weighted_triplets(row_ND, anchor_UD, torch.cat(weights), torch.cat(anchors), margin=self.margin)


@torch.no_grad()
def hits(query_BD: Tensor, item_BD: Tensor, known_BB: Tensor) -> int:
    """Return how many queries have their own item above every unknown one of the batch."""
    similarity_BB = products(query_BD, item_BD)
    own_B = similarity_BB.diagonal().clone()
    return int((own_B > similarity_BB.masked_fill_(known_BB, MASKED).amax(dim=1)).sum())
