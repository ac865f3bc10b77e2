from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.fates import Fates


@given(st.dictionaries(st.integers(1, 300), st.sampled_from("abc")), st.sets(st.integers(1, 300)))
def test_a_row_is_refused_in_or_untried(refused: dict[int, str], tried: set[int]) -> None:
    """Whatever the order of ids, a refusal wins over having been tried."""
    fates = Fates()
    for id_, reason in refused.items():
        fates.fail(id_, reason)
    for id_ in tried:
        fates.bring_in(id_)
    expected = dict.fromkeys(tried, "") | refused
    assert {id_: fates.of(id_) for id_ in range(1, 310) if fates.of(id_) is not None} == expected
    assert set(fates.reasons) == set(refused.values())
