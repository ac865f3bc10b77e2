"""One row of a file made into one row of ours, or refused with a reason: the first that applies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from recsys.core import columns as c
from recsys.core.text import query_id
from recsys.graph.names import is_reserved
from recsys.ingest.rules import EVERY_CLICK, Rules, weight_of
from recsys.ingest.values import MAX_ID, MAX_TEXT, RejectError, click_count, epoch_ms, properties_of, required, text_of

TARGET_TEXT: Final = "target_text"
RELATION_NAME: Final = "relation_name"
PROPERTIES: Final = "properties"

Clean = Callable[[Mapping[str, Any], Mapping[str, str]], tuple[Any, ...]]
"""Takes a row (column to value) and the mapping (our column to the file's); returns one value per field.

Raises RejectError with the reason code.
"""


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    Attributes:
        name: Names the kind in the ledger and in files.
        fields: Our field to its Spark type, in the order that ``clean`` returns.
        clean: Makes one row.
        required: Columns that a file must have.
        optional: Columns that a file may have.
        rules: What ``clean`` goes by.
    """

    name: str
    fields: Mapping[str, str]
    clean: Clean
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    rules: Rules = EVERY_CLICK


def clean_click(row: Mapping[str, Any], columns: Mapping[str, str], rules: Rules = EVERY_CLICK) -> tuple[Any, ...]:
    """Return query_id, query_text, item_id, item_title, session, timestamp (ms since 1970 UTC) and count."""
    weight = weight_of(text_of(_at(row, columns, c.EVENT), c.EVENT), rules) if rules.events else 1
    text = required(row.get(columns[c.QUERY_TEXT]), c.QUERY_TEXT, limit=MAX_TEXT)
    item = required(row.get(columns[c.ITEM_ID]), c.ITEM_ID)
    given = text_of(_at(row, columns, c.QUERY_ID), c.QUERY_ID, MAX_ID)
    return (
        given or query_id(text),
        text,
        item,
        text_of(_at(row, columns, c.ITEM_TITLE), c.ITEM_TITLE) or None,
        text_of(_at(row, columns, c.SESSION), c.SESSION) or None,
        epoch_ms(_at(row, columns, c.TIMESTAMP), rules.timestamp_format, rules.zone),
        click_count(row.get(columns[c.COUNT])) * weight if c.COUNT in columns else weight,
    )


def clicks_by(rules: Rules) -> Kind:
    """Return the kind of click logs that are read by ``rules``."""
    required = (*CLICKS.required, c.EVENT) if rules.events else CLICKS.required
    return replace(CLICKS, clean=partial(clean_click, rules=rules), required=required, rules=rules)


def clean_item(row: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[Any, ...]:
    """Return item_id, item_title and the further columns as JSON text."""
    item = required(row.get(columns[c.ITEM_ID]), c.ITEM_ID)
    title = required(row.get(columns[c.ITEM_TITLE]), c.ITEM_TITLE, limit=MAX_TEXT)
    further = properties_of(row, without=frozenset(columns.values()))
    return item, title, json.dumps(further, ensure_ascii=False, sort_keys=True)


def clean_link(row: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[Any, ...]:
    """Return source, relation, target and target_text; ``relation_name`` in ``columns`` is the relation of all rows."""
    source = required(row.get(columns[c.SOURCE]), c.SOURCE)
    fixed = columns.get(RELATION_NAME)
    relation = required(fixed if fixed is not None else row.get(columns[c.RELATION]), c.RELATION)
    if is_reserved(relation):
        raise RejectError("reserved_relation")
    target = required(row.get(columns[c.TARGET]), c.TARGET)
    if source == target:
        raise RejectError("self_link")
    return source, relation, target, text_of(row.get(TARGET_TEXT), TARGET_TEXT) or None


def clean_node(row: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[Any, ...]:
    """Return node_id and node_text."""
    node = required(row.get(columns[c.NODE_ID]), c.NODE_ID)
    return node, required(row.get(columns[c.NODE_TEXT]), c.NODE_TEXT, limit=MAX_TEXT)


CLICKS = Kind(
    "clicks",
    {
        c.QUERY_ID: "string",
        c.QUERY_TEXT: "string",
        c.ITEM_ID: "string",
        c.ITEM_TITLE: "string",
        c.SESSION: "string",
        c.TIMESTAMP: "long",
        c.COUNT: "long",
    },
    clean_click,
    (c.QUERY_TEXT, c.ITEM_ID),
    (c.QUERY_ID, c.ITEM_TITLE, c.SESSION, c.TIMESTAMP, c.COUNT),
)
ITEMS = Kind(
    "items",
    {c.ITEM_ID: "string", c.ITEM_TITLE: "string", PROPERTIES: "string"},
    clean_item,
    (c.ITEM_ID, c.ITEM_TITLE),
)
LINKS = Kind(
    "links",
    {c.SOURCE: "string", c.RELATION: "string", c.TARGET: "string", TARGET_TEXT: "string"},
    clean_link,
    (c.SOURCE, c.RELATION, c.TARGET),
)
NODES = Kind("nodes", {c.NODE_ID: "string", c.NODE_TEXT: "string"}, clean_node, (c.NODE_ID, c.NODE_TEXT))


def _at(row: Mapping[str, Any], columns: Mapping[str, str], ours: str) -> Any:
    return row.get(columns[ours]) if ours in columns else None
