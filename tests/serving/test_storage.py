"""How a server keeps a collection; what only a server does is tested on one where there is one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qdrant_client import models

from recsys.core.run import Table, write_table
from recsys.serving.gate import Verdict, judge
from recsys.serving.publish import publish
from recsys.serving.storage import (
    CALM,
    EFFORTS,
    UNBUILT,
    Effort,
    NotIndexedError,
    Storage,
    UnknownColumnError,
    build_index,
    column_kinds,
    efforts_left,
)

Kind = models.PayloadSchemaType
OURS = {"id": Kind.KEYWORD, "clicks": Kind.INTEGER, "first_seen": Kind.DATETIME, "last_seen": Kind.DATETIME}
PAYLOADS = [
    {"brand": "a", "price": 3, "new": True, "year": 1999, "tags": ["x", "y"], "mixed": 1, "about": "long " * 99},
    {"brand": None, "price": 2.5, "new": False, "year": 2001, "tags": [], "mixed": "1", "about": "short"},
]


@pytest.fixture
def table() -> Table:
    """Two items with columns of every kind."""
    nothing = np.zeros(2, np.int64)
    return Table(["a", "b"], ["A", "B"], nothing, nothing, PAYLOADS, np.eye(2, dtype=np.float32))


def test_each_column_gets_the_index_that_fits(table: Table) -> None:
    """Whole numbers and fractions together are fractions; long texts and mixtures get none."""
    assert column_kinds(table) == {
        "brand": Kind.KEYWORD,
        "price": Kind.FLOAT,
        "new": Kind.BOOL,
        "year": Kind.INTEGER,
        "tags": Kind.KEYWORD,
        "mixed": None,
        "about": None,
    }
    assert Storage().schema(table).keys() == {"brand", "price", "new", "year", "tags", *OURS}


def test_what_is_named_is_indexed(table: Table) -> None:
    """Only the columns of the setting, beside id, clicks and times; one that no item has is wrong usage."""
    assert Storage(indexed=("price", "mixed")).schema(table) == {"price": Kind.FLOAT, "mixed": Kind.KEYWORD, **OURS}
    assert Storage(indexed=()).schema(table) == OURS
    with pytest.raises(UnknownColumnError, match=r"qdrant\.indexed names 'colour'.*brand") as caught:
        Storage(indexed=("colour",)).schema(table)
    assert caught.value.column == "colour"


@pytest.mark.parametrize(("least", "points", "is_int8"), [(0, 10**6, False), (100, 99, False), (100, 100, True)])
def test_int8_begins_at_its_size(least: int, points: int, is_int8: bool) -> None:
    """From so many items on, and never where the setting is 0."""
    assert (Storage(int8_from=least).quantization(points) is not None) is is_int8


class Server:
    """Answers with one state after the other, as a server does while it builds an index."""

    def __init__(self, *states: str, error: str | None = None) -> None:
        self.states = list(states)
        self.effort = Effort(UNBUILT, 100)
        self.error = error

    def get_collection(self, _name: str) -> SimpleNamespace:
        """Return the next state."""
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        failed = models.OptimizersStatusOneOf1(error=self.error) if self.error else None
        hnsw = SimpleNamespace(m=self.effort.links, ef_construct=self.effort.width)
        return SimpleNamespace(status=status, optimizer_status=failed or "ok", config=SimpleNamespace(hnsw_config=hnsw))

    def update_collection(self, _name: str, *, hnsw_config: models.HnswConfigDiff) -> None:
        """Note the effort."""
        self.effort = Effort(hnsw_config.m or 0, hnsw_config.ef_construct or 0)


@pytest.mark.parametrize(
    ("states", "looks"),
    [(["green"], CALM - 1), (["green", "green", "yellow", "yellow", "green"], CALM + 2), (["grey", "green"], CALM - 1)],
)
def test_an_index_is_awaited(states: list[str], looks: int) -> None:
    """The graph is switched on, and the server is ready once it had nothing to do for several looks in a row."""
    server, pauses = Server(*states), []
    build_index(server, "c", pause=pauses.append)  # type: ignore[arg-type]  # all of a client that is used
    assert server.effort == EFFORTS[0]
    assert len(pauses) == looks


def test_what_is_left_begins_with_what_was_built() -> None:
    """An interrupted publishing does not go back to a cheaper index, and one that is there is not built again."""
    server: Any = Server("green")
    assert efforts_left(server, "c") == EFFORTS
    build_index(server, "c", EFFORTS[1], pause=lambda _: None)
    assert efforts_left(server, "c") == EFFORTS[1:]


@pytest.mark.parametrize("server", [Server("yellow"), Server("red"), Server("green", error="no space left")])
def test_an_index_that_does_not_get_ready_is_a_failure(server: Server) -> None:
    """An hour of yellow, red, or an error of the optimizer, and the way out."""
    with pytest.raises(NotIndexedError, match="recsys publish"):
        build_index(server, "c", pause=lambda _: None)  # type: ignore[arg-type]  # all of a client that is used


def test_an_index_that_misses_too_much_is_built_with_more_effort(shop, monkeypatch):
    """Publishing goes on to the next effort while the gate finds fault with the index, and then goes live."""
    verdicts = []

    def judged(*args: Any, **kwargs: Any) -> Verdict:
        found = judge(*args, **kwargs)
        verdicts.append(found)
        checks = tuple(replace(c, passed=len(verdicts) > 2) if c.name == "index" else c for c in found.checks)
        return replace(found, checks=checks)

    monkeypatch.setattr("recsys.serving.publish.judge", judged)
    efforts: list[Effort] = []
    monkeypatch.setattr("recsys.serving.publish.efforts_left", lambda *_: EFFORTS)
    monkeypatch.setattr(
        "recsys.serving.publish.build_index", lambda _client, _name, effort, **_: efforts.append(effort)
    )
    with shop.connect() as client:
        # none: the decision is a server's, and what it builds is noted here instead
        done = publish(client, shop.run("a", items=40), shop.alias, embedded=None)
    assert (efforts, done.gate.failed) == ([*EFFORTS[:3]], ())


def test_a_server_has_index_payload_index_and_int8(shop):
    """On a server the graph is on, vectors are indexed or scanned, columns are indexed and int8 is kept."""
    if shop.embedded is not None:
        pytest.skip("embedded mode keeps neither index nor int8")
    run = shop.run("a", items=40)
    items = run.items()
    write_table(run.path / "items.parquet", replace(items, payloads=[{"brand": "b", "a.b": 1.5}] * 40))
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=None, storage=Storage(int8_from=10))
        info = client.get_collection(run.name)
    assert (info.config.hnsw_config.m, info.config.hnsw_config.ef_construct) == (EFFORTS[0].links, EFFORTS[0].width)
    assert info.config.quantization_config is not None
    assert {name: index.data_type for name, index in info.payload_schema.items()} == {
        "brand": Kind.KEYWORD,
        '"a.b"': Kind.FLOAT,
        **OURS,
    }
