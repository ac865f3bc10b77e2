"""Hinge triplets over a batch (RAMEN, arXiv 2402.18434, section 3).

Shape letters: N rows of the batch, M columns (the N positives, then further negatives), K hardest negatives, D
embedding width.
"""

from __future__ import annotations

from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor

from recsys.model.losses.pairs import PairLoss

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
    weight_NK, column_NK = _weigh(row_ND.detach() @ column_MD.detach().T, known_NM, margin, hardest, temperature)
    # Σ_k w_ik (s_ik − s_ii) is linear in few similarities, so a sparse product replaces gradients through all N × M.
    mixed_ND = torch.sparse.mm(_signed(weight_NK, column_NK, len(column_MD)), column_MD)
    loss: Tensor = ((row_ND * mixed_ND).sum() + margin * weight_NK.sum()) / len(row_ND)
    return loss


def _weigh(
    similarity_NM: Tensor, known_NM: Tensor, margin: float, hardest: int, temperature: float
) -> tuple[Tensor, Tensor]:
    """Return weights and columns of each row's hardest negatives; 0 for those that do not violate."""
    own_N1 = similarity_NM.diagonal().clone().unsqueeze(1)
    hard_NK, column_NK = similarity_NM.masked_fill_(known_NM, MASKED).topk(min(hardest, known_NM.shape[1]), dim=1)
    violates_NK = hard_NK > own_N1 - margin
    weight_NK = (hard_NK / temperature).masked_fill(~violates_NK, float("-inf")).softmax(dim=1)
    return weight_NK.nan_to_num(0.0), column_NK


def _signed(weight_NK: Tensor, column_NK: Tensor, n_columns: int) -> Tensor:
    """Return the sparse (N, M) matrix with the weights of the negatives and minus their sum on the diagonal."""
    n_rows, hardest = column_NK.shape
    row_N = torch.arange(n_rows, device=column_NK.device)
    rows = torch.cat([row_N.repeat_interleave(hardest), row_N])
    columns = torch.cat([column_NK.reshape(-1), row_N])
    values = torch.cat([weight_NK.reshape(-1), -weight_NK.sum(dim=1)])
    return torch.sparse_coo_tensor(torch.stack([rows, columns]), values, (n_rows, n_columns), check_invariants=False)
