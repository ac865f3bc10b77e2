"""``recsys publish`` and ``recsys rollback`` as a user meets them."""

from __future__ import annotations

import socket

import pytest


def test_publish_says_what_it_does_and_then_does_it(shop, recsys):
    """The dry run announces upload and switch; publishing does both; again, neither."""
    run = shop.run("a")
    dry = recsys("publish", "--dry-run", shop=shop)
    assert (dry.code, dry.out.count("would")) == (0, 2)
    first = recsys("publish", shop=shop)
    assert f"switched the alias {shop.alias} from nothing to {run.name}" in first.out
    again = recsys("publish", run.name, shop=shop)
    assert "already holds all 40 items" in again.out
    assert "already points at it" in again.out


def test_publish_and_rollback_speak_json(shop, recsys):
    """Programs get collection, alias and counts."""
    a, b = shop.run("a"), shop.run("b", seed=1)
    assert recsys("publish", a.name, "--json", shop=shop).json()["uploaded"] == 40
    published = recsys("publish", "--json", shop=shop).json()
    assert (published["collection"], published["live_before"], published["dry_run"]) == (b.name, a.name, False)
    assert recsys("rollback", "--json", shop=shop).json() == {
        "alias": shop.alias,
        "left": b.name,
        "collection": a.name,
    }


def test_rolling_back_too_far_is_a_failure(shop, recsys):
    """Nothing published, and nothing before, exit with 1 and the next command."""
    nothing = recsys("rollback", shop=shop)
    shop.run("a")
    recsys("publish", shop=shop)
    too_far = recsys("rollback", shop=shop)
    assert (nothing.code, too_far.code) == (1, 1)
    assert "run `recsys publish`" in nothing.err
    assert "nothing to go back to" in too_far.err


def test_a_run_that_does_not_exist_is_named(shop, recsys):
    """The error lists the runs there are."""
    run = shop.run("a")
    missing = recsys("publish", "no-such-run", shop=shop)
    assert missing.code == 1
    assert "no-such-run" in missing.err
    assert run.name in missing.err


def test_the_gate_is_told_and_refuses(shop, recsys, with_golden, shuffled):
    """A bad run ends with 1, what failed and how to insist; insisting is told too."""
    good = with_golden(shop.run("a"))
    first = recsys("publish", shop=shop)
    assert "gate recorded ok" in first.out
    bad = with_golden(shuffled(shop.run("b", seed=1)), good)
    for arguments in ((bad.name, "--dry-run"), (bad.name,)):
        refused = recsys("publish", *arguments, shop=shop)
        assert refused.code == 1
        assert "gate quality  FAILED" in refused.out
        assert "switch" not in refused.out
        assert f"recsys publish {bad.name} --force REASON" in refused.err
    refused = recsys("publish", bad.name, "--json", shop=shop)
    assert refused.code == 1
    assert [check["name"] for check in refused.json()["gate"]["checks"] if check["passed"] is False] == ["quality"]
    forced = recsys("publish", bad.name, "--force", "a try", shop=shop)
    assert forced.code == 0
    assert "against the gate, because: a try" in forced.out
    assert f"switched the alias {shop.alias} from {good.name} to {bad.name}" in forced.out


@pytest.mark.parametrize("arguments", [("publish",), ("rollback",), ("collections",), ("recommend", "red")])
def test_a_qdrant_that_is_down_is_a_failure(shop, recsys, monkeypatch, arguments):
    """Every command that searches or publishes exits with 1 and names the address and the setting."""
    shop.run("a")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("RECSYS_WORKSPACE", str(shop.workspace))
        monkeypatch.setenv("RECSYS_QDRANT__URL", url)
        down = recsys(*arguments)
    assert (down.code, down.out) == (1, "")
    assert url in down.err
    assert "qdrant.url" in down.err


def test_a_large_embedded_collection_is_advised_against(shop, recsys, monkeypatch):
    """Above the comfortable size stderr says how to use a server; stdout stays JSON."""
    if shop.embedded is None:
        pytest.skip("a server has no such limit")
    monkeypatch.setattr("recsys.serving.embedded.EMBEDDED_COMFORT", 30)
    shop.run("a")
    done = recsys("publish", "--json", shop=shop)
    assert "RECSYS_QDRANT__URL" in done.err
    assert done.json()["embedded"] is True


def test_prototypes_are_a_collection_of_their_own(shop, recsys):
    """The number replaces what the run chose, which the name and the output say; less than none is refused."""
    run = shop.run("a")
    done = recsys("publish", "--prototypes", "2", shop=shop)
    assert f"to {run.name}-prototypes-2" in done.out
    assert "an item has up to 2 vectors beside its own" in done.out
    assert recsys("recommend", "red table", shop=shop).code == 0
    assert recsys("publish", "--prototypes", "-1", shop=shop).code == 2
