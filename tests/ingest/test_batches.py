from dataclasses import replace

import pytest

from recsys.graph.batches import Batch
from recsys.ingest.batches import BatchUnfinishedError, plan_batches
from recsys.ingest.read import FileContent


def content(name: str, hash_: str, kept: int = 1) -> FileContent:
    """A file with ``kept`` good rows."""
    return FileContent(name, kept, {}, hash_ if kept else "")


def batch(*files: str, complete: bool) -> Batch:
    """A batch of the ledger."""
    return Batch("old", "clicks", files, tuple(f"{file}.csv" for file in files), 7, complete)


def test_new_files_are_one_batch_whatever_their_order_and_names() -> None:
    """The id is of the contents alone."""
    one = plan_batches("clicks", [content("a", "1"), content("b", "2")], [], 5)
    two = plan_batches("clicks", [content("x", "2"), content("y", "1"), content("z", "1")], [], 5)
    assert one.batches[0].id == two.batches[0].id
    assert (one.repeated, two.repeated) == (0, 1)
    assert two.files == ((0, 1),)


def test_files_that_are_in_are_left_out() -> None:
    """A complete batch covers its files one by one, in whatever company they come again."""
    plan = plan_batches("clicks", [content("a", "1"), content("b", "3")], [batch("1", "2", complete=True)], 5)
    assert (plan.done, plan.files) == (1, ((1,),))
    assert plan.batches[0].files == ("3",)


def test_a_broken_off_batch_goes_on_first_with_its_own_chunks() -> None:
    """Its files stay together and its chunk size holds; the others follow as another batch."""
    old = batch("1", "2", complete=False)
    plan = plan_batches("clicks", [content("a", "1"), content("b", "2"), content("c", "3")], [old], 5)
    assert plan.batches[0] == old
    assert [b.chunk_rows for b in plan.batches] == [7, 5]
    assert plan.files == ((0, 1), (2,))


def test_half_of_a_broken_off_batch_is_refused() -> None:
    """Its other files have to come again first; the error names them."""
    with pytest.raises(BatchUnfinishedError, match=r"2\.csv"):
        plan_batches("clicks", [content("a", "1")], [batch("1", "2", complete=False)], 5)


def test_files_without_a_good_row_and_foreign_batches_do_not_matter() -> None:
    """Nothing to write is no batch."""
    plan = plan_batches("clicks", [content("a", "", kept=0)], [batch("9", complete=False)], 5)
    assert plan.batches == ()
    assert plan.done == 0


def test_a_time_once_more_is_content_of_its_own() -> None:
    """Rows that are in get the next number; new ones are in for the first time; one id per time, whoever asks."""
    known = [batch("1", complete=True), batch("1~2", complete=True)]
    plan = plan_batches("clicks", [content("a", "1"), content("b", "2")], known, 5, again=True)
    assert plan.batches[0].files == ("1~3", "2")
    assert (plan.done, plan.unreported) == (0, ())


def test_a_time_once_more_goes_on_where_it_was_broken_off() -> None:
    """An unfinished one is finished, with all of its files; without the flag it does not matter."""
    known = [batch("1", "2", complete=True), batch("1~2", "2~2", complete=False)]
    assert plan_batches("clicks", [content("a", "1"), content("b", "2")], known, 5, again=True).batches == (known[1],)
    with pytest.raises(BatchUnfinishedError, match=r"clicks --again` with"):
        plan_batches("clicks", [content("a", "1")], known, 5, again=True)
    assert plan_batches("clicks", [content("a", "1")], known, 5).batches == ()


def test_a_time_once_more_that_nobody_was_told_of_is_not_done_again() -> None:
    """Until it was reported, a repeated command finds it in."""
    told = [batch("1", complete=True), batch("1~2", complete=True)]
    untold = [told[0], replace(told[1], id="new", reported=False)]
    plan = plan_batches("clicks", [content("a", "1")], untold, 5, again=True)
    assert (plan.batches, plan.done, plan.unreported) == ((), 1, ("new",))
    assert plan_batches("clicks", [content("a", "1")], told, 5, again=True).batches[0].files == ("1~3",)
