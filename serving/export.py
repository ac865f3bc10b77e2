"""Writes a run's encoder for other languages: a tokenizer, a table or an ONNX graph, and a manifest of all the rest.

Shape letters: V vocabulary, D width.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recsys.core.errors import UsageError
from recsys.core.files import hash_tree, write_json
from recsys.core.run import Run
from recsys.serving.encoder import load_encoder
from recsys.serving.onnx import longest, write_onnx

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Format = Literal["numpy", "onnx"]

MANIFEST = "encoder.json"
TOKENIZER = "tokenizer.json"
FILES = {"numpy": "vectors.npy", "onnx": "model.onnx"}
"What holds the numbers."


class NotATableError(UsageError):
    """The encoder is no table of token vectors."""

    def __init__(self, run: str) -> None:
        self.run = run
        super().__init__(
            f"the encoder of {run!r} is a transformer, which is more than a table of token vectors; "
            f"`recsys export encoder {run} --format onnx` writes its graph"
        )


class ExportTakenError(UsageError):
    """Something is where the export is to go."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(f"{directory} is there already; remove it or give another --out")


@dataclass(frozen=True)
class Exported:
    """An encoder that other languages read.

    Attributes:
        directory: Holds the manifest, the tokenizer and the numbers.
        manifest: What ``encoder.json`` says.
        bytes: Size of all files.
    """

    directory: Path
    manifest: dict[str, Any]
    bytes: int


def export_encoder(run: Run, format: Format, directory: Path) -> Exported:  # noqa: A002
    """Write ``encoder.json``, ``tokenizer.json`` and the encoder's numbers, whole or not at all.

    Args:
        run: Finished run.
        format: ``numpy`` writes the table of a static encoder, float32 of shape (V, D), to ``vectors.npy``; ``onnx``
            writes a graph from token ids to vectors, of any encoder, to ``model.onnx``.
        directory: To be made.

    Raises:
        NotATableError: ``numpy`` is asked of a transformer.
        ExportTakenError: ``directory`` is there.
        OnnxMissingError: ``onnx`` is asked and its packages are not installed.
    """
    if directory.exists():
        raise ExportTakenError(directory)
    model = load_encoder(run)
    static = _is_static(model)
    if format == "numpy" and not static:
        raise NotATableError(run.name)
    hidden = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    tokenizer = _tokenizer(model)
    tokenizer.save(str(hidden / TOKENIZER))
    if format == "numpy":
        first: Any = model[0]
        np.save(hidden / FILES[format], first.embedding.weight.detach().numpy().astype("<f4"))
    else:
        write_onnx(model, hidden / FILES[format])
    manifest = _manifest(run, model, tokenizer, format)
    write_json(hidden / MANIFEST, manifest)
    hidden.rename(directory)
    return Exported(directory, manifest, sum(file.stat().st_size for file in directory.iterdir()))


def _manifest(run: Run, model: SentenceTransformer, tokenizer: Tokenizer, format: Format) -> dict[str, Any]:  # noqa: A002
    scoring = run.scoring
    return {
        "format": format,
        "file": FILES[format],
        "run": run.name,
        "encoder_hash": hash_tree(run.encoder_path),
        "width": model.get_embedding_dimension(),
        "tokenizer": TOKENIZER,
        "lower_case": _lower_cases(tokenizer),
        "add_special_tokens": not _is_static(model),
        "max_tokens": (tokenizer.truncation or {}).get("max_length"),
        "prompt": model.prompts.get(model.default_prompt_name or "", ""),
        "pooling": "mean" if _is_static(model) else "in the graph",
        "normalise": format == "numpy" and _normalises(model),
        "scoring": asdict(scoring),
        "suffix": [*scoring.one.suffix] if scoring.is_wide else [],
    }


def _tokenizer(model: SentenceTransformer) -> Tokenizer:
    """Return the tokenizer as the encoder uses it: cut at its length, never padded."""
    first: Any = model[0]
    tokenizer: Tokenizer = first.tokenizer if _is_static(model) else first.tokenizer.backend_tokenizer
    if (length := longest(model)) is not None:
        tokenizer.enable_truncation(length)
    tokenizer.no_padding()
    return tokenizer


def _lower_cases(tokenizer: Tokenizer) -> bool:
    """Say whether the tokenizer does it; nobody has to do it beforehand."""
    normalizer = json.loads(tokenizer.to_str())["normalizer"] or {}
    steps = normalizer.get("normalizers", [normalizer])
    return any(step.get("lowercase") or step.get("type") == "Lowercase" for step in steps)


def _is_static(model: SentenceTransformer) -> bool:
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    return isinstance(model[0], StaticEmbedding)


def _normalises(model: SentenceTransformer) -> bool:
    from sentence_transformers.sentence_transformer.modules import Normalize

    return isinstance(model[-1], Normalize)
