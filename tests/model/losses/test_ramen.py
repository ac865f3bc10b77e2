"""RAMEN's objective."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from torch.nn.functional import normalize

from recsys.model.graph_weights import BanditWeights
from recsys.model.losses.infonce import masked_infonce_loss
from recsys.model.losses.ramen import RamenLoss, hits
from recsys.model.losses.triplet import hardest_triplet_loss

N, ANCHORS, WIDTH, MARGIN = 6, 5, 4, 0.5


@pytest.fixture
def embeddings() -> list[Tensor]:
    """Queries, items and distinct anchors."""
    rng = torch.Generator().manual_seed(1)
    return [normalize(torch.randn(n, WIDTH, generator=rng)) for n in (N, N, ANCHORS)]


@pytest.fixture
def labels() -> dict[str, Any]:
    """Two terms, one of each side, in which some rows drew."""
    terms = [
        {"relation": "CATEGORY", "side": "query", "position": [0, 2, 3], "anchor": [1, 1, 4]},
        {"relation": "CATEGORY", "side": "item", "position": [1, 2, 4, 5], "anchor": [0, 3, 4, 2]},
    ]
    for term in terms:
        position, anchor = torch.tensor(term["position"]), torch.tensor(term["anchor"])
        term.update(position=position, anchor=anchor, known=anchor[:, None] == anchor[None, :])
    return {"known": torch.eye(N, dtype=torch.bool), "terms": terms}


def compute(embeddings: list[Tensor], labels: dict[str, Any], weight: float = 0.25) -> dict[str, Tensor]:
    """Return the components of the loss."""
    return RamenLoss(nn.Identity(), margin=MARGIN, graph_weight=weight).compute_loss_from_embeddings(embeddings, labels)  # type: ignore[arg-type]


def test_the_loss_is_clicks_plus_weighted_terms(embeddings, labels):
    """Each term compares the rows that drew with what they drew, and the sum of terms carries the weight."""
    query, item, anchor = embeddings
    click = hardest_triplet_loss(query, item, labels["known"], margin=MARGIN)
    terms = [
        hardest_triplet_loss(query[[0, 2, 3]], anchor[[1, 1, 4]], labels["terms"][0]["known"], margin=MARGIN),
        hardest_triplet_loss(item[[1, 2, 4, 5]], anchor[[0, 3, 4, 2]], labels["terms"][1]["known"], margin=MARGIN),
    ]
    found = compute(embeddings, labels)
    torch.testing.assert_close(found, {"click": click, "graph": 0.25 * (terms[0] + terms[1])})
    assert found["graph"] > 0


def test_rows_without_an_anchor_take_no_part(embeddings, labels):
    """A query and an item that drew nothing get no gradient from the graph terms, nor does an anchor nobody drew."""
    labels["terms"] = labels["terms"][:1]
    leaves = [e.requires_grad_() for e in embeddings]
    compute(leaves, labels)["graph"].backward()
    query, item, anchor = leaves
    assert query.grad[[1, 4, 5]].abs().max() == 0
    assert query.grad.abs().max() > 0
    assert item.grad is None or item.grad.abs().max() == 0
    assert anchor.grad[[0, 2, 3]].abs().max() == 0


def test_without_graph_terms_only_clicks_count(embeddings, labels):
    """No terms leave the click component alone, and weight 0 makes the graph component 0."""
    alone = compute(embeddings[:2], {**labels, "terms": []})
    assert list(alone) == ["click"]
    weightless = compute(embeddings, labels, weight=0.0)
    assert weightless["graph"].item() == 0
    torch.testing.assert_close(weightless["click"], alone["click"])


def test_forward_encodes_each_column_once(tiny_static, labels):
    """From features the loss is that of the encoder's embeddings."""
    model = SentenceTransformer(str(tiny_static), device="cpu")
    texts = [["red shoe", "oak", "tin cup", "mug", "desk", "lamp"], ["wool"] * 6, ["red", "blue", "shoe", "oak", "tin"]]
    loss = RamenLoss(model, margin=MARGIN)
    found = loss([model.preprocess(some) for some in texts], labels)
    embedded = [model.encode(some, convert_to_tensor=True) for some in texts]
    torch.testing.assert_close(found, loss.compute_loss_from_embeddings(embedded, labels))
    expected = {"click_loss": "triplet", "margin": MARGIN, "graph_weight": 0.1, "alpha": 2.0, "mini_batch_size": 0}
    assert loss.get_config_dict() == expected
    assert "2402.18434" in loss.citation


