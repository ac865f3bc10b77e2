"""The losses in the sentence-transformers trainer, on plain pairs of texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.modules import Normalize

from recsys.model.losses.infonce import MaskedInfoNCELoss
from recsys.model.losses.ramen import RamenLoss
from recsys.model.losses.triplet import HardestTripletLoss

PAIRS = {
    "anchor": ["red shoe", "blue lamp", "oak table", "wool scarf", "tin mug", "desk lamp", "red shoe", "cup"],
    "positive": ["blue shoe", "desk", "table", "scarf red", "cup tin", "lamp", "shoe", "mug"],
}
LOSSES: list[Callable[[SentenceTransformer], Any]] = [
    HardestTripletLoss,
    MaskedInfoNCELoss,
    RamenLoss,
    lambda model: RamenLoss(model, click_loss="infonce"),
]


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("negatives", [False, True])
def test_a_plain_dataset_is_learnt(make, negatives: bool, tiny_static: Path, tmp_path: Path):
    """Pairs, and triplets where the loss takes them, lower the loss, without a label, a graph or a collator of ours."""
    model = SentenceTransformer(str(tiny_static), device="cpu")
    model.append(Normalize())
    loss = make(model)
    if negatives and isinstance(loss, RamenLoss):
        pytest.skip("the click loss alone takes pairs")
    further = {"negative": PAIRS["positive"][::-1]} if negatives else {}
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path),
        num_train_epochs=8,
        learning_rate=0.05,
        per_device_train_batch_size=8,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    data = Dataset.from_dict({**PAIRS, **further})
    trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=loss)
    trainer.train()
    logged = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert logged[-1] < 0.8 * logged[0]
