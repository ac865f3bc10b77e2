"""Ranks all items of a finished run for texts, as serving does, but exactly and for many texts at once.

Shape letters: B queries, D embedding width, K ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from recsys.core.progress import progress
from recsys.core.prototypes import prototypes_of
from recsys.core.run import Run, Table, Vectors
from recsys.model.metrics import Rows
from recsys.model.ranking import Pairs, top_k
from recsys.model.votes import clicks_of_table, collect_votes, rank_with_votes

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ONE_SEARCH, WITH_VOTES = "one_search", "with_votes"
_ENCODED_AT_ONCE = 1024


def rank_run(run: Run, items: Table, queries: Table, texts: Sequence[str], excluded: Pairs, k: int) -> dict[str, Rows]:
    """Return item rows, best first, of shape (B, K): by one search, and with votes where the run chose them.

    Args:
        run: What to search.
        items: Its items.
        queries: Its queries.
        texts: What is asked.
        excluded: Pairs that are never ranked.
        k: Ranks wanted.
    """
    from sentence_transformers import SentenceTransformer  # takes seconds to import

    asked_BD = encode_texts(SentenceTransformer(str(run.encoder_path)), texts)
    scoring = run.scoring
    searched_BD = scoring.ready(asked_BD, scoring.one)
    beside = prototypes_of(queries, len(items.ids), scoring)
    ranked = {ONE_SEARCH: top_k(searched_BD, items.vectors, k, excluded=excluded, prototypes=beside)}
    if scoring.votes:
        known = queries.vectors[:, : asked_BD.shape[1]]
        votes = collect_votes(asked_BD, known, clicks_of_table(queries, len(items.ids)))
        searched_BD = scoring.ready(asked_BD, scoring.voted)
        ranked[WITH_VOTES] = rank_with_votes(
            searched_BD, items.vectors, k, excluded=excluded, votes=votes, weight=scoring.votes
        )
    return ranked


def encode_texts(encoder: SentenceTransformer, texts: Sequence[str]) -> Vectors:
    """Return the encoder's vectors, shape (B, D), float32."""
    starts = range(0, len(texts), _ENCODED_AT_ONCE)
    pages = [
        encoder.encode(list(texts[start : start + _ENCODED_AT_ONCE]), show_progress_bar=False, convert_to_numpy=True)
        for start in progress(starts, "encode texts", unit="page")
    ]
    width = int(encoder.get_embedding_dimension() or 0)
    return np.concatenate([np.empty((0, width), np.float32), *pages]).astype(np.float32, copy=False)
