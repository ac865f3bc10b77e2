"""A small graph and its twin in plain Python, and tiny encoders that know its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.graph.relations import Relation, register
from recsys.graph.schema import ensure_schema
from recsys.graph.server import Server
from recsys.model.clicks import Clicks
from recsys.model.pairs import PairsByQuery

WORDS = ("red", "blue", "shoe", "lamp", "oak", "table", "wool", "scarf", "desk", "mug", "tin", "cup")
CATEGORY = "CATEGORY"
NASTY = 'x"}) DETACH DELETE (n) //'
PAGES, CLICKED_QUERIES, CLICKED_ITEMS = 5, 57, 28
Pairs = set[tuple[int, int]]


@dataclass(frozen=True)
class Twin:
    """What the small graph holds; rows are positions.

    The first queries and items are the same pages, the last queries and items have no clicks.
    """

    query_texts: list[str]
    item_texts: list[str]
    anchor_texts: list[str]
    clicks: dict[tuple[int, int], int]
    links: dict[tuple[str, str], Pairs]

    @property
    def query_ids(self) -> list[str]:
        """Ids of the queries."""
        return [f"page {r}" if r < PAGES else f"q{r}" for r in range(len(self.query_texts))]

    @property
    def item_ids(self) -> list[str]:
        """Ids of the items."""
        return [f"page {r}" if r < PAGES else f"i{r}" for r in range(len(self.item_texts))]

    @property
    def self_items(self) -> np.ndarray:
        """Item row of the same page for each query row, −1 for none."""
        return np.array([r if r < PAGES else -1 for r in range(len(self.query_texts))])

    @property
    def excluded(self) -> PairsByQuery:
        """The same as pairs."""
        own = self.self_items
        return PairsByQuery.of(np.flatnonzero(own >= 0), own[own >= 0])

    @property
    def clicked(self) -> list[int]:
        """Rows of the queries with clicks, ascending."""
        return sorted({query for query, _ in self.clicks})

    def as_clicks(self) -> Clicks:
        """Return the clicks as the arrays that training reads."""
        query, item, clicks = np.array([[*pair, n] for pair, n in sorted(self.clicks.items())]).T
        return Clicks(query, item, clicks, len(self.query_texts), len(self.item_texts))


def _text(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(WORDS, rng.integers(1, 5)))


@pytest.fixture(scope="session")
def twin() -> Twin:
    """60 queries, 30 items, 12 anchors, clicks, and two relations that leave queries and items."""
    rng = np.random.default_rng(11)
    texts = [[_text(rng) for _ in range(n)] for n in (60, 30, 12)]
    texts[0][:PAGES] = texts[1][:PAGES]
    texts[0][7] = ""
    drawn = rng.integers((0, 0, 1), (CLICKED_QUERIES, CLICKED_ITEMS, 9), (150, 3))
    clicks = {(int(q), int(i)): int(n) for q, i, n in drawn}
    clicks |= {(q, q % CLICKED_ITEMS): 1 for q in range(CLICKED_QUERIES)}
    links = {
        (name, label): {(int(s), int(t)) for s, t in rng.integers(0, (n, 12), (size, 2))}
        for name, size in ((CATEGORY, 70), (NASTY, 40))
        for label, n in (("Query", 60), ("Item", 30))
    }
    return Twin(*texts, clicks, links)


def write_twin(graph: Graph, twin: Twin, *, backwards: bool = False) -> None:
    """Replace what ``graph`` holds; ``backwards`` stores edges in the opposite order."""
    graph.write("MATCH (n) DETACH DELETE n")
    ensure_schema(graph)
    nodes = {
        "Query": [[i, t, {}] for i, t in zip(twin.query_ids, twin.query_texts, strict=True)],
        "Item": [[i, t, {"price": r}] for r, (i, t) in enumerate(zip(twin.item_ids, twin.item_texts, strict=True))],
        "Anchor": [[f"a{r}", text, {}] for r, text in enumerate(twin.anchor_texts)],
    }
    for label, rows in nodes.items():
        graph.write(
            f"UNWIND range(0, size($rows) - 1) AS r CREATE (n:{label} {{id: $rows[r][0], text: $rows[r][1], row: r}}) "
            "SET n += $rows[r][2] WITH count(*) AS made MATCH (c:RowCounter {label: $label}) SET c.next = made",
            rows=rows,
            label=label,
        )
    step = -1 if backwards else 1
    graph.write(
        "UNWIND $rows AS e MATCH (q:Query {row: e[0]}) MATCH (i:Item {row: e[1]}) "
        "CREATE (q)-[:CLICKED {clicks: e[2]}]->(i)",
        rows=[[*pair, n] for pair, n in sorted(twin.clicks.items())][::step],
    )
    for (name, label), pairs in twin.links.items():
        graph.write(
            f"UNWIND $rows AS e MATCH (s:{label} {{row: e[0]}}) MATCH (a:Anchor {{row: e[1]}}) "
            "CREATE (s)-[:$($name)]->(a)",
            rows=[list(pair) for pair in sorted(pairs)][::step],
            name=name,
        )
    register(graph, [Relation(name, label, "Anchor") for name, label in twin.links])
    graph.write("UNWIND [['b1', true], ['b2', false]] AS b CREATE (:ClickBatch {id: b[0], complete: b[1]})")


@pytest.fixture
def rewrite(graph: Graph, twin: Twin) -> Callable[..., None]:
    """Write the twin into the graph again."""
    return lambda **how: write_twin(graph, twin, **how)


@pytest.fixture
def small(graph: Graph, twin: Twin) -> Graph:
    """The graph with the twin in it."""
    write_twin(graph, twin)
    return graph


@pytest.fixture
def related(small: Graph, twin: Twin) -> dict[str, Pairs]:
    """Join queries and items of the twin among themselves, in both directions, and return the edges by relation."""
    rng = np.random.default_rng(5)
    edges = {}
    for name, label, rows in (("SAME_SESSION", "Query", CLICKED_QUERIES), ("CO_CLICKED", "Item", CLICKED_ITEMS)):
        some = {(int(a), int(b)) for a, b in rng.integers(0, rows, (2 * rows, 2)) if a != b}
        edges[name] = some | {(b, a) for a, b in some}
        small.write(
            f"UNWIND $rows AS e MATCH (a:{label} {{row: e[0]}}) MATCH (b:{label} {{row: e[1]}}) "
            "CREATE (a)-[:$($name)]->(b)",
            rows=[list(pair) for pair in sorted(edges[name])],
            name=name,
        )
        register(small, [Relation(name, label, label, "derived")])
    return edges


@pytest.fixture
def grow() -> Callable[[Graph], None]:
    """Add a later query, item and anchor, with edges from and to nodes that were there."""

    def add(graph: Graph) -> None:
        graph.write(
            "MATCH (c:RowCounter) WITH c, c.next AS row SET c.next = row + 1 "
            "WITH collect([c.label, row]) AS new UNWIND new AS n "
            "CREATE (x:$(n[0]) {id: 'late', text: 'late', row: n[1]})"
        )
        graph.write("MATCH (q:Query) MATCH (i:Item {id: 'late'}) CREATE (q)-[:CLICKED {clicks: 1}]->(i)")
        graph.write("MATCH (q:Query {id: 'late'}) MATCH (i:Item) MERGE (q)-[c:CLICKED]->(i) SET c.clicks = 1")
        graph.write(
            "MATCH (n:Query|Item) MATCH (a:Anchor {id: 'late'}) CREATE (n)-[:$($name)]->(a)",
            name=CATEGORY,
        )

    return add


@pytest.fixture(scope="module")
def filled(neo4j_server: Server, twin: Twin):
    """The graph with the twin in it, for fixtures that live as long as a module."""
    with Graph(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as opened:
        write_twin(opened, twin)
        yield opened


@pytest.fixture(scope="session")
def tiny_static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of token vectors, of width 16, that knows the words."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(("[UNK]", *WORDS))}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(3).normal(size=(len(WORDS) + 1, 16)).astype(np.float32)
    path = tmp_path_factory.mktemp("static") / "encoder"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu").save(str(path))
    return path


@pytest.fixture
def settings(tiny_static: Path) -> TrainSettings:
    """A training of a second or two: about four steps an epoch, a fifth of the queries held out."""
    return TrainSettings(
        encoder=str(tiny_static), epochs=3, batch_size=12, learning_rate=0.05, validation_share=0.2, seed=7
    )
