"""The gate: a bad collection never goes live, and a good one is not held up."""

from __future__ import annotations

import shutil

import pytest
from qdrant_client import models

from recsys.core.files import hash_tree, write_json
from recsys.core.scoring import Scoring
from recsys.serving.alias import live_collection, roll_back
from recsys.serving.contents import Contents
from recsys.serving.gate import checksum, judge
from recsys.serving.lineage import collection_names, read_lineage
from recsys.serving.publication import GateFailedError
from recsys.serving.publish import publish, rehearse


def put(client, shop, run, **options):
    """Publish a run."""
    return publish(client, run, shop.alias, embedded=shop.embedded, **options)


def names(checks):
    """Return the names of checks."""
    return [check.name for check in checks]


def change_encoder(run):
    """Give a run an encoder that is another to the byte, and gives the same vectors."""
    tokenizer = next(run.encoder_path.rglob("tokenizer.json"))
    tokenizer.write_text(tokenizer.read_text() + " ")
    write_json(run.path / "manifest.json", {**run.manifest, "encoder_hash": hash_tree(run.encoder_path)})
    return run


def test_a_good_run_passes(shop, with_golden):
    """Every check is made, nothing fails, and the answers of equal vectors overlap whole."""
    with shop.connect() as client:
        first = put(client, shop, with_golden(shop.run("a"))).gate
        assert names(first.checks) == ["ids", "index", "recorded", "quality"]
        assert [check.passed for check in first.checks] == [True, True, True, None]
        assert "nothing is live yet" in first.checks[-1].says
        assert (first.queries, first.figures, first.live_figures, first.overlap) == (
            28,
            {"P@1": 100, "R@10": 100},
            {},
            None,
        )
        second = put(client, shop, with_golden(shop.run("b"))).gate
        assert [check.passed for check in second.checks] == [True] * 4
        assert (second.live_figures, second.overlap) == (second.figures, 100)
        assert live_collection(client, shop.alias) == f"{shop.alias}-b"
        assert put(client, shop, with_golden(shop.run("c", seed=1))).gate.overlap < 60


def test_shuffled_vectors_do_not_go_live(shop, with_golden, shuffled):
    """A run whose items have each other's vectors is refused for its quality; the live collection is left alone."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        put(client, shop, good)
        bad = with_golden(shuffled(shop.run("b")), good)
        with pytest.raises(GateFailedError, match="quality: P@1") as caught:
            put(client, shop, bad)
        assert names(caught.value.verdict.failed) == ["quality"]
        assert caught.value.verdict.figures["P@1"] < 20 < caught.value.verdict.live_figures["P@1"]
        assert live_collection(client, shop.alias) == good.name
        assert put(client, shop, good).gate is None


def test_vectors_shuffled_after_training_do_not_go_live_first(shop, with_golden, shuffled):
    """Where nothing is live, golden queries must fare as they did when the run was written."""
    bad = shuffled(with_golden(shop.run("a")))
    with shop.connect() as client:
        with pytest.raises(GateFailedError) as caught:
            put(client, shop, bad)
        assert names(caught.value.verdict.failed) == ["recorded"]
        assert live_collection(client, shop.alias) is None


def test_a_rehearsal_changes_nothing(shop, with_golden, shuffled):
    """The gate's figures are known before anything is uploaded, and so is a refusal."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        rehearsed = rehearse(client, good, shop.alias)
        assert names(rehearsed.gate.checks) == ["recorded", "quality"]
        assert good.name not in collection_names(client)
        assert rehearsed.gate.figures == put(client, shop, good).gate.figures
        bad = with_golden(shuffled(shop.run("b")), good)
        with pytest.raises(GateFailedError):
            rehearse(client, bad, shop.alias)
        assert rehearse(client, bad, shop.alias, force="trying").forced == "trying"
        assert bad.name not in collection_names(client)
        assert rehearse(client, good, shop.alias).gate is None


