"""Hinge triplets over a batch (RAMEN, arXiv 2402.18434, section 3).

Shape letters: N rows of the batch that take part, K hardest negatives, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor

MASKED = -4.0
"Below every cosine minus every margin, so that a masked column never violates."


def hardest_triplet_loss(
    row_ND: Tensor,
    positive_ND: Tensor,
    known_NN: Tensor,
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
        positive_ND: Unit-norm embeddings; row i is the positive of row i, and a candidate negative of the others.
        known_NN: True where column j is any known positive of row i; never used as a negative.
        margin: γ, in cosine, 0 to 2.
        hardest: Negatives per row.
        temperature: Of the softmax over violators.

    Returns:
        A scalar; 0 where nothing violates.
    """
    weight_NK, column_NK = _weigh(row_ND.detach() @ positive_ND.detach().T, known_NN, margin, hardest, temperature)
    # Σ_k w_ik (s_ik − s_ii) is linear in few similarities, so a sparse product replaces gradients through all N × N.
    mixed_ND = torch.sparse.mm(_signed(weight_NK, column_NK), positive_ND)
    loss: Tensor = ((row_ND * mixed_ND).sum() + margin * weight_NK.sum()) / len(row_ND)
    return loss


def _weigh(
    similarity_NN: Tensor, known_NN: Tensor, margin: float, hardest: int, temperature: float
) -> tuple[Tensor, Tensor]:
    """Return weights and columns of each row's hardest negatives; 0 for those that do not violate."""
    own_N1 = similarity_NN.diagonal().clone().unsqueeze(1)
    hard_NK, column_NK = similarity_NN.masked_fill_(known_NN, MASKED).topk(min(hardest, len(known_NN)), dim=1)
    violates_NK = hard_NK > own_N1 - margin
    weight_NK = (hard_NK / temperature).masked_fill(~violates_NK, float("-inf")).softmax(dim=1)
    return weight_NK.nan_to_num(0.0), column_NK


def _signed(weight_NK: Tensor, column_NK: Tensor) -> Tensor:
    """Return the sparse (N, N) matrix with the weights of the negatives and minus their sum on the diagonal."""
    n_rows, hardest = column_NK.shape
    row_N = torch.arange(n_rows, device=column_NK.device)
    rows = torch.cat([row_N.repeat_interleave(hardest), row_N])
    columns = torch.cat([column_NK.reshape(-1), row_N])
    values = torch.cat([weight_NK.reshape(-1), -weight_NK.sum(dim=1)])
    return torch.sparse_coo_tensor(torch.stack([rows, columns]), values, (n_rows, n_rows), check_invariants=False)
