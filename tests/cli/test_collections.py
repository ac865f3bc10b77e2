"""``recsys collections`` as a user meets it."""

from __future__ import annotations


def test_collections_are_listed_with_where_they_come_from(shop, recsys, with_golden, shuffled):
    """Youngest run first, with alias, run, encoder, points and why one went live against the gate."""
    good = with_golden(shop.run("a"))
    recsys("publish", shop=shop)
    with_golden(shuffled(shop.run("b", seed=0)), good)
    assert recsys("publish", "--force", "a try", shop=shop).code == 0
    shown = recsys("collections", shop=shop).out.splitlines()
    assert shown[0].split()[:3] == ["collection", "alias", "run"]
    rows = {line.split()[0]: line for line in shown[1:] if line.startswith(shop.alias) and "against" not in line}
    assert good.manifest["encoder_hash"][:12] in rows[good.name]
    assert shop.alias in rows[f"{shop.alias}-b"].split()[1:]
    assert f"{shop.alias}-b went live against the gate: a try" in shown
    found = recsys("collections", "--json", shop=shop).json()["collections"]
    mine = {entry["collection"]: entry for entry in found if entry["collection"].startswith(shop.alias)}
    assert mine[good.name]["aliases"] == []
    assert mine[f"{shop.alias}-b"]["aliases"] == [shop.alias]
    assert [entry["points"] for entry in mine.values()] == [40, 40]
    assert mine[good.name]["age_seconds"] > 0


def test_nothing_published_names_the_next_command(shop, recsys):
    """An empty Qdrant is not an error."""
    if shop.embedded is None:
        return
    nothing = recsys("collections", shop=shop)
    assert (nothing.code, nothing.out) == (0, "nothing is published; `recsys publish` does\n")
