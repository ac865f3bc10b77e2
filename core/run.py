"""The run directory: what training hands to serving.

``encoder/`` (a plain SentenceTransformer), ``items.parquet`` and ``queries.parquet``, ``excluded.parquet``,
``settings.json``, ``metrics.json``, ``manifest.json`` and ``README.md``. It is written under a name that starts with a
dot and renamed when whole, so a directory without the dot is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.core.errors import DataError
from recsys.core.scoring import Scoring

Vectors = npt.NDArray[np.float32]

ROW_GROUP = 128
"Rows that are read together when one of them is wanted: 0.2 MB of vectors at a width of 384."


class RunMissingError(DataError):
    """No finished run has the requested name."""

    def __init__(self, name: str | None, known: Sequence[str], directory: Path) -> None:
        self.name = name
        self.known = tuple(known)
        wanted = "no finished run" if name is None else f"no finished run {name!r}"
        super().__init__(f"{wanted} in {directory} (known: {', '.join(known) or 'none'}); `recsys train` makes one")


@dataclass(frozen=True)
class Table:
    """Texts and vectors of one label, in the order of their graph rows.

    Attributes:
        ids: External ids.
        texts: What was encoded.
        clicks: Training clicks per row, repeated ones included, int64.
        degree: Distinct nodes at the other end of those clicks, int64.
        payloads: Further properties per row, of an item ``first_seen`` and ``last_seen`` among them (ms since 1970 UTC,
            absent where no click had a time); of a query the ``items`` it votes for, as rows, and the ``counts`` of
            their clicks.
        vectors: Unit-norm, float32, shape (rows, width); two dimensions more where the run gives a bonus
            (:mod:`recsys.core.bonus`).
        lengths: Of the sum that each composed item vector is the direction of, which tells its summands' parts; None
            for queries and for runs from before it was noted.
        text_lengths: Of E(z) + w_z + δ · A(z), which stands in that sum with unit norm, where residuals or anchors are
            in item vectors; else None.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    clicks: npt.NDArray[np.int64]
    degree: npt.NDArray[np.int64]
    payloads: Sequence[Mapping[str, Any]]
    vectors: Vectors
    lengths: Vectors | None = None
    text_lengths: Vectors | None = None


def write_table(path: Path, table: Table) -> None:
    """Write ``id``, ``text``, ``clicks``, ``degree``, ``payload`` (JSON), ``vector`` (float32 list) and lengths."""
    write_parts(path, [table])


def write_parts(path: Path, parts: Iterable[Table]) -> None:
    """Write one table whose rows come part by part, one part or more, as :func:`write_table` does."""
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for part in map(_as_arrow, parts):
            writer = writer or stack.enter_context(_writer(path, part.schema))
            writer.write_table(part, row_group_size=ROW_GROUP)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # vectors are random to a dictionary and do not compress, and small groups let one row be read without the rest
    packed = {name: "none" if name == "vector" else "snappy" for name in schema.names}
    return pq.ParquetWriter(path, schema, use_dictionary=False, compression=packed)


def _as_arrow(table: Table) -> pa.Table:
    width = table.vectors.shape[1]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(table.vectors.ravel(), pa.float32()), width)
    columns = {
        "id": pa.array(table.ids, pa.string()),
        "text": pa.array(table.texts, pa.string()),
        "clicks": pa.array(table.clicks, pa.int64()),
        "degree": pa.array(table.degree, pa.int64()),
        "payload": pa.array([json.dumps(p, ensure_ascii=False) for p in table.payloads], pa.string()),
        "vector": vectors,
    }
    for name, lengths in (("length", table.lengths), ("text_length", table.text_lengths)):
        if lengths is not None:
            columns[name] = pa.array(lengths, pa.float32())
    return pa.table(columns)


def read_table(path: Path) -> Table:
    """Read what :func:`write_table` wrote."""
    table = pq.read_table(path).combine_chunks()
    width = table.schema.field("vector").type.list_size
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, width).astype(np.float32, copy=False)
    return Table(
        ids=table["id"].to_pylist(),
        texts=table["text"].to_pylist(),
        clicks=table["clicks"].to_numpy(),
        degree=table["degree"].to_numpy(),
        payloads=[json.loads(p) for p in table["payload"].to_pylist()],
        vectors=vectors,
        lengths=table["length"].to_numpy() if "length" in table.column_names else None,
        text_lengths=table["text_length"].to_numpy() if "text_length" in table.column_names else None,
    )


@dataclass(frozen=True)
class Run:
    """A finished run directory."""

    path: Path

    @property
    def name(self) -> str:
        """Name of the run, which is also the name of its Qdrant collection."""
        return self.path.name

    @property
    def encoder_path(self) -> Path:
        """Directory that ``SentenceTransformer(path)`` loads."""
        return self.path / "encoder"

    @property
    def manifest(self) -> dict[str, Any]:
        """Snapshot, seeds, versions and ``encoder_hash``."""
        return self._json("manifest.json")

    @property
    def scoring(self) -> Scoring:
        """How the vectors are to be searched."""
        return Scoring(**self.manifest.get("scoring", {}))

    @property
    def metrics(self) -> dict[str, Any]:
        """Every figure of the training."""
        return self._json("metrics.json")

    def items(self) -> Table:
        """Return the items with the vectors that serve."""
        return read_table(self.path / "items.parquet")

    def queries(self) -> Table:
        """Return the known queries with their vectors."""
        return read_table(self.path / "queries.parquet")

    def _json(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return value


def list_runs(directory: Path) -> list[Run]:
    """Return the finished runs under ``directory``, oldest first."""
    if not directory.is_dir():
        return []
    finished = [d for d in directory.iterdir() if not d.name.startswith(".") and (d / "manifest.json").is_file()]
    return [Run(d) for d in sorted(finished, key=lambda d: d.name)]


def find_run(directory: Path, name: str | None = None) -> Run:
    """Return the run called ``name``, or the newest.

    Raises:
        RunMissingError: There is none.
    """
    runs = list_runs(directory)
    chosen = [run for run in runs if name in (None, run.name)]
    if not chosen:
        raise RunMissingError(name, [run.name for run in runs], directory)
    return chosen[-1]
