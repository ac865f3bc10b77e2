"""``recsys export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.core.run import Run


def test_the_newest_run_is_exported(
    tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object]
):
    """Without a name it is the newest run's encoder, and the second time it says that the place is taken."""
    monkeypatch.setenv("RECSYS_WORKSPACE", str(tmp_path))
    for name in ("older", "younger"):
        run = Run(tmp_path / "runs" / name)
        run.encoder_path.parent.mkdir(parents=True)
        run.encoder_path.symlink_to(tiny_encoder)
        (run.path / "manifest.json").write_text("{}")
    done = recsys("export", "encoder", "--out", str(tmp_path / "out"), "--json")
    assert done.json()["manifest"]["run"] == "younger"
    assert np.load(tmp_path / "out" / "vectors.npy").shape == (9, 8)
    again = recsys("export", "encoder", "--out", str(tmp_path / "out"))
    assert (again.code, again.out) == (2, "")
