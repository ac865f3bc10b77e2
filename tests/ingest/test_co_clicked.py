from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recsys.ingest import co_clicked
from recsys.ingest.co_clicked import contexts, nearest_items

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "wikispeedia"
Near = dict[tuple[int, int], tuple[int, float]]


def matrix(rows: list[list[float]]) -> csr_array:
    """A sparse matrix of these rows."""
    return csr_array(np.array(rows, dtype=np.float64))


def nearest(contexts_QI: csr_array, top: int = 10) -> Near:
    """Return (item, item) to the number of shared contexts and the cosine."""
    return {
        (int(i), int(j)): (int(n), float(cosine))
        for near, cosines in nearest_items(contexts_QI, top)
        for i, j, n, cosine in zip(near.source, near.target, near.clicks, cosines, strict=True)
    }


def by_pandas(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return every two items that share a context, from distinct (context, item) rows."""
    count = pairs.groupby("item").size()
    both = pairs.merge(pairs, on="context").query("item_x != item_y").groupby(["item_x", "item_y"]).size()
    table = both.rename("n").reset_index()
    table["cosine"] = table.n / np.sqrt(table.item_x.map(count) * table.item_y.map(count))
    return table


def assert_top_ten(found: Near, expected: pd.DataFrame) -> None:
    """Each item has the ten that pandas ranks first."""
    ranked = expected.sort_values(["item_x", "cosine", "item_y"], ascending=[True, False, True])
    first = ranked.groupby("item_x").head(10)
    pairs = list(zip(first.item_x, first.item_y, strict=True))
    assert list(found) == pairs
    np.testing.assert_array_equal([n for n, _ in found.values()], first.n)
    np.testing.assert_allclose([cosine for _, cosine in found.values()], first.cosine, rtol=1e-12)


def test_the_cosine_of_three_queries() -> None:
    """Hand-worked: item 0 has contexts {0, 1, 2}, item 1 {0, 1}, item 2 {2}, item 3 none."""
    found = nearest(matrix([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]))
    assert {pair: n for pair, (n, _) in found.items()} == {(0, 1): 2, (1, 0): 2, (0, 2): 1, (2, 0): 1}
    assert found[0, 1][1] == pytest.approx(2 / 6**0.5)  # 2 / √(3 · 2)
    assert found[2, 0][1] == pytest.approx(1 / 3**0.5)  # 1 / √(1 · 3)


def test_only_the_nearest_stay_and_the_smaller_row_wins_ties() -> None:
    """Of items 1, 2 and 3, equally near to item 0, the first two stay."""
    found = nearest(matrix([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]), top=2)
    assert [j for i, j in found if i == 0] == [1, 2]
    assert [(i, j) for i, j in found if i == 3] == [(3, 0)]


def test_a_session_lends_the_items_of_its_other_queries() -> None:
    """Query 0 clicked item 0 and shares sessions with query 1, which clicked item 1; query 2 stands alone."""
    clicked = matrix([[3, 0, 0], [0, 1, 0], [0, 0, 1]])
    sessions = matrix([[0, 2, 0], [2, 0, 0], [0, 0, 0]])
    assert contexts(clicked, sessions).toarray().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert set(nearest(contexts(clicked, sessions))) == {(0, 1), (1, 0)}
    assert nearest(contexts(clicked, csr_array((3, 3)))) == {}


def test_caps_keep_the_most_clicked_own_items_then_those_of_most_mates() -> None:
    """Three of five items: query 0's own two, and of the items of its two closest mates the one that both clicked."""
    clicked = matrix([[0, 1, 2, 0, 0], [1, 0, 0, 5, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 1]])
    sessions = matrix([[0, 3, 2, 1], [3, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]])
    kept = contexts(clicked, sessions, max_items=3, max_mates=2)
    assert kept[[0]].toarray().tolist() == [[0, 1, 1, 1, 0]]
    assert np.diff(kept.indptr).max() == 3
    assert contexts(clicked, sessions, max_items=1)[[0, 1]].toarray().tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 1, 0]]


@given(page=st.integers(1, 9))
def test_where_pages_of_queries_end_decides_nothing(page: int) -> None:
    """Of items that mates lend alike, a draw by query and item keeps the same, however many queries a page has."""
    rng = np.random.default_rng(0)
    clicked, sessions = (csr_array(rng.integers(0, 2, (9, 9)).astype(np.float64)) for _ in range(2))
    at_once = contexts(clicked, sessions, max_items=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(co_clicked, "_PAGE_QUERIES", page)
        assert (contexts(clicked, sessions, max_items=4) != at_once).nnz == 0


@given(st.lists(st.sets(st.integers(0, 7), max_size=8), min_size=1, max_size=12), st.integers(1, 40))
def test_pages_of_any_size_equal_brute_force(rows: list[set[int]], products: int) -> None:
    """Whatever the memory for pairs, each item has all items that share a row with it, by their cosine."""
    dense = np.array([[float(item in row) for item in range(8)] for row in rows])
    count, both = dense.sum(0), dense.T @ dense
    expected = {
        (i, j): (both[i, j], both[i, j] / (count[i] * count[j]) ** 0.5)
        for i, j in zip(*np.nonzero(both), strict=True)
        if i != j
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(co_clicked, "_PAGE_PRODUCTS", products)
        found = nearest(csr_array(dense))
    assert found == {pair: pytest.approx(value) for pair, value in expected.items()}


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    """Real clicks with integer queries and items."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not there")
    log = pd.read_parquet(DATA / "clicks.train.parquet")
    return log.assign(query=pd.factorize(log.query_id)[0], item=pd.factorize(log.item_id)[0])


def test_shared_queries_of_a_real_log_equal_those_of_pandas(clicks: pd.DataFrame) -> None:
    """All training clicks of wikispeedia, without sessions and caps."""
    size = clicks["query"].max() + 1
    counts = csr_array((np.ones(len(clicks)), (clicks["query"], clicks["item"])))
    found = nearest(contexts(counts, csr_array((size, size)), max_items=10_000))
    assert_top_ten(found, by_pandas(clicks[["query", "item"]].drop_duplicates().set_axis(["context", "item"], axis=1)))


def test_shared_sessions_of_a_real_log_equal_those_of_pandas(clicks: pd.DataFrame) -> None:
    """Some clicks of wikispeedia, where every two queries of a session lend each other their items."""
    some = clicks.head(8_000)
    size = some["query"].max() + 1
    asked = some[["session_id", "query"]].drop_duplicates()
    mates = asked.merge(asked, on="session_id").query("query_x != query_y")
    sessions = csr_array((np.ones(len(mates)), (mates.query_x, mates.query_y)), shape=(size, size))
    counts = csr_array((np.ones(len(some)), (some["query"], some["item"])))
    found = nearest(contexts(counts, sessions, max_items=10_000, max_mates=10_000))
    own = some[["query", "item"]].set_axis(["context", "item"], axis=1)
    lent = mates.merge(own, left_on="query_y", right_on="context")[["query_x", "item"]]
    pairs = pd.concat([own, lent.set_axis(["context", "item"], axis=1)]).drop_duplicates()
    assert_top_ten(found, by_pandas(pairs))
