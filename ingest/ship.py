"""Sends recsys along to the executors of a cluster, so that they need not have it installed, nor the same version."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

ROOMS: Final = ("core", "graph", "ingest")
"What tasks import. Beside it they need Python as the driver has it, and pyarrow."

_DATE = (1980, 1, 1, 0, 0, 0)


def is_one_process(master: str) -> bool:
    """Return whether executors live in the driver's process, as under ``local[*]``."""
    return master == "local" or master.startswith("local[")


def ship(spark: SparkSession, folder: Path) -> None:
    """Hand executors that live in other processes the code of this one; ``folder`` keeps the archive."""
    if not is_one_process(str(spark.sparkContext.master)):
        spark.sparkContext.addPyFile(str(archive(folder)))


def archive(folder: Path) -> Path:
    """Write what tasks import into ``folder`` as a zip archive that is named by its content, and return its path."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        # With a file of its own the package is whole: no part of it is looked for elsewhere on the executor.
        out.writestr(zipfile.ZipInfo("recsys/__init__.py", _DATE), "")
        for room in ROOMS:
            modules = (module for module in files(f"recsys.{room}").iterdir() if module.name.endswith(".py"))
            for module in sorted(modules, key=lambda module: module.name):
                out.writestr(zipfile.ZipInfo(f"recsys/{room}/{module.name}", _DATE), module.read_bytes())
    path = folder / f"recsys-{hashlib.sha256(packed.getvalue()).hexdigest()[:16]}.zip"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(packed.getvalue())
        partial.replace(path)
    return path
