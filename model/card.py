"""The model card of a run: what it learnt from, how good it is, how to load it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.core.prototypes import LEAN
from recsys.core.scoring import Scoring

ROWS = ("plain", "chosen", "with_prototypes", "with_votes")
SHOWN = ("P@1", "P@5", "nDCG@5", "PSP@5", "R@10", "R@100")


def model_card(manifest: Mapping[str, Any], settings: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        manifest: The run's ``manifest.json``.
        settings: The run's ``settings.json``.
        metrics: The run's ``metrics.json``.
    """
    snapshot, derived = manifest["snapshot"], manifest.get("derived_from")
    trained_on = derived["training"]["snapshot"] if derived else snapshot
    relations = ", ".join(f"{r['name']} ({r['source']} → {r['target']})" for r in trained_on["relations"]) or "none"
    alpha, evidence = metrics["composition"]["alpha"], metrics["composition"]["evidence"]
    text = _text(metrics["composition"])
    linked = "; A is the mean of the item's anchors" if metrics["composition"].get("anchors") else ""
    near = _borrowed(metrics["composition"])
    return f"""# {manifest["run"]}

Encoder `{manifest["encoder"]}` trained on a click graph: {manifest["queries"]} queries, {manifest["items"]} items,
{snapshot["clicked_pairs"]} clicked pairs. Relations that shaped it while it trained: {relations}.
{_origin(derived)}
{_selection(metrics.get("selection"))}
- `encoder/` loads with `SentenceTransformer("encoder")`; its vectors have unit norm.
- `items.parquet` holds the vectors that serve, `queries.parquet` those of known queries.
- Item vectors are norm({text} + α·n/(n+c)·mean of the n queries that clicked{near}), α = {alpha},
  c = {evidence}{linked}.
{_scoring(metrics.get("scoring", {}))}

## Settings

{_table([("setting", "value"), *((key, str(value)) for key, value in settings.items())])}

## Held-out queries

{_results(metrics)}

## Method

Graph neighbours regularise the encoder while it trains and are gone when it serves: Mittal et al., "Graph Regularized
Encoder Training for Extreme Classification", arXiv 2402.18434.
"""


def _text(composition: Mapping[str, Any]) -> str:
    weight = composition.get("anchors", 0)
    parts = ["E(title)"] + ["w"] * composition.get("residual", False) + [f"{weight:g}·A"] * (weight > 0)
    return f"norm({' + '.join(parts)})" if len(parts) > 1 else parts[0]


def _borrowed(composition: Mapping[str, Any]) -> str:
    weight = composition.get("borrowed", 0)
    return f" + {weight:g}·α·(1−n/(n+c))·mean of the means of the nearest items" if weight else ""


def _selection(selection: Mapping[str, Any] | None) -> str:
    if not selection:
        return ""
    scores = ", ".join(f"{name} {figures['score']:.2f}" for name, figures in selection["ways"].items())
    return (
        f"Its terms, {selection['chosen']}, were chosen on held-out queries by trials of {selection['epochs']} "
        f"epochs; mean of P@1, PSP@5 and R@10: {scores}. The whole training reached "
        f"{selection['training']:.2f}, and the encoder of the {selection['encoder']} serves.\n"
    )


def _origin(derived: Mapping[str, Any] | None) -> str:
    if not derived:
        return ""
    training = derived["training"]["run"]
    return f"\nThe encoder, and how items are scored, are those of the training {training}; only the vectors are new.\n"


def _scoring(scoring: Mapping[str, Any]) -> str:
    how = Scoring(**scoring)
    lines = []
    if how.is_wide:
        lines.append(
            "- Stored vectors have two more numbers and are compared by dot product: 0.1 for items that nobody clicked "
            "and 0.01·ln(1 + n) for those that n queries clicked; β/0.1 and γ/0.01 for queries. "
            f"β = {how.bonus:g} and γ = {how.popularity:g} in a single search, "
            f"{how.votes_bonus:g} and {how.votes_popularity:g} with votes."
        )
    if how.prototypes:
        lines.append(
            f"- An item has up to {how.prototypes} further vectors, norm(its vector + {LEAN:g}·E(query)) for the "
            "queries that clicked it most; the highest product counts."
        )
    if how.votes:
        lines.append(
            "- The 50 nearest training queries vote for the items that they clicked: softmax(similarity/0.1) times "
            f"{how.votes:g} is added to the items' scores."
        )
    return "\n".join(lines or ["- One search, by cosine."])


def _results(metrics: Mapping[str, Any]) -> str:
    if not metrics["held_out_queries"]:
        return "No query was held out."
    body = [[name, *(f"{metrics[name][key]:.2f}" for key in SHOWN)] for name in ROWS if name in metrics]
    table = _table([["item vectors", *SHOWN], *body])
    return f"{metrics['held_out_queries']} queries that took no part in training, in percent.\n\n{table}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])
