"""Masked InfoNCE: softmax over the batch, known positives left out (van den Oord et al., arXiv 1807.03748, equation 4).

Shape letters: N rows of the batch, M columns (the N positives, then further negatives), D embedding width.
"""

from __future__ import annotations

from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor

from recsys.model.losses.pairs import PairLoss
from recsys.model.precision import products


class MaskedInfoNCELoss(PairLoss):
    """Classifies each anchor's own positive among the columns of the batch, without its other known positives.

    Every column counts rather than the hardest few: in our trials it raised R@10 and lowered PSP@1 against
    :class:`recsys.model.losses.triplet.HardestTripletLoss`.

    Args:
        model: Encoder of all columns; its output must have unit norm.
        temperature: Cosines are divided by it.

    Requirements:
        (anchor, positive) pairs, or (anchor, positive, negative, …) rows.

    Inputs:
        Texts, and no label, or one that is a mapping with ``known`` (N, M), True where column j is a known positive.

    References:
        van den Oord et al., Representation Learning with Contrastive Predictive Coding, arXiv 1807.03748.

    Example:
        ``SentenceTransformerTrainer(model, args, dataset, loss=MaskedInfoNCELoss(model))``
    """

    def __init__(self, model: SentenceTransformer, *, temperature: float = 0.05) -> None:
        super().__init__(model)
        self.temperature = temperature

    def compare(self, row_ND: Tensor, column_MD: Tensor, known_NM: Tensor) -> Tensor:
        """Return the loss of rows against columns, of which the first N are the rows' own positives."""
        return masked_infonce_loss(row_ND, column_MD, known_NM, temperature=self.temperature)

    def get_config_dict(self) -> dict[str, Any]:
        """Return the settings that the model card shows."""
        return {"temperature": self.temperature}

    @property
    def citation(self) -> str:
        """BibTeX of the method."""
        return (
            "@misc{oord2018cpc,\n"
            "    title={Representation Learning with Contrastive Predictive Coding},\n"
            "    author={Aaron van den Oord and Yazhe Li and Oriol Vinyals},\n"
            "    year={2018},\n    eprint={1807.03748},\n    archivePrefix={arXiv}\n}"
        )


def masked_infonce_loss(row_ND: Tensor, column_MD: Tensor, known_NM: Tensor, *, temperature: float = 0.05) -> Tensor:
    """Return the mean over rows of −log( e^(s_ii/τ) / Σ_k e^(s_ik/τ) ), k the own positive and all unknown columns.

    Args:
        row_ND: Unit-norm embeddings of the rows.
        column_MD: Unit-norm embeddings, M ≥ N; column i is the positive of row i, those from N on are negatives only.
        known_NM: True where column j is any known positive of row i; never used as a negative.
        temperature: τ.
    """
    other_NM = known_NM.clone().fill_diagonal_(False)
    logit_NM = (products(row_ND, column_MD) / temperature).masked_fill(other_NM, float("-inf"))
    return torch.nn.functional.cross_entropy(logit_NM, torch.arange(len(row_ND), device=row_ND.device))
