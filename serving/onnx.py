"""The graph of an encoder in ONNX: from token ids to the vectors that search.

Shape letters: B texts, T tokens of the longest, D width.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.core.errors import SetupError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor, nn

INPUTS = ("input_ids", "attention_mask")
"Both int64 of shape (B, T); the mask is 1 for tokens and 0 for padding."
OUTPUT = "sentence_embedding"
"float32 of shape (B, D): pooled, and of unit norm where the encoder's are."
PACKAGES = ("onnx", "onnxscript")


class OnnxMissingError(SetupError):
    """What writes ONNX is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package
        super().__init__(
            f"the package {package!r} is not installed and writes ONNX; `pip install 'recsys[onnx]'`, then "
            "run the same command again"
        )


def write_onnx(model: SentenceTransformer, path: Path) -> None:
    """Write the graph of an encoder; texts and tokens may be of any number.

    Args:
        model: Static or a transformer; its weights go into the file, which may have 2 GiB.
        path: To be written.

    Raises:
        OnnxMissingError: :data:`PACKAGES` are not installed.
    """
    import torch

    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise OnnxMissingError(package)
    # numbers other than 0 and 1, which an exporter takes for constants
    example = (torch.ones((2, 3), dtype=torch.int64), torch.tensor([[1, 1, 1], [1, 1, 0]]))
    shape = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=longest(model))}
    # the exporter tells its progress on stdout, and warns of names that it drops
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _graph(model),
            example,
            str(path),
            input_names=INPUTS,
            output_names=[OUTPUT],
            dynamic_shapes=dict.fromkeys(INPUTS, shape),
            external_data=False,
            verbose=False,
        )


def longest(model: SentenceTransformer) -> int | None:
    """Return how many tokens the encoder keeps of a text, None for all."""
    length = model.max_seq_length
    return length if isinstance(length, int) else None


def _graph(model: SentenceTransformer) -> nn.Module:
    import torch
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            first, features = self.model[0], {"input_ids": input_ids, "attention_mask": attention_mask}
            if not isinstance(first, StaticEmbedding):
                return self.model(features)[OUTPUT]  # type: ignore[no-any-return]
            mask_BT1 = attention_mask.unsqueeze(-1).to(first.embedding.weight.dtype)
            sum_BD = (first.embedding.weight[input_ids] * mask_BT1).sum(1)
            features[OUTPUT] = sum_BD / mask_BT1.sum(1).clamp(min=1)
            for module in list(self.model)[1:]:
                features = module(features)
            return features[OUTPUT]

    return Graph().eval()
