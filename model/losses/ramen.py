"""RAMEN's objective: the click loss plus one weighted term per relation and side (arXiv 2402.18434, section 3)."""

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

    Args:
        model: Shared encoder of queries, items and anchors; its output must have unit norm.
        margin: γ, in cosine.
        graph_weight: λ, the same for every relation and side.

    Requirements:
        Batches of :class:`recsys.model.collator.BatchCollator`.

    Inputs:
        Features of the queries, their items and, when there are graph terms, the batch's distinct anchors; the label
        is a mapping with ``known`` (B, B) and ``terms``: per term ``side``, ``position``, ``anchor`` (indices into
        the anchors) and ``known``.

    References:
        Mittal et al., Graph Regularized Encoder Training for Extreme Classification, arXiv 2402.18434.

    Example:
        ``SentenceTransformerTrainer(model, args, dataset, loss=RamenLoss(model), data_collator=collator)``
    """

    def __init__(self, model: SentenceTransformer, *, margin: float = 0.3, graph_weight: float = 0.1) -> None:
        super().__init__()
        self.model = model
        self.margin = margin
        self.graph_weight = graph_weight

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: dict[str, Any]) -> dict[str, Tensor]:
        """Return the weighted components ``click`` and, with graph terms, ``graph``; the trainer adds them up."""
        embeddings = [self.model(features)["sentence_embedding"] for features in sentence_features]
        return self.compute_loss_from_embeddings(embeddings, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: dict[str, Any]) -> dict[str, Tensor]:
        """Return the components from the embeddings of queries, items and anchors."""
        query_BD, item_BD, *anchors = embeddings
        losses = {"click": hardest_triplet_loss(query_BD, item_BD, labels["known"], margin=self.margin)}
        if labels["terms"]:
            sides = {"query": query_BD, "item": item_BD}
            terms = [self._term(sides[term["side"]], anchors[0], term) for term in labels["terms"]]
            losses["graph"] = self.graph_weight * torch.stack(terms).sum()
        return losses

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings that the model card shows."""
        return {"margin": self.margin, "graph_weight": self.graph_weight}

    @property
    def citation(self) -> str:
        """BibTeX of the method."""
        return (
            "@misc{mittal2024ramen,\n"
            "    title={Graph Regularized Encoder Training for Extreme Classification},\n"
            "    author={Anshul Mittal and others},\n"
            "    year={2024},\n    eprint={2402.18434},\n    archivePrefix={arXiv}\n}"
        )

    def _term(self, side_BD: Tensor, anchor_UD: Tensor, term: dict[str, Any]) -> Tensor:
        row_ND = side_BD[term["position"]]
        anchor_ND = anchor_UD[term["anchor"]]
        return hardest_triplet_loss(row_ND, anchor_ND, term["known"], margin=self.margin)
