"""Loads the encoder that made a collection, and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from recsys.core.errors import DataError
from recsys.core.files import hash_tree
from recsys.core.run import Run, Vectors
from recsys.serving.token_table import TokenTable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Encode = Callable[[Sequence[str]], Vectors]
"Takes texts; not from two threads at once, which tokenizers refuse."


class EncoderMismatchError(DataError):
    """The encoder in the run directory is not the one that made the collection."""

    def __init__(self, collection: str, run: Run, *, expected: str, found: str) -> None:
        self.collection = collection
        self.expected = expected
        self.found = found
        super().__init__(
            f"{run.encoder_path} (hash {found[:12]}) did not make the live collection {collection!r} "
            f"(hash {expected[:12]}), so its vectors mean something else; bring the original run directory back, "
            "or run `recsys publish` with another run"
        )


def check_encoder(run: Run, collection: str, expected: str) -> None:
    """Compare the files of the run's encoder with the hash in the collection's metadata.

    Raises:
        EncoderMismatchError: They differ.
    """
    found = hash_tree(run.encoder_path)
    if found != expected:
        raise EncoderMismatchError(collection, run, expected=expected, found=found)


def encode_with(run: Run) -> Encode:
    """Return what encodes texts with the run's encoder; the training libraries are loaded for transformers alone."""
    if table := TokenTable.of(run.encoder_path):
        return table.encode
    return partial(load_encoder(run).encode, convert_to_numpy=True, show_progress_bar=False)


def load_encoder(run: Run) -> SentenceTransformer:
    """Load the run's encoder, from its files alone."""
    from sentence_transformers import SentenceTransformer  # takes seconds to import

    return SentenceTransformer(str(run.encoder_path), local_files_only=True)
