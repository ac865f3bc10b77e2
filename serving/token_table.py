"""Reads a static encoder, the mean of token vectors, without the training libraries: they take seconds to import.

Shape letters: B texts, D width, V vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.composition import unit
from recsys.core.run import Vectors

TABLE, NORMALIZE = "StaticEmbedding", "Normalize"
"Classes of the modules that are understood, in this order; the second may be missing."


class TokenTable:
    """Encodes texts as the :class:`sentence_transformers.SentenceTransformer` does whose files it reads.

    Not by two threads at once.

    Args:
        directory: Of the encoder's table and tokenizer.
        normalises: Vectors get unit norm.
    """

    def __init__(self, directory: Path, *, normalises: bool) -> None:
        from safetensors import safe_open
        from tokenizers import Tokenizer

        with safe_open(directory / "model.safetensors", framework="numpy") as weights:
            self._vectors_VD: Vectors = weights.get_tensor("embedding.weight")
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._normalises = normalises

    @classmethod
    def of(cls, directory: Path) -> Self | None:
        """Read the encoder in ``directory``; None where it is more than a table, or puts a prompt before texts."""
        modules = json.loads((directory / "modules.json").read_text(encoding="utf-8"))
        names = [module["type"].rpartition(".")[2] for module in modules]
        config = json.loads((directory / "config_sentence_transformers.json").read_text(encoding="utf-8"))
        if names not in ([TABLE], [TABLE, NORMALIZE]) or config.get("default_prompt_name"):
            return None
        return cls(directory / modules[0]["path"], normalises=len(names) > 1)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, zero where no token is known; float32, shape (B, D)."""
        vectors_BD = np.zeros((len(texts), self._vectors_VD.shape[1]), np.float32)
        for row, tokens in enumerate(self._tokenizer.encode_batch(list(texts), add_special_tokens=False)):
            if tokens.ids:
                vectors_BD[row] = self._vectors_VD[tokens.ids].mean(axis=0)
        return unit(vectors_BD) if self._normalises else vectors_BD
