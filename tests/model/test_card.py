"""The model card of a run."""

from __future__ import annotations

from recsys.model.card import SHOWN, model_card

MANIFEST = {
    "run": "r1",
    "encoder": "static",
    "queries": 60,
    "items": 30,
    "width": 16,
    "snapshot": {"clicked_pairs": 150, "relations": [{"name": "CATEGORY", "source": "Item", "target": "Anchor"}]},
}
FIGURES = dict.fromkeys(SHOWN, 12.345)


def test_the_card_says_what_was_learnt_from_and_how_good_it_is():
    """Counts, relations, composition, settings and held-out figures stand in it."""
    metrics = {
        "composition": {"alpha": 2.0, "evidence": 1.0},
        "held_out_queries": 6,
        "plain": FIGURES,
        "chosen": {**FIGURES, "P@1": 50.0},
    }
    card = model_card(MANIFEST, {"seed": 7}, metrics)
    assert "60 queries, 30 items,\n150 clicked pairs" in card
    assert "CATEGORY (Item → Anchor)" in card
    assert "norm(E(title) + α·n/(n+c)" in card
    assert "α = 2.0,\n  c = 1.0." in card
    assert "| seed | 7 |" in card
    assert "6 queries that took no part in training" in card
    assert "| chosen | 50.00 | 12.35 |" in card.replace("12.34 ", "12.35 ")


def test_the_card_says_what_stands_beside_the_title():
    """A residual, anchors with their weight, or both, and what items borrow."""

    def vectors(**composition: object) -> str:
        metrics = {"composition": {"alpha": 2.0, "evidence": 1.0, **composition}, "held_out_queries": 0}
        return model_card(MANIFEST, {}, metrics).split("Item vectors are ")[1]

    assert vectors(residual=True, anchors=0.0).startswith("norm(norm(E(title) + w) + α")
    assert vectors(anchors=0.25).startswith("norm(norm(E(title) + 0.25·A) + α")
    assert "clicked + 0.5·α·(1−n/(n+c))·mean of the means of the nearest items)" in vectors(borrowed=0.5)
    assert vectors(residual=True, anchors=0.5).startswith("norm(norm(E(title) + w + 0.5·A) + α")


def test_without_held_out_queries_there_are_no_figures():
    """The card says so instead of showing an empty table."""
    metrics = {"composition": {"alpha": 0.0, "evidence": 0.0}, "held_out_queries": 0}
    card = model_card({**MANIFEST, "snapshot": {"clicked_pairs": 1, "relations": []}}, {}, metrics)
    assert "No query was held out." in card
    assert "shaped it while it trained: none." in card


def test_the_card_says_how_to_search():
    """Bonus and votes stand there with their weights, and the figures with votes beside those of one search."""
    metrics = {
        "composition": {"alpha": 2.0, "evidence": 1.0},
        "scoring": {"bonus": 0.02, "votes": 0.5, "votes_bonus": 0.1, "votes_popularity": 0.03},
        "held_out_queries": 6,
        **dict.fromkeys(("plain", "chosen", "with_votes"), FIGURES),
    }
    card = model_card(MANIFEST, {}, metrics)
    assert "β = 0.02 and γ = 0 in a single search, 0.1 and 0.03 with votes" in card
    assert "softmax(similarity/0.1) times 0.5" in card
    assert "| with_votes | 12.3" in card
    assert "- One search, by cosine." in model_card(MANIFEST, {}, {**metrics, "scoring": {}})
