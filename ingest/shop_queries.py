"""What shoppers type: synonyms, plurals, typos and word order, drawn for many queries at once.

Every way to say something is a phrase with a number, typos of it included; a query is up to four numbers (brand,
material, kind, use), so that drawing, distorting and hashing queries is arithmetic on whole arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.ingest.shop import Ints, Shop, generator
from recsys.ingest.shop_words import KINDS, MATERIALS, USES

BRAND, MATERIAL, KIND, USE = range(4)
SLOTS = 4
SILENT = -1
"Phrase number of a slot about which the query says nothing."

TYPO_SHARE = 0.03
SHUFFLED_SHARE = 0.07
SAID_SHARES: Final = (0.2, 0.4, 0.93, 0.33)
"How often brand, material, kind and use are said."
TYPOS_PER_PHRASE = 4
_HASH_BASE = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def plural(word: str) -> str:
    """Return the English plural of a regular ``word``; words that end in s already are left alone."""
    if word.endswith(("ch", "sh", "ss", "x")):
        return word + "es"
    if word.endswith("s"):
        return word
    if word.endswith("fe"):
        return word[:-2] + "ves"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def typo(word: str, rng: np.random.Generator) -> str:
    """Return ``word`` with one slip: a letter left out, doubled, or swapped with the next.

    Raises:
        IndexError: ``word`` is empty.
    """
    place = int(rng.integers(0, max(len(word) - 1, 1)))
    slip = rng.choice(("drop", "double", "swap"))
    letter, following = word[place], word[place + 1 : place + 2]
    if slip == "drop" and following:
        return word[:place] + word[place + 1 :]
    if slip == "swap" and following not in ("", letter):
        return word[:place] + following + letter + word[place + 2 :]
    return word[:place] + letter + word[place:]


@dataclass(frozen=True, eq=False)
class Phrases:
    """The shop's language.

    Attributes:
        texts: Every phrase once.
        ways: Per slot a table of phrase numbers, shape (concepts, ways); a frequent way stands in it several times.
        typos: Phrase numbers of misspellings, shape (phrases, TYPOS_PER_PHRASE); a misspelling has itself there.
    """

    texts: tuple[str, ...]
    ways: tuple[Ints, Ints, Ints, Ints]
    typos: Ints

    def say(self, about: Ints, said: npt.NDArray[np.bool_], rng: np.random.Generator) -> Ints:
        """Put what is meant into words.

        Args:
            about: Brand, material, kind and use of the item each query is about, shape (n, SLOTS).
            said: Which of them the query mentions, the same shape.
            rng: Source of the draws.

        Returns:
            Phrase numbers in the order of the words, SILENT for none, shape (n, SLOTS).
        """
        columns = [table[about[:, i], rng.integers(0, table.shape[1], len(about))] for i, table in enumerate(self.ways)]
        phrases = np.where(said, np.stack(columns, axis=1), SILENT)
        slips = np.flatnonzero(rng.random(len(about)) < TYPO_SHARE)
        slot = rng.integers(0, SLOTS, len(slips))
        slipped = self.typos[phrases[slips, slot], rng.integers(0, TYPOS_PER_PHRASE, len(slips))]
        phrases[slips, slot] = np.where(said[slips, slot], slipped, SILENT)
        shuffled = np.flatnonzero(rng.random(len(about)) < SHUFFLED_SHARE)
        return _shuffle_rows(phrases, shuffled, rng)

    def write(self, phrases: Ints) -> Any:
        """Return the query texts of ``phrases`` (n, SLOTS), none all silent, as a pyarrow string array of length n."""
        slots = [self._words.take(pa.array(column, mask=column == SILENT)) for column in phrases.T]
        return pc.binary_join_element_wise(*slots, " ", null_handling="skip")

    def hash(self, phrases: Ints) -> npt.NDArray[np.uint64]:
        """Return 64 bits that depend on nothing but the text of each query: equal texts have equal hashes."""
        power, value = self._hashes
        total = np.zeros(len(phrases), np.uint64)
        for column in phrases.T:
            total = total * power[column] + value[column]
        total ^= total >> np.uint64(31)
        total *= np.uint64(0xBF58476D1CE4E5B9)
        return total ^ (total >> np.uint64(29))

    @cached_property
    def _words(self) -> Any:
        return pa.array(self.texts)

    @cached_property
    def _hashes(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        return _phrase_hashes(self.texts)


def build_phrases(shop: Shop, seed: int) -> Phrases:
    """Collect all ways to name the shop's brands, materials, kinds and uses, and misspellings of each."""
    numbers: dict[str, int] = {}

    def table(ways: Sequence[Sequence[str]]) -> Ints:
        return np.array([[numbers.setdefault(way, len(numbers)) for way in row] for row in ways])

    brands = table([[name.lower()] for name in shop.brands])
    materials = table([[m.name] * 5 + [m.synonyms[0]] * 2 + [m.synonyms[1]] for m in MATERIALS])
    kinds = table([_kind_ways(k.term.name, *k.term.synonyms) for k in KINDS])
    uses = table([_use_ways(u.name, *u.synonyms) for u in USES])
    rng = generator(seed, 1)
    correct = list(numbers)
    typos = table([[_slip(text, rng) for _ in range(TYPOS_PER_PHRASE)] for text in correct])
    itself = np.arange(len(correct), len(numbers))[:, None].repeat(TYPOS_PER_PHRASE, axis=1)
    return Phrases(tuple(numbers), (brands, materials, kinds, uses), np.concatenate([typos, itself]))


def _kind_ways(name: str, often: str, seldom: str) -> list[str]:
    return [name] * 5 + [plural(name)] * 2 + [often] * 3 + [plural(often)] + [seldom] * 2


def _use_ways(name: str, often: str, seldom: str) -> list[str]:
    return [name] * 3 + [f"for {name}"] * 2 + [often] * 2 + [f"for {often}", seldom]


def _slip(text: str, rng: np.random.Generator) -> str:
    """Misspell the longest word of a phrase."""
    word = max(text.split(), key=len)
    return text.replace(word, typo(word, rng), 1)


def _shuffle_rows(phrases: Ints, rows: Ints, rng: np.random.Generator) -> Ints:
    order = np.argsort(rng.random((len(rows), SLOTS)), axis=1)
    phrases[rows] = np.take_along_axis(phrases[rows], order, axis=1)
    return phrases


def _phrase_hashes(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Polynomial hash of a blank and each phrase, and its factor; one more entry, found at SILENT, changes nothing."""
    powers, values = [], []
    for text in texts:
        value = 0
        for character in " " + text:
            value = (value * _HASH_BASE + ord(character)) & _WORD
        powers.append(pow(_HASH_BASE, len(text) + 1, 1 << 64))
        values.append(value)
    return np.array([*powers, 1], np.uint64), np.array([*values, 0], np.uint64)
