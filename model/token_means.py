"""Means of token vectors whose gradient holds each token once.

torch's own bag writes a row of gradient per token of every text, which the optimiser then sorts and adds up. The
gradient of a token is a sum over the texts that hold it, and so a bag of texts.

Shape letters: N texts, T tokens of them, U distinct tokens, V vocabulary, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag


class TokenMeans(nn.EmbeddingBag):
    """A drop-in for the bag of a static encoder, with a sparse gradient of one row per token.

    Args:
        weight: Token vectors (V, D), not copied.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__(weight.shape[0], weight.shape[1], sparse=True, _weight=weight)

    def forward(self, token_T: Tensor, first_N: Tensor | None = None, weights_T: Tensor | None = None) -> Tensor:
        """Return the mean of each text's token vectors, 0 for a text without tokens; shape (N, D).

        Args:
            token_T: Token ids of all texts.
            first_N: Where each text begins.
            weights_T: Not used.
        """
        mean_ND: Tensor = _Means.apply(self.weight, token_T, first_N)
        return mean_ND


class _Means(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight_VD: Tensor, token_T: Tensor, first_N: Tensor) -> Tensor:
        ctx.save_for_backward(token_T, first_N)
        ctx.vocabulary = len(weight_VD)
        return embedding_bag(token_T, weight_VD, first_N, mode="mean")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient_ND,), (token_T, first_N) = gradients, ctx.saved_tensors
        size_N = torch.cat([first_N, first_N.new_tensor([len(token_T)])]).diff()
        text_T = torch.arange(len(first_N), device=first_N.device).repeat_interleave(size_N)
        token_U, place_T, count_U = torch.unique(token_T, return_inverse=True, return_counts=True)
        text_T = text_T[torch.argsort(place_T, stable=True)]
        share_ND = gradient_ND / size_N.clamp(min=1)[:, None]
        gradient_UD = embedding_bag(text_T, share_ND, count_U.cumsum(0) - count_U, mode="sum")
        shape = (ctx.vocabulary, gradient_UD.shape[1])
        sparse = torch.sparse_coo_tensor(token_U[None], gradient_UD, shape, is_coalesced=True, check_invariants=False)
        return sparse, None, None
