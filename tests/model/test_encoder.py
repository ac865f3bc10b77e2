"""Which encoder to start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize

from recsys.model.encoder import STATIC, TRANSFORMER, EncoderMissingError, is_static, load_encoder, resolve


@pytest.mark.parametrize(("gpu", "expected"), [(False, STATIC), (True, TRANSFORMER)])
def test_auto_depends_on_the_gpu(monkeypatch: pytest.MonkeyPatch, gpu: bool, expected: str):
    """Only auto is decided here; any other name stays as it is."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert resolve("auto") == expected
    assert resolve("static") == "static"
    assert resolve("some/model") == "some/model"


def test_the_static_encoder_knows_words():
    """Related words start near each other, vectors have unit norm, and long texts are read whole."""
    model = load_encoder(STATIC, max_length=4)
    assert is_static(model)
    shoe, boot, piano = model.encode(["shoe", "boots", "piano"])
    assert shoe @ boot > shoe @ piano
    long, longer = model.encode(["red " * 200, "red " * 200 + "piano " * 200])
    np.testing.assert_allclose(np.linalg.norm([shoe, long, longer], axis=1), 1, rtol=1e-5)
    assert long @ longer < 0.99


def test_a_transformer_by_path_gets_unit_norm_and_a_length(tiny_bert: Path):
    """A model without normalisation gets it, and tokens beyond the length are cut."""
    model = load_encoder(str(tiny_bert), max_length=5)
    assert not is_static(model)
    assert isinstance(model[-1], Normalize)
    same = model.encode(["red oak mug", "red oak mug tin tin tin"])
    np.testing.assert_allclose(same[0], same[1], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(same, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_an_encoder_in_half_precision_trains_in_float32(tiny_bert: Path, tmp_path: Path, precision: torch.dtype):
    """Whatever precision the weights were published in, they are trained and encode in float32."""
    SentenceTransformer(str(tiny_bert), device="cpu").to(precision).save(str(tmp_path))
    assert {p.dtype for p in SentenceTransformer(str(tmp_path), device="cpu").parameters()} == {precision}
    model = load_encoder(str(tmp_path), 16)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model.encode(["red shoe"]).dtype == np.float32


def test_normalisation_is_not_added_twice(tiny_bert: Path, tmp_path: Path):
    """An encoder of an earlier run has as many modules as before."""
    model = load_encoder(str(tiny_bert), max_length=5)
    model.save_pretrained(str(tmp_path / "encoder"), create_model_card=False)
    assert (
        len(load_encoder(str(tmp_path / "encoder"), max_length=5))
        == len(model)
        == len(SentenceTransformer(str(tmp_path / "encoder")))
    )


def test_a_static_encoder_by_path_trains_with_sparse_gradients(tiny_static: Path):
    """A table of token vectors from a directory is trained as the default one is."""
    model = load_encoder(str(tiny_static), max_length=32)
    assert is_static(model)
    model(model.preprocess(["red oak"]))["sentence_embedding"].sum().backward()
    (table,) = model.parameters()
    assert table.grad.is_sparse


@pytest.mark.parametrize("name", ["nobody/has-this", "not here at all"])
def test_a_missing_encoder_says_what_to_give_instead(monkeypatch: pytest.MonkeyPatch, name: str):
    """The error names the encoder and the ways out, without asking a hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderMissingError, match=r"cannot be loaded.*--encoder static.*recsys doctor") as error:
        load_encoder(name, max_length=32)
    assert error.value.name == name
