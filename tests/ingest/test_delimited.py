import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.delimited import Records, is_unicode

fields = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
tables = st.lists(st.lists(fields, min_size=2, max_size=3), max_size=8)


def records(text: str) -> list[tuple[list[str] | None, str]]:
    """Parse ``text`` as a file would be."""
    return list(Records(io.StringIO(text, newline="")).rows())


@given(tables)
def test_whatever_a_csv_writer_wrote_is_read_back(table: list[list[str]]) -> None:
    """Quotes, commas, line breaks and control characters within fields survive, and the raw text is the file."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(table)
    found = records(out.getvalue())
    assert [row for row, _ in found] == table
    assert "".join(raw for _, raw in found) == out.getvalue()


@pytest.mark.parametrize("broken", ['"never closed,1\n', '"closed" too early,1\n', '1,"\n'])
def test_a_broken_quote_costs_its_own_line(broken: str) -> None:
    """The lines that an open quote swallowed are rows again."""
    found = records(f"a,1\n{broken}b,2\nc,3\n")
    assert [row for row, _ in found] == [["a", "1"], None, ["b", "2"], ["c", "3"]]
    assert found[1][1] == broken


@given(st.lists(st.sampled_from(['"', ",", "a", "\n", "\r\n", '""']), max_size=30))
def test_no_text_is_lost(pieces: list[str]) -> None:
    """Every character that is not a blank line is in exactly one record, good or broken."""
    text = "".join(pieces)
    kept = "".join(raw for _, raw in records(text))
    assert kept.replace("\n", "").replace("\r", "") == text.replace("\n", "").replace("\r", "")


def test_a_broken_header_is_an_error() -> None:
    """Rows cannot be read under a header that cannot be."""
    with pytest.raises(csv.Error, match="header"):
        Records(io.StringIO('"a,b\n1,2\n')).header()


def test_a_long_field_is_read_and_an_endless_one_is_broken() -> None:
    """A field of a million characters is a field; beyond the limit a quote counts as never closed."""
    assert records(f'"{"x" * 1_000_000}",1\n')[0][0] == ["x" * 1_000_000, "1"]
    assert [row for row, _ in records(f'"{"x" * 5_000_000}",1\nb,2\n')] == [None, ["b", "2"]]


def test_surrogates_are_not_unicode() -> None:
    """A byte that was not UTF-8 shows, an emoji does not."""
    assert is_unicode("plain")
    assert is_unicode("👟 ü")
    assert not is_unicode(b"caf\xe9".decode(errors="surrogateescape"))


@given(tables, st.sampled_from(["\t", "|", ";", "\x01", " "]))
def test_any_delimiter_is_read_back(table: list[list[str]], delimiter: str) -> None:
    """What a writer with the same delimiter wrote comes back, quotes and all."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    assert [row for row, _ in Records(io.StringIO(out.getvalue(), newline=""), delimiter).rows()] == table


@given(st.lists(st.lists(st.text('ab" ', min_size=1, max_size=4), min_size=2, max_size=3), max_size=6))
def test_without_quotes_a_quote_is_text(table: list[list[str]]) -> None:
    """Nothing is broken where quotes mean nothing."""
    text = "".join("\t".join(row) + "\n" for row in table)
    assert [row for row, _ in Records(io.StringIO(text), "\t", quotes=False).rows()] == table


@given(st.lists(st.sampled_from(['"', ",", "a", "\n", '""', "b\n"]), max_size=30))
def test_a_record_knows_the_line_it_begins_on(pieces: list[str]) -> None:
    """Whatever came before it, broken or of several lines, its text stands in the file from that line on."""
    text = "".join(pieces)
    lines = text.splitlines(keepends=True)
    found = Records(io.StringIO(text, newline=""))
    for _, raw in found.rows():
        assert "".join(lines[found.line - 1 :]).startswith(raw)
