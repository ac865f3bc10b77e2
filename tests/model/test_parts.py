"""Texts of a batch in parts of like length."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.parts import in_parts

LENGTHS = np.array([3, 9, 1, 1, 30, 5, 2, 8, 8, 4])

nodes = st.dictionaries(
    st.sampled_from(["Query", "Item", "Anchor"]), st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=1
)


class LongRows:
    """Stands for features: which label and row a text is, and a length by row."""

    def __init__(self, part_tokens: int | None) -> None:
        self.part_tokens = part_tokens

    def __call__(self, nodes):
        """Return label and row of each."""
        return {"node": torch.tensor([(ord(label[0]), row) for label, rows in nodes.items() for row in rows])}

    def lengths(self, label, rows):
        """Return the length of each row, the same for all labels."""
        return LENGTHS[rows]


@given(columns=st.dictionaries(st.sampled_from("abcd"), nodes, min_size=1), most=st.none() | st.integers(1, 64))
def test_columns_find_their_own_among_distinct_texts(columns, most):
    """However columns overlap, each text is encoded once, and every column finds its rows, label after label."""
    given_rows = {name: {label: np.array(rows) for label, rows in column.items()} for name, column in columns.items()}
    inputs, places = in_parts(LongRows(most), given_rows)
    encoded = torch.cat([part["node"] for part in inputs])
    assert len({tuple(node) for node in encoded.tolist()}) == len(encoded)
    assert list(places) == list(columns)
    for name, column in columns.items():
        expected = [[ord(label[0]), row] for label, rows in column.items() for row in rows]
        assert encoded[places[name]].tolist() == expected


@given(rows=st.lists(st.integers(0, 9), min_size=1, max_size=10, unique=True), most=st.integers(1, 64))
def test_a_part_is_full_before_the_next_begins(rows, most):
    """Parts go from short to long, hold no more tokens with padding than asked for, and none could take one more."""
    inputs, _ = in_parts(LongRows(most), {"a": {"Query": np.array(rows)}})
    sizes = [LENGTHS[part["node"][:, 1].numpy()] for part in inputs]
    for part, following in zip(sizes, [*sizes[1:], None], strict=True):
        assert len(part) == 1 or len(part) * part.max() <= most
        if following is not None:
            assert part.max() <= following.min()
            assert (len(part) + 1) * following.min() > most


def test_texts_without_padding_are_one_part():
    """Where nothing is padded, everything is encoded at once."""
    inputs, _ = in_parts(LongRows(None), {"a": {"Query": np.arange(10), "Item": np.arange(3)}})
    assert [len(part["node"]) for part in inputs] == [13]
