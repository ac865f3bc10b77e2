"""What shoppers type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.shop import build_shop, generator
from recsys.ingest.shop_queries import SILENT, SLOTS, TYPO_SHARE, Phrases, build_phrases, plural, typo

WORDS = st.text("abcdeéß", min_size=1, max_size=8)


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    """The language of a small shop."""
    return build_phrases(build_shop(10_000, 3), 3)


def _one_edit_apart(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    if len(short) == len(long):
        return any(a[:i] + a[i + 1] + a[i] + a[i + 2 :] == b for i in range(len(a) - 1))
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


@given(word=WORDS, seed=st.integers(0, 2**32))
def test_a_typo_is_one_edit(word, seed):
    """A typo differs from its word, by one letter more or less or by two neighbours swapped, and is never empty."""
    slipped = typo(word, generator(seed))
    assert slipped
    assert slipped != word
    assert _one_edit_apart(word, slipped)


@pytest.mark.parametrize(
    ("word", "many"),
    [
        ("knife", "knives"),
        ("brush", "brushes"),
        ("battery", "batteries"),
        ("tray", "trays"),
        ("pants", "pants"),
        ("dress", "dresses"),
        ("coffee table", "coffee tables"),
    ],
)
def test_plurals_of_regular_words(word, many):
    """Endings follow the rules of English."""
    assert plural(word) == many


def test_a_query_says_what_it_was_told_to_say(phrases):
    """Without a typo the words are ways to name exactly the things said, whatever their order."""
    rng = generator(1)
    about = np.stack([rng.integers(0, len(table), 5_000) for table in phrases.ways], axis=1)
    said = rng.random(about.shape) < 0.5
    drawn = phrases.say(about, said, rng)
    assert ((drawn != SILENT).sum(axis=1) == said.sum(axis=1)).all()
    understood = [
        all(
            any(way in row for way in table[a])
            for table, a, s in zip(phrases.ways, about[i], said[i], strict=True)
            if s
        )
        for i, row in enumerate(drawn)
    ]
    assert 1 - TYPO_SHARE <= np.mean(understood) < 1
    assert len({tuple(row != SILENT) for row in drawn}) == 2**SLOTS


def test_texts_are_the_words_with_blanks_between():
    """Silent slots leave no gap."""
    language = Phrases(("oak", "desk", "for kids"), (np.zeros((1, 1), int),) * 4, np.zeros((3, 4), int))
    rows = np.array([[SILENT, 0, 1, 2], [1, SILENT, SILENT, 0]])
    assert language.write(rows).to_pylist() == ["oak desk for kids", "desk oak"]


# of a query that says nothing, which the shop never asks, pyarrow would make no text at all
SPOKEN = st.lists(st.integers(SILENT, 5), min_size=4, max_size=4).filter(lambda slots: max(slots) > SILENT)


@given(st.lists(SPOKEN, min_size=2, max_size=30))
def test_a_hash_depends_on_the_text_alone(rows):
    """Two queries have the same hash exactly when they have the same text, however it was put together."""
    texts = ("a", "b", "a b", "b a", "ab", "a b a")
    language = Phrases(texts, (np.zeros((1, 1), int),) * 4, np.zeros((6, 4), int))
    written = language.write(np.array(rows)).to_pylist()
    hashes = language.hash(np.array(rows)).tolist()
    assert len(set(zip(written, hashes, strict=True))) == len(set(written)) == len(set(hashes))


def test_phrases_are_unique_and_their_typos_known(phrases):
    """Every phrase has one number, no phrase is empty, and a misspelling of a misspelling is itself."""
    assert len(set(phrases.texts)) == len(phrases.texts)
    assert all(phrases.texts)
    correct = max(int(table.max()) for table in phrases.ways) + 1
    assert (phrases.typos[correct:] == np.arange(correct, len(phrases.texts))[:, None]).all()
    assert (phrases.typos[:correct] != np.arange(correct)[:, None]).all()
