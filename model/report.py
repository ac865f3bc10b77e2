"""What a person sees while an encoder trains, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

TERMS: Sequence[str] = ("click", "composed", "shared_item", "graph")
"Components of the loss."


class ProgressBar(TrainerCallback):
    """A bar with the loss terms and the time left, and a line for each measurement."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Open the bar at the step that training starts from."""
        terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc="train",
            unit="step",
            file=sys.stderr,
            mininterval=0.1 if terminal else 15,
            dynamic_ncols=terminal,
        )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Move the bar."""
        self._bar.update(state.global_step - self._bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show loss terms beside the bar, and held-out figures on a line of their own."""
        logs = logs or {}
        terms: dict[str, str] = {name: f"{float(logs[name]):.4f}" for name in TERMS if name in logs}
        if terms:
            self._bar.set_postfix(terms, refresh=False)
        if "eval_score" in logs:
            figures = "  ".join(f"{name} {logs[f'eval_{name}']:.2f}" for name in ("P@1", "PSP@5", "R@10"))
            self._bar.write(f"epoch {state.epoch:.0f}, held-out queries: {figures}", file=sys.stderr)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bar."""
        self._bar.close()
