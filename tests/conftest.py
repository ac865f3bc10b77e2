"""What tests of several rooms share: a Neo4j, a place to publish to, small finished runs, and the command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import hypothesis
import numpy as np
import pytest
import stamina

from recsys.cli.main import main
from recsys.core.bonus import widen_items, widen_queries
from recsys.core.files import hash_tree, write_json
from recsys.core.golden import CUTOFF, Golden, golden_figures, write_golden
from recsys.core.prototypes import prototypes_of
from recsys.core.run import Run, Table, Vectors, write_table
from recsys.core.scoring import Scoring
from recsys.core.settings import Neo4jSettings, QdrantSettings
from recsys.graph import write
from recsys.graph.batches import Batch, begin, complete
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.graph.relations import Relation, register
from recsys.graph.schema import ensure_schema
from recsys.graph.server import Server, start, stop

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("patient")

WIDTH = 8
WORDS = ("red", "blue", "shoe", "lamp", "oak", "table", "wool", "scarf")
MORE_WORDS = ("desk", "mug", "tin", "cup")
"Further ones that the tiny transformer knows."
SERVER = "RECSYS_TEST_QDRANT_URL"
SERVER_KEY = "RECSYS_TEST_QDRANT_API_KEY"
SMALL_NEO4J = Neo4jSettings(heap="512m", page_cache="64m")


@pytest.fixture(autouse=True)
def nobody_sleeps() -> Iterator[None]:
    """Retries follow each other at once, ten at most."""
    stamina.set_testing(True, attempts=10)
    yield
    stamina.set_testing(False)


@pytest.fixture(scope="session")
def neo4j_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of ``neo4j_server``."""
    return tmp_path_factory.mktemp("neo4j-server")


@pytest.fixture(scope="session")
def neo4j_server(neo4j_workspace: Path) -> Iterator[Server]:
    """A managed Neo4j for the whole run."""
    yield start(neo4j_workspace, SMALL_NEO4J)
    stop(neo4j_workspace)


