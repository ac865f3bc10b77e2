"""What a person sees while an encoder trains."""

from __future__ import annotations

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from recsys.model.report import ProgressBar


def test_loss_terms_and_figures_are_shown_on_stderr(capsys: pytest.CaptureFixture[str]):
    """Held-out figures get a line with their epoch, and stdout stays empty."""
    state, control = TrainerState(max_steps=10, epoch=2.0), TrainerControl()
    arguments = TrainingArguments(output_dir="unused", report_to="none", use_cpu=True)
    bar = ProgressBar()
    bar.on_train_begin(arguments, state, control)
    bar.on_log(arguments, state, control, logs={"click": 0.25, "graph": 0.125})
    bar.on_log(arguments, state, control, logs={"eval_score": 1, "eval_P@1": 40, "eval_PSP@5": 30, "eval_R@10": 70.126})
    state.global_step = 10
    bar.on_step_end(arguments, state, control)
    bar.on_train_end(arguments, state, control)
    shown = capsys.readouterr()
    assert "epoch 2, held-out queries: P@1 40.00  PSP@5 30.00  R@10 70.13" in shown.err
    assert "10/10" in shown.err
    assert "click=0.2500, graph=0.1250" in shown.err
    assert shown.out == ""


def test_a_resumed_bar_begins_where_training_does(capsys: pytest.CaptureFixture[str]):
    """After a resumed start the steps done before count as done."""
    arguments = TrainingArguments(output_dir="unused", report_to="none", use_cpu=True)
    bar = ProgressBar()
    bar.on_train_begin(arguments, TrainerState(max_steps=10, global_step=4), TrainerControl())
    bar.on_train_end(arguments, TrainerState(max_steps=10, global_step=4), TrainerControl())
    assert "4/10" in capsys.readouterr().err
