"""Writes the invented shop as files in the shape of real logs: clicks, items, links, node texts and a held-out log."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from recsys.core.errors import SetupError, UsageError
from recsys.core.files import write_json, write_text
from recsys.core.progress import progress
from recsys.ingest.shop_items import item_tables, link_tables, node_table
from recsys.ingest.shop_log import ShopLog

Format = Literal["csv", "parquet"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "parquet")
TABLES: Final = ("clicks", "items", "links", "nodes", "clicks.test")
MARKER: Final = "sample.json"
"A directory that has it was written by us and may be written again."
_PARTIAL = ".sample.partial"

_GUIDE = """# An invented shop

Written by `recsys sample` (--clicks {clicks} --seed {seed} --format {format}); the same three values write the same
bytes again. All names are invented.

| file | rows | what |
|---|---|---|
| `clicks.{format}` | {clicks} | one click a row, in the order of sessions: query_text, item_id, session_id, timestamp |
| `items.{format}` | {items} | item_id, title and properties; {new_items} items are new and not clicked yet |
| `links.{format}` | {links} | source, relation, target: category, brand and use of items, and the category tree |
| `nodes.{format}` | {nodes} | node_id, title: texts of the categories, brands and uses |
| `clicks.test.{format}` | {test_clicks} | the week after: mostly queries that the click log does not have |

Next, in this order, with DIR for this directory:

    recsys ingest clicks DIR/clicks.{format}
    recsys ingest items DIR/items.{format}
    recsys ingest links DIR/links.{format} --nodes DIR/nodes.{format}
    recsys train
    recsys publish
    recsys evaluate --clicks DIR/clicks.test.{format}
"""


class ForeignDirectoryError(UsageError):
    """The directory holds something that ``recsys sample`` did not write."""

    def __init__(self, directory: Path, found: str) -> None:
        self.directory = directory
        super().__init__(
            f"{directory} is not empty ({found!r} is in it) and holds no earlier sample; "
            "run `recsys sample` with a new or empty directory"
        )


class UnwritableError(SetupError):
    """A directory or disk does not take our files."""

    def __init__(self, directory: Path, reason: OSError) -> None:
        self.directory = directory
        super().__init__(
            f"cannot write to {directory}: {reason.strerror or reason}; make room or run `recsys sample` elsewhere"
        )


@dataclass(frozen=True)
class SampleSummary:
    """What was written: how it was asked for, and the rows of each file."""

    format: Format
    seed: int
    clicks: int
    test_clicks: int
    items: int
    new_items: int
    links: int
    nodes: int


def write_sample(directory: Path, *, clicks: int, seed: int, format: Format = "csv") -> SampleSummary:  # noqa: A002
    """Write an invented shop into ``directory``, replacing an earlier sample there.

    The files get their names when all of them are whole. The click log is written block by block: memory does not
    grow with it, except for a few hundred bytes per item.

    Args:
        directory: Made when missing; files of other names in it are left alone.
        clicks: Size of the click log, 100 or more; the number of items is a thirtieth of it.
        seed: 0 or more. The same seed, size and format give the same bytes.
        format: Of all tables.

    Raises:
        ForeignDirectoryError: ``directory`` holds files, but no earlier sample.
        UnwritableError: ``directory`` cannot be made or written.
    """
    partial = directory / _PARTIAL
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(directory)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        summary = _write(partial, ShopLog(clicks, seed), format)
        _replace(partial, directory)
    except OSError as error:
        raise UnwritableError(directory, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


def _refuse_foreign(directory: Path) -> None:
    found = sorted(path.name for path in directory.iterdir())
    if found and not {MARKER, _PARTIAL} & set(found):
        raise ForeignDirectoryError(directory, found[0])


def _write(partial: Path, log: ShopLog, format: Format) -> SampleSummary:  # noqa: A002
    shop = log.shop
    blocks = progress(range(log.blocks), "clicks", unit="block")
    tables = {
        "clicks": (log.block(number) for number in blocks),
        "items": item_tables(shop, log.seed),
        "links": link_tables(shop),
        "nodes": [node_table(shop)],
        "clicks.test": [log.test()],
    }
    rows = {name: _write_table(partial / f"{name}.{format}", tables[name], format) for name in TABLES}
    summary = SampleSummary(
        format=format,
        seed=log.seed,
        clicks=rows["clicks"],
        test_clicks=rows["clicks.test"],
        items=rows["items"],
        new_items=shop.items - shop.listed,
        links=rows["links"],
        nodes=rows["nodes"],
    )
    write_json(partial / MARKER, asdict(summary))
    write_text(partial / "README.md", _GUIDE.format(**asdict(summary)))
    return summary


def _write_table(path: Path, tables: Iterable[Any], format: Format) -> int:  # noqa: A002
    remaining = iter(tables)
    first = next(remaining)
    open_writer = {"csv": pa_csv.CSVWriter, "parquet": pq.ParquetWriter}[format]
    rows = 0
    with open_writer(path, first.schema) as writer:
        for table in chain([first], remaining):
            writer.write_table(table)
            rows += len(table)
    return rows


def _replace(partial: Path, directory: Path) -> None:
    """Take away the earlier sample, in whichever format it is, and move the new one in."""
    for name in (f"{table}.{extension}" for table in TABLES for extension in FORMATS):
        (directory / name).unlink(missing_ok=True)
    for path in sorted(partial.iterdir()):
        path.replace(directory / path.name)
