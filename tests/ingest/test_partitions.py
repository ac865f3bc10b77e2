from pathlib import Path
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.partitions import partitions_of

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.dictionaries(names, names, max_size=3))
def test_what_a_writer_put_in_folder_names_is_read_back(columns: dict[str, str]) -> None:
    """Names and values survive their escapes."""
    folders = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in columns.items()]
    assert partitions_of(Path("logs", *folders, "part=0.csv")) == columns


def test_a_missing_value_is_none_and_other_folders_are_nothing() -> None:
    """Hive writes a name for null; a folder without an equals sign is no column."""
    assert partitions_of(Path("/a/=b/dt=__HIVE_DEFAULT_PARTITION__/x/hour=7/p.csv")) == {"dt": None, "hour": "7"}
