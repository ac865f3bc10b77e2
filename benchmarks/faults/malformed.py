"""Logs of rows that cannot be used, of twenty kinds, with good ones between them; and how somebody would mend them.

Usage: python -m benchmarks.faults.malformed write DIR --each 50000
       python -m benchmarks.faults.malformed mend .recsys/rejects/BATCH
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HEADER: Final = b"query_text,item_id,item_title,session,timestamp,count\n"
CSV_KINDS: Final[Mapping[str, tuple[str, bytes]]] = {
    "a field is missing": ("too_few_fields", b"lamp,i1,,,1\n"),
    "a field too many": ("too_many_fields", b"lamp,i1,,,,1,x\n"),
    "a quote that never closes": ("broken_quotes", b'"lamp,i1,,,,1\n'),
    "a quote that closes within the field": ("broken_quotes", b'"la"mp,i1,,,,1\n'),
    "Latin-1": ("not_utf8", b"caf\xe9,i1,,,,1\n"),
    "a NUL": ("nul_byte", b"la\0mp,i1,,,,1\n"),
    "no query": ("empty_query_text", b",i1,,,,1\n"),
    "a blank query": ("empty_query_text", b"   ,i1,,,,1\n"),
    "no item": ("empty_item_id", b"lamp,,,,,1\n"),
    "an endless item id": ("item_id_too_long", b"lamp," + b"i" * 2_001 + b",,,,1\n"),
    "a time in words": ("bad_timestamp", b"lamp,i1,,,yesterday,1\n"),
    "a thirteenth month": ("bad_timestamp", b"lamp,i1,,,2024-13-01T00:00:00Z,1\n"),
    "no click at all": ("bad_count", b"lamp,i1,,,,0\n"),
    "a negative count": ("bad_count", b"lamp,i1,,,,-1\n"),
    "a fraction": ("bad_count", b"lamp,i1,,,,1.5\n"),
    "a count in words": ("bad_count", b"lamp,i1,,,,many\n"),
}
JSON_KINDS: Final[Mapping[str, tuple[str, bytes]]] = {
    "half an object": ("not_json", b'{"query_text": "lamp", "item_id": \n'),
    "a list for a row": ("not_json", b'["lamp", "i1"]\n'),
    "a list for a query": ("query_text_not_text", b'{"query_text": ["lamp"], "item_id": "i1", "count": 1}\n'),
    "an object for an item": ("item_id_not_text", b'{"query_text": "lamp", "item_id": {"a": 1}, "count": 1}\n'),
}
GOOD_ITEMS, MENDED_ITEMS = 1_000, 100


def write_malformed(folder: Path, each: int) -> Counter[str]:
    """Write ``bad.csv`` and ``bad.jsonl`` with ``each`` rows of every kind, and return reason code to rows.

    Before every round of kinds stands a good row; ``each`` good rows in either file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bad.csv").open("wb") as out:
        out.write(HEADER)
        for n in range(each):
            out.write(b'"good, %d",g%d,,,%d,1\n' % (n % GOOD_ITEMS, n % GOOD_ITEMS, 1_700_000_000 + n))
            out.writelines(line for _, line in CSV_KINDS.values())
    with (folder / "bad.jsonl").open("wb") as out:
        for n in range(each):
            out.write(b'{"query_text": "good %d", "item_id": "g%d", "count": 1}\n' % (n % GOOD_ITEMS, n % GOOD_ITEMS))
            out.writelines(line for _, line in JSON_KINDS.values())
    reasons = Counter(reason for reason, _ in (*CSV_KINDS.values(), *JSON_KINDS.values()))
    return Counter({reason: kinds * each for reason, kinds in reasons.items()})


def mend(folder: Path) -> int:
    """Make every row that lies in ``folder`` one click that can be used, and return how many there are."""
    path, number = folder / "rows.jsonl", 0
    with path.open(encoding="utf-8") as lines, path.with_suffix(".mended").open("w", encoding="utf-8") as out:
        for number, line in enumerate(lines, start=1):
            row = {"query_text": f"mended {number % 1_000}", "item_id": f"m{number % MENDED_ITEMS}", "count": "1"}
            out.write(json.dumps({**json.loads(line), "row": row}) + "\n")
    path.with_suffix(".mended").replace(path)
    return number


def main() -> None:
    """Write or mend."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.malformed", description=__doc__)
    parser.add_argument("what", choices=["write", "mend"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=50_000, help="rows of each kind")
    given = parser.parse_args()
    print(write_malformed(given.folder, given.each) if given.what == "write" else mend(given.folder))


if __name__ == "__main__":
    main()
