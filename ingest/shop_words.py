"""Words of the invented shop, from ``shop_words.txt``: what it sells, of what, for what, and how shoppers call it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True)
class Term:
    """A name as it stands in titles, and its synonyms."""

    name: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A leaf of the category tree.

    Attributes:
        term: What one such item is called.
        group: Name of the category above.
        department: Index into :data:`DEPARTMENTS`.
    """

    term: Term
    group: str
    department: int


@dataclass(frozen=True)
class Department:
    """A root of the category tree; ``materials`` and ``uses`` index :data:`MATERIALS` and :data:`USES`."""

    name: str
    materials: tuple[int, ...]
    uses: tuple[int, ...]


def _sections() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in files("recsys.ingest").joinpath("shop_words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return sections


def _words(lines: list[str]) -> tuple[str, ...]:
    return tuple(", ".join(lines).split(", "))


def _terms(words: tuple[str, ...]) -> tuple[Term, ...]:
    pairs = (word.split("=") for word in words)
    return tuple(Term(name, tuple(synonyms.split("/"))) for name, synonyms in pairs)


def _positions(names: str, terms: tuple[Term, ...]) -> tuple[int, ...]:
    known = [term.name for term in terms]
    return tuple(known.index(name) for name in names.split(", "))


def _tree(lines: list[str]) -> tuple[tuple[Department, ...], tuple[Kind, ...]]:
    departments: list[Department] = []
    kinds: list[Kind] = []
    for line in lines:
        name, *rest = line.removeprefix("- ").split("; ")
        if line.startswith("-"):
            kinds += [Kind(term, name, len(departments) - 1) for term in _terms(_words(rest))]
        else:
            departments.append(Department(name, _positions(rest[0], MATERIALS), _positions(rest[1], USES)))
    return tuple(departments), tuple(kinds)


_SECTIONS = _sections()
MATERIALS: Final = _terms(_words(_SECTIONS["materials"]))
USES: Final = _terms(_words(_SECTIONS["uses"]))
COLOURS: Final = _words(_SECTIONS["colours"])
SERIES: Final = _words(_SECTIONS["series"])
SIZES: Final = _words(_SECTIONS["sizes"])
BRAND_PARTS: Final = tuple(_words(_SECTIONS[f"brand {part}"]) for part in ("beginnings", "middles", "ends"))
DEPARTMENTS, KINDS = _tree(_SECTIONS["departments"])
