"""A training loop in plain PyTorch over the neighbour stream: no trainer, no sentence-transformers.

The encoder is the mean of hashed words. Queries are pulled to the items that they clicked, and queries and items to the
neighbours that the graph gives them, all streamed from the live graph.

Usage, where `recsys ingest` has been: python examples/plain_torch_loop.py [EPOCHS]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from recsys.cli.clients import connect_graph
from recsys.cli.options import settings
from recsys.graph.client import Graph
from recsys.model.batch_reader import BatchReader
from recsys.model.data import read_data
from recsys.model.losses.infonce import masked_infonce_loss
from recsys.model.plan import UniformPlan
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream

BUCKETS, WIDTH = 1 << 16, 128
GRAPH_WEIGHT = 0.05


class HashedWords(nn.EmbeddingBag):
    """The mean of the vectors of a text's words, of unit norm."""

    def __init__(self) -> None:
        super().__init__(BUCKETS, WIDTH, mode="mean")

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return one vector per text."""
        words = [[crc32(word.encode()) % BUCKETS for word in text.lower().split()] for text in texts]
        starts = torch.tensor([0, *map(len, words[:-1])]).cumsum(0)
        flat = torch.tensor([word for text in words for word in text], dtype=torch.int64)
        return normalize(self(flat, starts), dim=1)


def train(graph: Graph, epochs: int, batch_size: int = 256, seed: int = 0) -> list[float]:
    """Train on every relation of ``graph`` and return the mean loss of each epoch."""
    torch.manual_seed(seed)
    encoder = HashedWords()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    losses = []
    with TemporaryDirectory() as directory:
        data = read_data(graph, take_snapshot(graph), Path(directory), validation_share=0.1)
        reader = BatchReader(graph, data.snapshot, data.excluded, data.held_out)
        plan = UniformPlan(data.training_rows, batch_size, seed)
        with NeighbourStream(reader, plan, seed) as stream:
            for epoch in range(epochs):
                total = 0.0
                for batch in stream.epoch(epoch):
                    query_BD = encoder.encode(data.texts["Query"].take(batch.query_B))
                    item_BD = encoder.encode(data.texts["Item"].take(batch.item_B))
                    loss = masked_infonce_loss(query_BD, item_BD, torch.from_numpy(batch.known_BB))
                    for term in batch.terms:
                        side_BD = query_BD if term.side == "query" else item_BD
                        row_ND = side_BD[torch.from_numpy(term.draw.position_N)]
                        anchor_ND = encoder.encode(data.texts[term.anchor].take(term.draw.drawn_N))
                        known_NN = torch.from_numpy(term.draw.known_NN)
                        loss = loss + GRAPH_WEIGHT * masked_infonce_loss(row_ND, anchor_ND, known_NN)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    total += loss.item()
                losses.append(total / len(plan))
    return losses


def main() -> None:
    """Train on the graph of this workspace."""
    with connect_graph(settings()) as graph:
        for epoch, loss in enumerate(train(graph, int(sys.argv[1]) if len(sys.argv) > 1 else 5)):
            print(f"epoch {epoch}: loss {loss:.4f}")


if __name__ == "__main__":
    main()