def test_items_are_trained_as_they_will_be_indexed(embeddings, labels):
    """With neighbours, an item is also norm(item + α neighbour), and queries that share an item are pulled together."""
    query, item, _ = embeddings
    neighbour = normalize(torch.randn(2, WIDTH, generator=torch.Generator().manual_seed(2)))
    known = torch.eye(2, dtype=torch.bool)
    labels = {**labels, "terms": [], "neighbour": {"position": torch.tensor([1, 4]), "known": known}}
    composed = item.clone()
    composed[[1, 4]] = normalize(item[[1, 4]] + 2.0 * neighbour)
    expected = {
        "click": hardest_triplet_loss(query, item, labels["known"], margin=MARGIN),
        "composed": hardest_triplet_loss(query, composed, labels["known"], margin=MARGIN),
        "shared_item": hardest_triplet_loss(query[[1, 4]], neighbour, known, margin=MARGIN),
    }
    torch.testing.assert_close(compute([query, item, neighbour], labels), expected)


def test_the_neighbour_learns_too(embeddings, labels):
    """Both two-hop terms have a gradient in the neighbour: one that is held fixed teaches nothing."""
    query, item, _ = embeddings
    neighbour = query[[4, 1]].clone().requires_grad_()  # each is the other row's query, which violates every margin
    known = torch.eye(2, dtype=torch.bool)
    labels = {**labels, "terms": [], "neighbour": {"position": torch.tensor([1, 4]), "known": known}}
    for name in ("composed", "shared_item"):
        (gradient,) = torch.autograd.grad(compute([query, item, neighbour], labels)[name], neighbour)
        assert gradient.abs().max() > 0


def test_hard_items_are_negatives_as_they_will_be_indexed(embeddings, labels):
    """They join the columns of both click terms, plain and composed with a query that clicked them."""
    query, item, _ = embeddings
    hard, neighbour = (normalize(torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(s))) for s in (3, 4))
    known = torch.zeros(N, 3, dtype=torch.bool)
    known[0, 2] = True
    two = torch.eye(2, dtype=torch.bool)
    labels = {
        **labels,
        "terms": [],
        "neighbour": {"position": torch.tensor([1, 4]), "known": two},
        "hard": {"position": torch.tensor([2]), "known": known},
    }
    plain, mask = torch.cat([item, hard]), torch.cat([labels["known"], known], dim=1)
    composed = plain.clone()
    composed[[1, 4, N + 2]] = normalize(plain[[1, 4, N + 2]] + 2.0 * neighbour)
    expected = {
        "click": hardest_triplet_loss(query, plain, mask, margin=MARGIN),
        "composed": hardest_triplet_loss(query, composed, mask, margin=MARGIN),
        "shared_item": hardest_triplet_loss(query[[1, 4]], neighbour[:2], two, margin=MARGIN),
    }
    torch.testing.assert_close(compute([query, item, hard, neighbour], labels), expected)


def test_clicks_can_be_learnt_by_a_softmax(embeddings, labels):
    """The click loss is the masked InfoNCE, and graph terms stay triplets."""
    loss = RamenLoss(nn.Identity(), click_loss="infonce", margin=MARGIN, graph_weight=0.25)  # type: ignore[arg-type]
    found = loss.compute_loss_from_embeddings(embeddings, labels)
    torch.testing.assert_close(found["click"], masked_infonce_loss(*embeddings[:2], labels["known"]))
    torch.testing.assert_close(found["graph"], compute(embeddings, labels)["graph"])


def test_each_term_has_its_own_weight(embeddings, labels):
    """A weight of 0 switches a term off, and a bandit hears how many queries had their item on top."""
    weights = BanditWeights(0.1, ["CATEGORY query", "CATEGORY item"], seed=0)
    weights.weight_of = {"CATEGORY query": 0.0, "CATEGORY item": 0.5}
    loss = RamenLoss(nn.Identity(), margin=MARGIN, graph_weight=weights)  # type: ignore[arg-type]
    found = loss.compute_loss_from_embeddings(embeddings, labels)["graph"]
    term = labels["terms"][1]
    _, item, anchor = embeddings
    expected = hardest_triplet_loss(item[term["position"]], anchor[term["anchor"]], term["known"], margin=MARGIN)
    torch.testing.assert_close(found, 0.5 * expected)
    assert (weights.hits, weights.seen) == (hits(*embeddings[:2], labels["known"]), N)


def test_hits_counted_by_hand():
    """Row 0 has its item on top; row 1 does not, unless the nearer column is known to it."""
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    items = torch.tensor([[0.8, 0.6], [1.0, 0.0]])
    known = torch.eye(2, dtype=torch.bool)
    assert hits(torch.eye(2), items.flip(0), known) == 2
    assert hits(rows, items.flip(0), known) == 2
    assert hits(rows, items, known) == 0
    known[1, 0] = True
    assert hits(rows, items, known) == 1