@pytest.fixture
def graph(neo4j_server: Server) -> Iterator[Graph]:
    """The server's graph with our schema and no data."""
    with Graph(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as opened:
        opened.write("MATCH (n) DETACH DELETE n")
        ensure_schema(opened)
        yield opened


@pytest.fixture
def clicked_graph(graph: Graph) -> Graph:
    """Four queries, five items, three anchors, 20 clicks on six pairs, written as an ingest writes them."""
    queries, items, anchors = ["q1", "q2", "q3", "both"], ["i1", "i2", "i3", "both", "i5"], ["a1", "a2", "a3"]
    graph.write(write.QUERIES, ids=queries, texts=["red", "blue", "oak table", "lamp"])
    times = {
        "first_seen": [1_690_000_000_000, None, None, 1_700_086_400_000, None],
        "last_seen": [1_700_000_000_000, None, None, 1_700_086_400_000, None],
    }
    graph.write(write.ITEMS, ids=items, texts=["Red shoe", "Blue shoe", "Table", "Lamp", None], **times)
    graph.write(write.LINK_ENDS, ids=anchors, texts=["Shoes", None, "Wool"], is_target=[True] * 3)
    clicks = {
        "query_ids": queries,
        "item_ids": items,
        "query": [0, 0, 1, 2, 2, 3],
        "item": [0, 1, 0, 0, 2, 3],
        "clicks": [6, 1, 3, 1, 4, 5],
        "last_at": [1_700_000_000_000, None, None, None, None, 1_700_086_400_000],
    }
    write_chunk(graph, write.CLICKS, Chunk("clicks-1/pairs/0", clicks))
    graph.write(
        write.LINKS,
        source_ids=["i1", "i2", "i3", "q1"],
        target_ids=anchors,
        relations=["HAS_TAG"],
        source=[0, 0, 0, 1, 2, 3],
        target=[0, 1, 2, 0, 0, 0],
        relation=[0] * 6,
    )
    register(graph, [Relation("SAME_SESSION", "Query", "Query", "derived")])
    graph.write(
        "MATCH (a:Query {id: 'q1'}), (b:Query {id: 'q2'}) "
        "CREATE (a)-[:SAME_SESSION {sessions: 2}]->(b)-[:SAME_SESSION {sessions: 2}]->(a)"
    )
    batch = Batch("clicks-1", "clicks", ("hash",), ("day one.csv",), 100)
    begin(graph, batch)
    complete(graph, batch, {"pairs": 6, "clicks": 20})
    return graph


def unit_vectors(rows: int, seed: int) -> Vectors:
    """Return random unit vectors, shape (rows, WIDTH)."""
    vectors = np.random.default_rng(seed).normal(size=(rows, WIDTH)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True)
class Shop:
    """A workspace and a Qdrant of its own; names are unique so that a shared server may be used."""

    workspace: Path
    qdrant: QdrantSettings
    encoder: Path

    @property
    def runs(self) -> Path:
        """Directory of the runs."""
        return self.workspace / "runs"

    @property
    def alias(self) -> str:
        """The alias, which also starts the name of each run."""
        return self.qdrant.alias

    @property
    def embedded(self) -> Path | None:
        """Directory of embedded Qdrant."""
        from recsys.serving.embedded import embedded_directory  # only tests that publish pay for the import

        return embedded_directory(self.qdrant, self.workspace)

    def connect(self) -> AbstractContextManager[QdrantClient]:
        """Open Qdrant."""
        from recsys.serving.client import connect

        return connect(self.qdrant, self.workspace, patience=0)

    def run(self, name: str, *, items: int = 40, seed: int = 0, scoring: Scoring = Scoring()) -> Run:  # noqa: B008
        """Write a finished run with random vectors and the tiny encoder."""
        path = self.runs / f"{self.alias}-{name}"
        shutil.copytree(self.encoder, path / "encoder")
        item_table, query_table = _table("item", items, seed), _table("query", 12, seed + 1)
        if scoring.is_wide:
            item_table = replace(item_table, vectors=widen_items(item_table.vectors, item_table.degree))
            query_table = replace(query_table, vectors=widen_queries(query_table.vectors, scoring.one))
        write_table(path / "items.parquet", item_table)
        write_table(path / "queries.parquet", query_table)
        manifest = {
            "run": path.name,
            "encoder_hash": hash_tree(path / "encoder"),
            "snapshot": {"id": f"s{seed}", "rows": {"Item": items}},
            "width": WIDTH + scoring.extra,
            "scoring": asdict(scoring),
            "items": items,
            "queries": 12,
            "created_at": f"2024-01-01T00:00:{seed:02d}Z",
        }
        write_json(path / "manifest.json", manifest)
        return Run(path)


def _ballot(row: int) -> dict[str, list[int]]:
    """Return what a query votes for: as many of 40 items as it has clicked."""
    voted = np.random.default_rng(row).choice(40, row, replace=False)
    return {"items": sorted(voted.tolist()), "counts": [1] * row}


def _table(label: str, rows: int, seed: int) -> Table:
    return Table(
        ids=[f"{label}-{row}" for row in range(rows)],
        texts=[f"{WORDS[row % 8]} {WORDS[row // 8 % 8]} {label} {row}" for row in range(rows)],
        clicks=np.arange(rows, dtype=np.int64),
        degree=np.arange(rows, dtype=np.int64),
        payloads=[{"brand": f"b{row % 3}"} if label == "item" else _ballot(row) for row in range(rows)],
        vectors=unit_vectors(rows, seed),
    )


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real SentenceTransformer that knows WORDS and gives any other word the zero vector."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, **{w: i + 1 for i, w in enumerate(WORDS)}}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.vstack([np.zeros((1, WIDTH), np.float32), unit_vectors(len(WORDS), 7)])
    path = tmp_path_factory.mktemp("encoder") / "encoder"
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu").save(str(path))
    return path


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer with random weights: two layers of width 32, mean pooling, no normalisation."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    path = tmp_path_factory.mktemp("bert")
    (path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *MORE_WORDS]))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS) + len(MORE_WORDS) + 5,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(path / "weights")
    BertTokenizerFast(vocab_file=str(path / "vocab.txt")).save_pretrained(path / "weights")
    SentenceTransformer(modules=[Transformer(str(path / "weights")), Pooling(32)], device="cpu").save(
        str(path / "encoder")
    )
    return path / "encoder"


