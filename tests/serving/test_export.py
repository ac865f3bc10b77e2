"""Encoders for other languages."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from recsys.core.files import hash_tree, write_json
from recsys.core.run import Run
from recsys.model.encoder import load_encoder
from recsys.serving.export import ExportTakenError, NotATableError, export_encoder

READER = Path(__file__).parents[2] / "docs" / "clients" / "encoder.mjs"
TEXTS = (
    "garden table",
    "Crème brûlée, ÉCLAIR & ΣΟΦΟΣ",
    "北京 wok 鍋 日本語テキスト",
    f"{'x' * 101} ok",
    "a [SEP] b[UNK]",
    "",
    " \t\n",
    "don't stop—now…\N{NO-BREAK SPACE}e-mail@x.org $5+3=8 ~`^|<>",
    "naïve \N{GRINNING FACE} tea™ İstanbul ǅ ß ﬁ a\N{ZERO WIDTH SPACE}b",
    "constructor __proto__ toString",
)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Write what an export reads of a run."""

    def make(encoder: SentenceTransformer, bonus: float = 0.0) -> Run:
        run = Run(tmp_path / "run")
        encoder.save_pretrained(str(run.encoder_path), create_model_card=False)
        write_json(run.path / "manifest.json", {"scoring": {"bonus": bonus}})
        return run

    return make


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")
def test_javascript_makes_the_same_vectors_of_a_table(make_run: Callable[..., Run], tmp_path: Path):
    """The reader of the documentation gives what the encoder gives, to 1e-5, in any script, with the bonus behind."""
    model = load_encoder("static", max_length=32)
    export_encoder(make_run(model, bonus=0.05), "numpy", tmp_path / "out")
    read = subprocess.run(["node", READER, tmp_path / "out", *TEXTS], capture_output=True, text=True, check=True)  # noqa: S607
    vectors, expected = np.array(json.loads(read.stdout)), model.encode(list(TEXTS))
    np.testing.assert_allclose(vectors[:, :-2], expected, atol=1e-5)
    np.testing.assert_allclose(vectors[:, -2:], np.outer(expected.any(axis=1), [0.5, 0]))
    assert not expected[5:7].any()


@pytest.mark.parametrize("kind", ["transformer", "static"])
def test_onnx_makes_the_same_vectors(kind: str, tiny_bert: Path, make_run: Callable[..., Run], tmp_path: Path):
    """Tokenizer and graph of the export give what the encoder gives, to 1e-5, for texts of any number and length."""
    pytest.importorskip("onnxscript", reason="recsys[onnx] is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    model = load_encoder(str(tiny_bert) if kind == "transformer" else "static", max_length=6)
    done = export_encoder(make_run(model), "onnx", tmp_path / "out")
    tokenizer = Tokenizer.from_file(str(done.directory / done.manifest["tokenizer"]))
    session = onnxruntime.InferenceSession(str(done.directory / done.manifest["file"]))
    for texts in (["red oak mug"], ["Blue tin cup, wool scarf and desk", "lamp", "unseen"]):
        ids = [tokenizer.encode(t, add_special_tokens=done.manifest["add_special_tokens"]).ids for t in texts]
        longest = max(map(len, ids))
        fed = {
            "input_ids": np.array([row + [0] * (longest - len(row)) for row in ids]),
            "attention_mask": np.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids]),
        }
        np.testing.assert_allclose(session.run(None, fed)[0], model.encode(texts), atol=1e-5)


def test_the_manifest_says_what_a_reader_has_to_do(make_run: Callable[..., Run], tmp_path: Path):
    """Whoever follows it needs to know neither our settings nor the library that trained."""
    run = make_run(load_encoder("static", max_length=32), bonus=0.02)
    done = export_encoder(run, "numpy", tmp_path / "a" / "out")
    assert json.loads((done.directory / "encoder.json").read_text()) == done.manifest
    expected = {"normalise": True, "lower_case": True, "prompt": "", "pooling": "mean", "add_special_tokens": False}
    assert done.manifest.items() >= expected.items()
    assert done.manifest["suffix"] == pytest.approx([0.2, 0])
    assert done.manifest["encoder_hash"] == hash_tree(run.encoder_path)
    assert np.load(done.directory / "vectors.npy").shape[1] == done.manifest["width"]


def test_a_transformer_is_no_table(tiny_bert: Path, make_run: Callable[..., Run], tmp_path: Path):
    """The refusal names the format that works, and leaves nothing behind."""
    run = make_run(SentenceTransformer(str(tiny_bert), device="cpu"))
    with pytest.raises(NotATableError, match="--format onnx"):
        export_encoder(run, "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(make_run: Callable[..., Run], tiny_encoder: Path, tmp_path: Path):
    """A directory that is there stays as it is."""
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportTakenError, match="--out"):
        export_encoder(make_run(SentenceTransformer(str(tiny_encoder))), "numpy", tmp_path / "out")
    assert not any((tmp_path / "out").iterdir())