def test_a_reason_opens_the_gate_and_is_kept(shop, with_golden, shuffled):
    """What goes live by force says in its metadata why, when and what had failed; what passes says nothing."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        assert put(client, shop, good, force="not needed").forced is None
        assert read_lineage(client, good.name).forced == {}
        bad = with_golden(shuffled(shop.run("b")), good)
        with pytest.raises(GateFailedError):
            put(client, shop, bad)
        done = put(client, shop, bad, force="a test of the gate")
        assert (done.uploaded, done.forced, live_collection(client, shop.alias)) == (0, "a test of the gate", bad.name)
        forced = read_lineage(client, bad.name).forced
        assert forced["reason"] == "a test of the gate"
        assert forced["failed"].keys() == {"quality"}
        assert forced["at"]
        assert put(client, shop, bad).uploaded == 0
        assert roll_back(client, shop.alias).collection == good.name


def test_a_tolerance_lets_worse_figures_pass(shop, with_golden, shuffled):
    """Everything may be a hundred points worse, if that is what is wanted."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        put(client, shop, good)
        assert put(client, shop, with_golden(shuffled(shop.run("b")), good), tolerance=100).gate.failed == ()


@pytest.mark.parametrize("how", [Scoring(bonus=0.05), Scoring()])
def test_a_live_collection_of_another_width_is_compared(shop, with_golden, how):
    """Each side is asked with vectors of its own width, whichever has the bonus."""
    other = Scoring() if how.is_wide else Scoring(bonus=0.05)
    with shop.connect() as client:
        put(client, shop, with_golden(shop.run("a", scoring=how)))
        verdict = put(client, shop, with_golden(shop.run("b", scoring=other))).gate
    assert verdict.live_figures["R@10"] == 100
    assert verdict.overlap > 70


def test_another_encoder_is_asked_by_its_own_run(shop, with_golden, shuffled):
    """The live run encodes the golden texts itself; a shuffled run is still found out."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        put(client, shop, good)
        same = change_encoder(with_golden(shop.run("b"), good))
        assert put(client, shop, same).gate.overlap == 100
        with pytest.raises(GateFailedError, match="quality"):
            put(client, shop, with_golden(shuffled(shop.run("c")), good))


def test_a_live_run_that_is_gone_is_not_compared(shop, with_golden):
    """Without the live run's encoder its collection cannot be asked: the other checks decide, and it is said."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        put(client, shop, good)
        new = change_encoder(with_golden(shop.run("b")))
        shutil.rmtree(good.path)
        verdict = put(client, shop, new).gate
        assert verdict.checks[-1].passed is None
        assert good.name in verdict.checks[-1].says
        assert (verdict.live_figures, verdict.overlap) == ({}, None)


def test_the_same_encoder_needs_no_live_run(shop, with_golden, shuffled):
    """Where both collections have one encoder, the golden vectors ask both."""
    with shop.connect() as client:
        good = with_golden(shop.run("a"))
        put(client, shop, good)
        bad = with_golden(shuffled(shop.run("b")), good)
        shutil.rmtree(good.path)
        with pytest.raises(GateFailedError, match="quality"):
            put(client, shop, bad)


def test_points_are_compared_with_the_run(shop):
    """A wrong id, and vectors at the wrong points, are seen in the collection itself, without golden queries."""
    run = shop.run("a")
    table = run.items()
    with shop.connect() as client:
        verdict = put(client, shop, run).gate
        assert [(check.name, check.passed) for check in verdict.checks] == [
            ("ids", True),
            ("index", True),
            ("quality", None),
        ]
        assert "no golden queries" in verdict.checks[-1].says
        client.set_payload(run.name, {"id": "item-7x"}, points=[7])
        assert "ids" in names(judge(client, Contents.of(run), None, 3).failed)
        client.set_payload(run.name, {"id": "item-7"}, points=[7])
        swapped = [models.PointVectors(id=row, vector=table.vectors[39 - row].tolist()) for row in range(40)]
        client.update_vectors(run.name, swapped)
        assert names(judge(client, Contents.of(run), None, 3).failed) == ["index"]


def test_the_checksum_depends_on_every_id_and_their_order():
    """SHA-256 of the ids, each with a line break, as any tool computes it."""
    assert checksum(["a", "b"]) == "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
    assert len({checksum(ids) for ids in (["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""])}) == 4
