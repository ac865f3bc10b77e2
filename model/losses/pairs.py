"""What click losses share: columns are embedded, and every known positive is kept from being a negative.

Shape letters: N rows of the batch, M columns (the N positives, then further negatives), T tokens, D embedding width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

Features = Mapping[str, Tensor]


class PairLoss(nn.Module):
    """Compares each row's anchor with its own positive and with all other columns of the batch.

    Args:
        model: Encoder of all columns; its output must have unit norm.
    """

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Any = None) -> Tensor:
        """Return the loss of anchors, positives and, where the dataset has them, columns of further negatives.

        The mask is ``labels["known"]`` (N, M) where the labels are a mapping, else :func:`known_in_batch`.
        """
        columns = list(sentence_features)
        known_NM = labels["known"] if isinstance(labels, Mapping) else known_in_batch(columns)
        embeddings = [self.model(column)["sentence_embedding"] for column in columns]
        return self.compute_loss_from_embeddings(embeddings, known_NM)

    def compute_loss_from_embeddings(self, embeddings: Sequence[Tensor], known_NM: Tensor) -> Tensor:
        """Return the loss from the embeddings of anchors, positives and further negatives."""
        row_ND, *columns = embeddings
        return self.compare(row_ND, torch.cat(columns), known_NM)

    def compare(self, row_ND: Tensor, column_MD: Tensor, known_NM: Tensor) -> Tensor:
        """Return the loss of rows against columns, of which the first N are the rows' own positives."""
        raise NotImplementedError


@torch.no_grad()
def known_in_batch(columns: Sequence[Features]) -> Tensor:
    """Return what a batch says by itself: equal anchors share their positives.

    Args:
        columns: Model inputs of anchors, positives, and any further negatives.

    Returns:
        Shape (N, M), True where column j has the text of a positive of a row that has the anchor text of row i.
    """
    anchor_N, column_M = text_groups(columns[:1]), text_groups(columns[1:])
    same_anchor_NN = anchor_N[:, None] == anchor_N[None, :]
    positive_NM = column_M[: len(anchor_N), None] == column_M[None, :]
    return (same_anchor_NN.float() @ positive_NM.float()) > 0


def text_groups(columns: Sequence[Features]) -> Tensor:
    """Return a number for each text of the columns in turn; texts of the same tokens have the same number."""
    texts = [text for column in columns for text in _tokens(column)]
    token_NT = pad_sequence(texts, batch_first=True, padding_value=-1)
    group_N: Tensor = torch.unique(token_NT, dim=0, return_inverse=True)[1]
    return group_N


def _tokens(column: Features) -> Sequence[Tensor]:
    if "offsets" in column:  # of a static encoder: flat ids, and where each text begins
        ends = torch.cat([column["offsets"][1:], column["offsets"].new_tensor([len(column["input_ids"])])])
        return torch.split(column["input_ids"], (ends - column["offsets"]).tolist())
    return column["input_ids"].masked_fill(column["attention_mask"] == 0, -1).unbind()