@pytest.fixture(params=["embedded", "server"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, tiny_encoder: Path) -> Iterator[Shop]:
    """A shop on embedded Qdrant and, where RECSYS_TEST_QDRANT_URL names one, on a server."""
    url = os.environ.get(SERVER) if request.param == "server" else None
    if request.param == "server" and url is None:
        pytest.skip(f"{SERVER} names no Qdrant server")
    alias = f"test-{uuid.uuid4().hex[:8]}"
    key = os.environ.get(SERVER_KEY) if url else None
    qdrant = QdrantSettings.model_validate({"url": url, "api_key": key, "alias": alias})
    made = Shop(tmp_path / "workspace", qdrant, tiny_encoder)
    yield made
    with made.connect() as client:
        for collection in client.get_collections().collections:
            if collection.name.startswith(alias):
                client.delete_collection(collection.name)


@pytest.fixture
def with_golden(tiny_encoder: Path) -> Callable[..., Run]:
    """Give a run golden queries that clicked the nearest item of ``truth``, or of the run itself."""
    from sentence_transformers import SentenceTransformer

    from recsys.serving.exact import best_rows

    texts = [f"{a} {b}" for a in WORDS for b in WORDS if a < b]
    encoded = SentenceTransformer(str(tiny_encoder), device="cpu").encode(texts)
    encoded /= np.linalg.norm(encoded, axis=1, keepdims=True)

    def give(run: Run, truth: Run | None = None) -> Run:
        items, true = run.items(), (truth or run).items()
        beside, truly = (prototypes_of(r.queries(), len(items.ids), r.scoring) for r in (run, truth or run))
        clicked = best_rows(encoded, true.vectors[:, :WIDTH], 1, truly)
        vectors = widen_queries(encoded, run.scoring.one) if run.scoring.is_wide else encoded
        golden = Golden(texts, [[true.ids[row]] for (row,) in clicked], [[]] * len(texts), vectors)
        found = [[items.ids[row] for row in rows] for rows in best_rows(vectors, items.vectors, CUTOFF, beside)]
        write_golden(run.path, golden)
        figures = {"queries": len(texts), **golden_figures(found, golden)}
        write_json(run.path / "manifest.json", {**run.manifest, "golden": figures})
        return run

    return give


@pytest.fixture
def shuffled() -> Callable[[Run], Run]:
    """Give the items of a run each other's vectors."""

    def shuffle(run: Run) -> Run:
        items = run.items()
        write_table(run.path / "items.parquet", replace(items, vectors=np.roll(items.vectors, 1, axis=0)))
        return run

    return shuffle


class Outcome(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        """Return stdout parsed."""
        return json.loads(self.out)  # type: ignore[no-any-return]


@pytest.fixture
def recsys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the ``recsys`` command in this process, for a shop or with the environment as it is."""

    def call(*arguments: str, shop: Shop | None = None) -> Outcome:
        if shop is not None:
            monkeypatch.setenv("RECSYS_WORKSPACE", str(shop.workspace))
            monkeypatch.setenv("RECSYS_QDRANT__ALIAS", shop.alias)
            if shop.qdrant.url is not None:
                monkeypatch.setenv("RECSYS_QDRANT__URL", shop.qdrant.url)
            if shop.qdrant.api_key is not None:
                monkeypatch.setenv("RECSYS_QDRANT__API_KEY", shop.qdrant.api_key.get_secret_value())
        monkeypatch.setattr(sys, "argv", ["recsys", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return Outcome(int(left.value.code or 0), captured.out, captured.err)

    return call
