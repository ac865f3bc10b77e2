"""A text searched twice: with everything that the graph gave to the live collection, and by texts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.core.scoring import Scoring
from recsys.core.text import normalise
from recsys.serving.recommendation import Hit
from recsys.serving.served import Served

PATIENCE_SECONDS = 2.0
"How long a search waits for the titles to be encoded; a thousand take less than a second with the static encoder."


@dataclass(frozen=True)
class Shown:
    """One result.

    Attributes:
        hit: The item.
        why: Reasons in words.
        beside: Where it stands in the other list, in words; empty where there is no other list.
    """

    hit: Hit
    why: tuple[str, ...]
    beside: str


@dataclass(frozen=True)
class Column:
    """One list of results.

    Attributes:
        name: ``graph`` or ``text``, as clicks are logged.
        title: Heading.
        how: What scores are made of, in a sentence.
        results: Best first.
        empty: Why there is no result, in a sentence.
    """

    name: str
    title: str
    how: str
    results: tuple[Shown, ...]
    empty: str


@dataclass(frozen=True)
class Comparison:
    """Both lists.

    Attributes:
        known: The text is a training query.
        columns: With graph, then without.
        note: On both, in a sentence; or empty.
    """

    known: bool
    columns: tuple[Column, ...]
    note: str


def compare(served: Served, text: str, k: int) -> Comparison:
    """Search for a text with and without the graph.

    Args:
        served: Both searches are of this collection's items, by its encoder.
        text: Not blank.
        k: Results in each list.
    """
    recommendation = served.recommender.by_text([text], k)[0]
    missing = served.plain.missing(PATIENCE_SECONDS)
    plain = () if missing else served.plain.search(text, k)
    nothing = "No item fits." if recommendation.matched else "The encoder knows no word of this text."
    with_graph = Column(
        "graph", "With graph", _how(served), _beside(recommendation.hits, plain, text, "by text alone"), nothing
    )
    by_text = Column(
        "text",
        "Text alone",
        "Cosine of the query's and the title's vectors.",
        _beside(plain, recommendation.hits, text, "with graph"),
        missing or nothing,
    )
    return Comparison(recommendation.known, (with_graph, by_text), _note(served))


def shared_words(query: str, title: str) -> tuple[str, ...]:
    """Return the words that both have, as the title writes them."""
    asked = set(normalise(query).split())
    return tuple(dict.fromkeys(word for word in title.split() if normalise(word) in asked))


def _beside(hits: Sequence[Hit], others: Sequence[Hit], query: str, where: str) -> tuple[Shown, ...]:
    ranks = {hit.id: hit.rank for hit in others}
    return tuple(Shown(hit, _why(query, hit), _place(ranks.get(hit.id), len(others), where)) for hit in hits)


def _place(rank: int | None, others: int, where: str) -> str:
    if not others:
        return ""
    return f"not in the first {others} {where}" if rank is None else f"{rank}. {where}"


def _why(query: str, hit: Hit) -> tuple[str, ...]:
    words = shared_words(query, hit.title)
    return (f"shares {', '.join(f'“{word}”' for word in words)} with the query",) if words else ()


def _how(served: Served) -> str:
    how = served.recommender.lineage.how
    parts = [
        "cosine of the query's and the item's vectors, the latter composed of its title and the queries that clicked it"
    ]
    if how.votes_bonus if how.votes else how.bonus:
        parts.append("a bonus for items that nobody clicked")
    if how.votes:
        parts.append("votes of the nearest training queries")
    return f"{' + '.join(parts)}.".capitalize()


def _note(served: Served) -> str:
    manifest = served.recommender.questions.run.manifest
    is_plain = manifest.get("composition", {}).get("alpha") == 0 and served.recommender.lineage.how == Scoring()
    return "This run was published with plain vectors, so the graph makes no difference." if is_plain else ""
