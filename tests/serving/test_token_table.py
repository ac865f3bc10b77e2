"""Static encoders without the training libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from recsys.model.encoder import load_encoder
from recsys.serving.token_table import TokenTable


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> tuple[SentenceTransformer, Path]:
    """The encoder that training starts from, and its files."""
    model, path = load_encoder("static", 32), tmp_path_factory.mktemp("static") / "encoder"
    model.save_pretrained(str(path), create_model_card=False)
    return model, path


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
@settings(max_examples=50)
def test_it_gives_what_the_library_gives(static: tuple[SentenceTransformer, Path], texts: list[str]):
    """Whatever the script, and for texts of no token."""
    model, path = static
    table = TokenTable.of(path)
    assert table is not None
    expected = model.encode(texts) if texts else np.zeros((0, 384))
    np.testing.assert_allclose(table.encode(texts), expected, atol=1e-6)


def test_vectors_keep_their_length_without_a_module_for_it(tiny_encoder: Path):
    """An encoder that does not normalise is read as it is: means of its token vectors."""
    model, table = SentenceTransformer(str(tiny_encoder), device="cpu"), TokenTable.of(tiny_encoder)
    assert table is not None
    texts = ["red", "red blue", "nothing known"]
    np.testing.assert_allclose(table.encode(texts), model.encode(texts), atol=1e-6)


def test_other_encoders_are_left_to_the_library(tiny_bert: Path, static: tuple[SentenceTransformer, Path]):
    """A transformer is no table, nor is a table behind a prompt."""
    assert TokenTable.of(tiny_bert) is None
    config = static[1] / "config_sentence_transformers.json"
    before = config.read_text()
    config.write_text(json.dumps({**json.loads(before), "prompts": {"q": "query: "}, "default_prompt_name": "q"}))
    assert TokenTable.of(static[1]) is None
    config.write_text(before)


def test_nothing_slow_is_imported(tiny_encoder: Path):
    """Reading and encoding takes neither torch nor sentence-transformers."""
    code = (
        "import sys; from pathlib import Path; from recsys.serving.token_table import TokenTable; "
        "TokenTable.of(Path(sys.argv[1])).encode(['red']); print({'torch', 'sentence_transformers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, tiny_encoder], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
