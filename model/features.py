"""Model inputs of nodes, by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

from recsys.core.progress import progress
from recsys.graph.pages import PAGE_ROWS
from recsys.graph.schema import Label
from recsys.model.encoder import is_static
from recsys.model.ranges import joined_ranges
from recsys.model.scratch import MEMORY, Scratch
from recsys.model.texts import Texts

Rows = npt.NDArray[np.int64]

PART_TOKENS = 2**13
"Tokens of a part with its padding, at most: small parts hold little padding."
GPU_PART_TOKENS = 2**16
"The same on a GPU, which encodes a small part faster than the next can be begun."

Inputs = Mapping[str, torch.Tensor]
Tokens = tuple[npt.NDArray[Any], Rows]
"Token ids of texts laid end to end, and where each text begins; the end stands last."
Tokenise = Callable[[list[str]], tuple[torch.Tensor, torch.Tensor]]
"Returns the token ids of texts laid end to end, and how many each text has."


class Features(Protocol):
    """Turns rows of one or more labels into the inputs of one encoder call."""

    @property
    def part_tokens(self) -> int | None:
        """Tokens to encode at once, at most, where the shorter texts are padded; None where nothing is padded."""
        ...

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        ...

    def lengths(self, label: Label, rows: Rows) -> Rows:
        """Return how long each row's text is; what is alike in length pads each other little."""
        ...


def make_features(model: SentenceTransformer, texts: Mapping[Label, Texts], scratch: Scratch = MEMORY) -> Features:
    """Return the inputs of ``texts`` for this encoder; they hold for every state of its weights."""
    if is_static(model):
        return StaticFeatures(texts, model[0], scratch)
    if isinstance(model[0], Transformer):
        return TokenFeatures(texts, model, scratch)
    return TextFeatures(texts, model.preprocess)


class TextFeatures:
    """Looks the texts up and tokenises them, each time anew; for encoders that are neither table nor transformer.

    Args:
        texts: Texts of every label.
        preprocess: The encoder's tokeniser.
    """

    part_tokens = PART_TOKENS

    def __init__(self, texts: Mapping[Label, Texts], preprocess: Callable[[list[str]], Inputs]) -> None:
        self._texts = texts
        self._preprocess = preprocess

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        return self._preprocess([text for label, some in rows.items() for text in self._texts[label].take(some)])

    def lengths(self, label: Label, rows: Rows) -> Rows:
        """Return characters."""
        return np.array([len(text) for text in self._texts[label].take(rows)], dtype=np.int64)


class _Tokenised:
    """Token ids of every text, tokenised once.

    Args:
        texts: Texts of every label.
        tokenise: Of the encoder.
        scratch: Where the token ids live.
    """

    def __init__(self, texts: Mapping[Label, Texts], tokenise: Tokenise, scratch: Scratch) -> None:
        self._tokens = {label: _tokens_of(some, tokenise, scratch) for label, some in texts.items()}

    def lengths(self, label: Label, rows: Rows) -> Rows:
        """Return tokens."""
        _, bounds = self._tokens[label]
        return bounds[rows + 1] - bounds[rows]

    def _gather(self, rows: Mapping[Label, Rows]) -> tuple[Rows, Rows]:
        """Return the token ids of all rows, text after text, and how many each text has."""
        ids, sizes = [], []
        for label, some in rows.items():
            ids_of_label, bounds = self._tokens[label]
            sizes.append(self.lengths(label, some))
            ids.append(ids_of_label[joined_ranges(bounds[some], sizes[-1])].astype(np.int64))
        return np.concatenate(ids), np.concatenate(sizes)


class TokenFeatures(_Tokenised):
    """Token ids of every text, tokenised once and padded batch by batch.

    On a GPU a step of a small transformer is over before the texts of the next one could be tokenised.

    Args:
        texts: Texts of every label.
        model: The encoder, whose first module is a transformer.
        scratch: Where the token ids live.
    """

    def __init__(self, texts: Mapping[Label, Texts], model: SentenceTransformer, scratch: Scratch = MEMORY) -> None:
        def tokenise(some: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
            inputs = model.preprocess(some)
            there = inputs["attention_mask"].bool()
            return inputs["input_ids"][there], there.sum(dim=1)

        super().__init__(texts, tokenise, scratch)
        tokenizer = model.tokenizer
        self._pad, self._left = tokenizer.pad_token_id, tokenizer.padding_side == "left"
        self._form = model.preprocess([""])
        self.part_tokens = GPU_PART_TOKENS if model.device.type == "cuda" else PART_TOKENS

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        ids, size_B = self._gather(rows)
        width = int(size_B.max())
        place_W = np.arange(width)[::-1] if self._left else np.arange(width)
        there_BW = place_W < size_B[:, None]
        token_BW = np.full(there_BW.shape, self._pad, dtype=np.int64)
        token_BW[there_BW] = ids
        made = {"input_ids": torch.from_numpy(token_BW), "attention_mask": torch.from_numpy(there_BW.astype(np.int64))}
        if "token_type_ids" in self._form:
            made["token_type_ids"] = torch.zeros_like(made["input_ids"])
        return {**self._form, **made}


class StaticFeatures(_Tokenised):
    """Token ids of every text, tokenised once: for the static encoder tokenising costs more than training.

    Args:
        texts: Texts of every label.
        module: The StaticEmbedding, whose inputs are flat token ids and where each text begins.
        scratch: Where the token ids live.
    """

    part_tokens = None

    def __init__(self, texts: Mapping[Label, Texts], module: Any, scratch: Scratch = MEMORY) -> None:
        def tokenise(some: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
            inputs = module.preprocess(some)
            ids, starts = inputs["input_ids"], inputs["offsets"]
            return ids, torch.cat([starts, starts.new_tensor([len(ids)])]).diff()

        super().__init__(texts, tokenise, scratch)

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        ids, sizes = self._gather(rows)
        offsets = np.cumsum(sizes) - sizes
        return {"input_ids": torch.from_numpy(ids), "offsets": torch.from_numpy(offsets)}


def _tokens_of(texts: Texts, tokenise: Tokenise, scratch: Scratch) -> Tokens:
    column, bounds = scratch.column(np.int32), scratch.column(np.int64)
    bounds.append([0])
    end = 0
    for start in progress(range(0, len(texts), PAGE_ROWS), "tokens", unit="page"):
        ids, sizes = tokenise(texts.take(np.arange(start, min(start + PAGE_ROWS, len(texts)))))
        column.append(ids.numpy())
        bounds.append(end + np.cumsum(sizes.numpy()))
        end += len(ids)
    return column.whole(), bounds.whole()
