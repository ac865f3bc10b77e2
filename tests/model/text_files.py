"""Files of texts as a training keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from recsys.model.texts import Texts

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("payload", pa.string())])


def written(path: Path, *pages: tuple[Sequence[str], Sequence[str]]) -> Texts:
    """Return texts that are read from a file at ``path``, with these ids and texts on each page."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for ids, texts in pages:
            columns = [pa.array(column, pa.string()) for column in (ids, texts, ["{}"] * len(ids))]
            writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
    return Texts(path)
