"""RAMEN's objective: the click loss plus weighted terms of the graph (arXiv 2402.18434, section 3).

Shape letters: B rows of the batch, N rows that have a neighbour, U distinct anchors, D embedding width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn

from recsys.model.losses.triplet import hardest_triplet_loss


class RamenLoss(nn.Module):
    """L_click + Σ_t (λ_x · R_x^t + λ_z · R_z^t), every term a hinge triplet over the batch.

    The graph shapes the encoder while it trains and is gone at inference. Rows without an anchor in a relation take
    no part in that relation's term, and a known neighbour is never a negative.

    Where the batch brings a neighbour per item (another query that clicked it, two hops over the clicks), two more
    terms are added with weight 1: queries that share an item are pulled together, and the item is also trained as it
    will be indexed, norm(E(z) + α · E(neighbour)), the row's own query left out.

    Args:
        model: Shared encoder of queries, items and anchors; its output must have unit norm.
        margin: γ, in cosine.
        graph_weight: λ, the same for every relation and side.
        alpha: α, share of the neighbour in a composed item.

    Requirements:
        Batches of :class:`recsys.model.collator.BatchCollator`.

    Inputs:
        Features of the queries and their items, then of the neighbours and of the batch's distinct anchors where the
        label has them. The label is a mapping with ``known`` (B, B); ``neighbour``: ``position`` (N) and ``known``
        (N, N); ``terms``: per term ``side``, ``position``, ``anchor`` (indices into the anchors) and ``known``.

    References:
        Mittal et al., Graph Regularized Encoder Training for Extreme Classification, arXiv 2402.18434.

    Example:
        ``SentenceTransformerTrainer(model, args, dataset, loss=RamenLoss(model), data_collator=collator)``
    """

    def __init__(
        self, model: SentenceTransformer, *, margin: float = 0.3, graph_weight: float = 0.1, alpha: float = 2.0
    ) -> None:
        super().__init__()
        self.model = model
        self.margin = margin
        self.graph_weight = graph_weight
        self.alpha = alpha

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: dict[str, Any]) -> dict[str, Tensor]:
        """Return the weighted components, which the trainer adds up.

        They are ``click``; with neighbours ``composed`` and ``shared_item``; with terms ``graph``.
        """
        embeddings = [self.model(features)["sentence_embedding"] for features in sentence_features]
        return self.compute_loss_from_embeddings(embeddings, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: dict[str, Any]) -> dict[str, Tensor]:
        """Return the components from the embeddings of queries, items, neighbours and anchors."""
        query_BD, item_BD, *further = embeddings
        losses = {"click": hardest_triplet_loss(query_BD, item_BD, labels["known"], margin=self.margin)}
        if "neighbour" in labels:
            losses |= self._two_hops(query_BD, item_BD, further.pop(0), labels)
        if labels["terms"]:
            sides = {"query": query_BD, "item": item_BD}
            terms = [self._term(sides[term["side"]], further[0], term) for term in labels["terms"]]
            losses["graph"] = self.graph_weight * torch.stack(terms).sum()
        return losses

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings that the model card shows."""
        return {"margin": self.margin, "graph_weight": self.graph_weight, "alpha": self.alpha}

    @property
    def citation(self) -> str:
        """BibTeX of the method."""
        return (
            "@misc{mittal2024ramen,\n"
            "    title={Graph Regularized Encoder Training for Extreme Classification},\n"
            "    author={Anshul Mittal and others},\n"
            "    year={2024},\n    eprint={2402.18434},\n    archivePrefix={arXiv}\n}"
        )

    def _two_hops(
        self, query_BD: Tensor, item_BD: Tensor, neighbour_ND: Tensor, labels: dict[str, Any]
    ) -> dict[str, Tensor]:
        position_N = labels["neighbour"]["position"]
        composed_BD = item_BD.index_add(0, position_N, self.alpha * neighbour_ND)
        composed_BD = torch.nn.functional.normalize(composed_BD, dim=1)
        row_ND, known_NN = query_BD[position_N], labels["neighbour"]["known"]
        return {
            "composed": hardest_triplet_loss(query_BD, composed_BD, labels["known"], margin=self.margin),
            "shared_item": hardest_triplet_loss(row_ND, neighbour_ND, known_NN, margin=self.margin),
        }

    def _term(self, side_BD: Tensor, anchor_UD: Tensor, term: dict[str, Any]) -> Tensor:
        row_ND = side_BD[term["position"]]
        anchor_ND = anchor_UD[term["anchor"]]
        return hardest_triplet_loss(row_ND, anchor_ND, term["known"], margin=self.margin)
