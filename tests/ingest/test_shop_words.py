"""The words of the invented shop."""

from __future__ import annotations

from recsys.ingest.shop_words import COLOURS, DEPARTMENTS, KINDS, MATERIALS, SERIES, USES


def test_a_synonym_is_in_nobodys_name():
    """No name of a kind, material, use, series or colour holds a synonym of anything, so no title does."""
    terms = [*MATERIALS, *USES, *(kind.term for kind in KINDS)]
    names = [f" {name.lower()} " for name in (*(term.name for term in terms), *SERIES, *COLOURS)]
    assert len({term.name for term in terms}) == len(terms)
    assert not [s for term in terms for s in term.synonyms for name in names if f" {s} " in name]


def test_the_category_tree_is_even():
    """Eight departments of twelve kinds in three groups; each term has two synonyms."""
    assert [sum(kind.department == d for kind in KINDS) for d in range(len(DEPARTMENTS))] == [12] * 8
    assert len({(kind.department, kind.group) for kind in KINDS}) == 24
    assert {len(term.synonyms) for term in (*MATERIALS, *USES)} == {2}


def test_every_department_has_its_materials_and_uses():
    """Positions read from the file name existing materials and uses, six of each."""
    kitchen = DEPARTMENTS[1]
    assert kitchen.name == "Kitchen"
    assert [MATERIALS[m].name for m in kitchen.materials] == ["steel", "iron", "copper", "ceramic", "glass", "bamboo"]
    assert [USES[u].name for u in kitchen.uses][:2] == ["camping", "baking"]
