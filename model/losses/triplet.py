"""Hinge triplets over a batch (RAMEN, arXiv 2402.18434, section 3).

Shape letters: N rows of the batch, M columns (the N positives, then further negatives), K hardest negatives, H those
and the positive, D embedding width.
"""

from __future__ import annotations

from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from recsys.model.losses.pairs import PairLoss
from recsys.model.precision import products

MASKED = -4.0
"Below every cosine minus every margin, so that a masked column never violates."


class HardestTripletLoss(PairLoss):
    """Pushes each anchor's hardest unknown columns below its own positive by a margin.

    Args:
        model: Encoder of all columns; its output must have unit norm.
        margin: γ, in cosine, 0 to 2.
        hardest: Negatives per row.
        temperature: Of the softmax that weighs them.

    Requirements:
        (anchor, positive) pairs, or (anchor, positive, negative, …) rows.

    Inputs:
        Texts, and no label, or one that is a mapping with ``known`` (N, M), True where column j is a known positive.

    Relations:
        :class:`recsys.model.losses.ramen.RamenLoss` adds terms of a graph.

    References:
        Mittal et al., Graph Regularized Encoder Training for Extreme Classification, arXiv 2402.18434.

    Example:
        ``SentenceTransformerTrainer(model, args, dataset, loss=HardestTripletLoss(model))``
    """

    def __init__(
        self, model: SentenceTransformer, *, margin: float = 0.3, hardest: int = 10, temperature: float = 0.1
    ) -> None:
        super().__init__(model)
        self.margin = margin
        self.hardest = hardest
        self.temperature = temperature

    def compare(self, row_ND: Tensor, column_MD: Tensor, known_NM: Tensor) -> Tensor:
        """Return the loss of rows against columns, of which the first N are the rows' own positives."""
        return hardest_triplet_loss(row_ND, column_MD, known_NM, **self.get_config_dict())

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings that the model card shows."""
        return {"margin": self.margin, "hardest": self.hardest, "temperature": self.temperature}

    @property
    def citation(self) -> str:
        """BibTeX of the method."""
        return RAMEN_CITATION


RAMEN_CITATION = (
    "@misc{mittal2024ramen,\n"
    "    title={Graph Regularized Encoder Training for Extreme Classification},\n"
    "    author={Anshul Mittal and others},\n"
    "    year={2024},\n    eprint={2402.18434},\n    archivePrefix={arXiv}\n}"
)


def hardest_triplet_loss(
    row_ND: Tensor,
    column_MD: Tensor,
    known_NM: Tensor,
    *,
    margin: float = 0.3,
    hardest: int = 10,
    temperature: float = 0.1,
) -> Tensor:
    """Push each row's hardest unknown negatives below its own positive by a margin.

    Per row the ``hardest`` most similar unmasked columns count, weighted by softmax(similarity / temperature) over
    those that violate the margin: Σ_k w_k [ s_ik − s_ii + γ ]_+, averaged over rows. The weights carry no gradient.

    Args:
        row_ND: Unit-norm embeddings of the rows.
        column_MD: Unit-norm embeddings, M ≥ N; column i is the positive of row i and a candidate negative of the
            others, columns from N on are negatives only.
        known_NM: True where column j is any known positive of row i; never used as a negative.
        margin: γ, in cosine, 0 to 2.
        hardest: Negatives per row.
        temperature: Of the softmax over violators.

    Returns:
        A scalar; 0 where nothing violates.
    """
    weight_NH, column_NH = hardest_negatives(
        row_ND, column_MD, known_NM, margin=margin, hardest=hardest, temperature=temperature
    )
    return weighted_triplets(row_ND, column_MD, weight_NH / len(row_ND), column_NH, margin=margin)


@torch.no_grad()
def hardest_negatives(
    row_ND: Tensor,
    column_MD: Tensor,
    known_NM: Tensor,
    *,
    margin: float = 0.3,
    hardest: int = 10,
    temperature: float = 0.1,
) -> tuple[Tensor, Tensor]:
    """Return weights (N, ``hardest`` + 1) and columns: the negatives of each row, then its own positive.

    A negative that does not violate the margin has weight 0, and so has what is missing where there are fewer columns;
    the positive's weight is minus the sum of the others. Arguments are those of :func:`hardest_triplet_loss`.
    """
    similarity_NM = products(row_ND, column_MD)
    own_N1 = similarity_NM.diagonal().clone().unsqueeze(1)
    hard_NK, column_NK = similarity_NM.masked_fill_(known_NM, MASKED).topk(min(hardest, known_NM.shape[1]), dim=1)
    violates_NK = hard_NK > own_N1 - margin
    weight_NK = (hard_NK / temperature).masked_fill(~violates_NK, float("-inf")).softmax(dim=1).nan_to_num(0.0)
    missing = (0, hardest - weight_NK.shape[1])
    own_N = torch.arange(len(row_ND), device=row_ND.device)
    return (
        torch.cat([pad(weight_NK, missing), -weight_NK.sum(dim=1, keepdim=True)], dim=1),
        torch.cat([pad(column_NK, missing), own_N[:, None]], dim=1),
    )


def weighted_triplets(
    row_ND: Tensor, column_MD: Tensor, weight_NH: Tensor, column_NH: Tensor, *, margin: float
) -> Tensor:
    """Return Σ_i Σ_k w_ik ( s_ik − s_ii + γ ) for what :func:`hardest_negatives` found.

    The sum is linear in few similarities: a mix of columns per row replaces gradients through all N × M.

    Args:
        row_ND: Embeddings of the rows.
        column_MD: Embeddings of the columns.
        weight_NH: Weights of the negatives, and last of the positive.
        column_NH: Their columns.
        margin: γ.
    """
    weight_NH = weight_NH.to(column_MD.dtype)
    mixed_ND = embedding_bag(column_NH, column_MD, mode="sum", per_sample_weights=weight_NH)
    return (row_ND * mixed_ND).sum() - margin * weight_NH[:, -1].sum()
