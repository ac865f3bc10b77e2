"""A text searched twice: with everything that the graph gave to the live collection, and by texts alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.core.scoring import Scoring
from recsys.core.text import normalise
from recsys.serving.at_hand import GraphAtHand
from recsys.serving.recommendation import Hit, Origin
from recsys.serving.served import Served

PATIENCE_SECONDS = 2.0
"How long a search waits for the titles to be encoded; a thousand take less than a second with the static encoder."


PLAINLY = "Cosine of the query and the title."
EXPLAINED = 10
"Results with reasons, each of which asks Qdrant and the graph."
REASONS = 3
"Of a kind."


@dataclass(frozen=True)
class Why:
    """One reason.

    Attributes:
        says: In words.
        share: Its part of the score; None where it is no part of it.
    """

    says: str
    share: float | None


@dataclass(frozen=True)
class Shown:
    """One result.

    Attributes:
        hit: The item.
        why: The first ones say the most.
        beside: Where it stands in the other list, in words; empty where there is no other list.
    """

    hit: Hit
    why: tuple[Why, ...]
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
        notes: On both, in sentences.
    """

    known: bool
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def compare(served: Served, graph: GraphAtHand, text: str, k: int) -> Comparison:
    """Search for a text with and without the graph.

    Args:
        served: Both searches are of this collection's items, by its encoder.
        graph: Where reasons come from.
        text: Not blank.
        k: Results in each list.

    Raises:
        RecsysError: As searching with a Recommender does.
    """
    recommendation = served.recommender.by_text([text], k)[0]
    missing = served.plain.missing(PATIENCE_SECONDS)
    plain = () if missing else served.plain.search(text, k)
    hits, nothing = recommendation.hits, "" if recommendation.matched else "The encoder knows no word of this text."
    explained = 0 if recommendation.origin.way == "popular" else EXPLAINED
    reasons = [_reasons(served, graph, text, hit) if hit.rank <= explained else () for hit in hits]
    words = [_words(text, hit) for hit in plain]
    return Comparison(
        known=recommendation.known,
        columns=(
            Column("graph", "With graph", _how(served), _beside(hits, plain, reasons, "by text alone"), nothing),
            Column("text", "Text alone", PLAINLY, _beside(plain, hits, words, "with graph"), missing or nothing),
        ),
        notes=tuple(_notes(served, graph, recommendation.origin)),
    )


def shared_words(query: str, title: str) -> tuple[str, ...]:
    """Return the words that both have, as the title writes them, each once."""
    asked = set(re.findall(r"\w+", normalise(query)))
    found: dict[str, str] = {}
    for word in re.findall(r"\w+", title):
        if normalise(word) in asked:
            found.setdefault(normalise(word), word)
    return tuple(found.values())


def _beside(
    hits: Sequence[Hit], others: Sequence[Hit], reasons: Sequence[tuple[Why, ...]], where: str
) -> tuple[Shown, ...]:
    ranks = {hit.id: hit.rank for hit in others}
    places = [_place(ranks.get(hit.id), len(others), where) for hit in hits]
    return tuple(Shown(*shown) for shown in zip(hits, reasons, places, strict=True))


def _place(rank: int | None, others: int, where: str) -> str:
    if not others:
        return ""
    return f"not in the first {others} {where}" if rank is None else f"no. {rank} {where}"


def _reasons(served: Served, graph: GraphAtHand, text: str, hit: Hit) -> tuple[Why, ...]:
    found = graph.explain(served.recommender, text, hit.id, shown=REASONS).reasons
    return tuple(Why(reason.says, reason.share) for reason in found)


def _words(query: str, hit: Hit) -> tuple[Why, ...]:
    words = shared_words(query, hit.title)
    both = f"Both have {', '.join(f'“{word}”' for word in words)}." if words else "They have no word in common."
    return (Why(both, None),)


def _how(served: Served) -> str:
    how = served.recommender.lineage.how
    composition = _composition(served)
    learnt = ", a vector learnt for it" if composition.get("residual") else ""
    linked = ", what it is linked to" if composition.get("anchors") else ""
    borrowed = ", or items like it where these are few" if composition.get("borrowed") else ""
    drawn = ", or is drawn further towards the nearest of these" if how.prototypes else ""
    parts = [
        f"Cosine of the query and the item, whose vector is made of its title{learnt}{linked} and the queries that "
        f"clicked it{borrowed}{drawn}"
    ]
    bonus = how.chosen
    gain = [f"for {kind} items" for kind, weight in (("new", bonus.new), ("popular", bonus.popular)) if weight]
    if gain:
        parts.append(f"a bonus {' and '.join(gain)}")
    if how.votes:
        parts.append("votes of the nearest training queries")
    return f"{' + '.join(parts)}."


def _composition(served: Served) -> Mapping[str, Any]:
    composition: Mapping[str, Any] = served.recommender.questions.run.manifest.get("composition", {})
    return composition


def _notes(served: Served, graph: GraphAtHand, origin: Origin) -> Iterator[str]:
    if origin.way == "popular":
        yield f"The first list is of popular items, because {origin.because}."
    composition = _composition(served)
    is_plain = composition.get("alpha") == 0 and not (composition.get("residual") or composition.get("anchors"))
    if is_plain and served.recommender.lineage.how == Scoring():
        yield "This run was published with plain vectors, so the graph makes no difference."
    if graph.trouble:
        yield f"The reasons are those that the run itself knows, because {graph.trouble}."
