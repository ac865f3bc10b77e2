"""The click log and the held-out log of the invented shop, drawn block by block.

A tenth of all query texts, told by their hash, is held out: the click log leaves those queries out, the later log
consists mostly of them. So no block has to know what another one holds.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.ingest.shop import Floats, Ints, build_shop, generator
from recsys.ingest.shop_items import item_ids
from recsys.ingest.shop_queries import build_phrases
from recsys.ingest.shop_sessions import Bools, Events, Needs, Visitors, later_needs, popular_needs

BLOCK_CLICKS = 50_000
"Clicks drawn from one generator; part of what a seed means, so not a setting."
OPENED: Final = np.datetime64("2025-03-01T00:00:00", "s")
LOG_SECONDS = 28 * 86_400
TEST_SECONDS = 7 * 86_400
HELD_OUT_ONE_IN = 10
KNOWN_ONE_IN = 30
"Of the query texts that are not held out, the part that may occur in the held-out log."
_LOG_STREAM, _TEST_STREAM = 2, 3


class ShopLog:
    """Logs of one shop; tables have the string columns query_text, item_id, session_id and timestamp (ISO 8601, UTC).

    Args:
        clicks: Size of the click log; the shop's size follows from it.
        seed: Seed of every draw.
    """

    def __init__(self, clicks: int, seed: int) -> None:
        self.clicks = clicks
        self.seed = seed
        self.shop = build_shop(clicks, seed)
        self.phrases = build_phrases(self.shop, seed)
        self._visitors = Visitors(self.shop, self.phrases)
        self._item_ids = item_ids(self.shop.number)

    @property
    def blocks(self) -> int:
        """Number of blocks of the click log."""
        return -(-self.clicks // BLOCK_CLICKS)

    @property
    def test_clicks(self) -> int:
        """Size of the held-out log: a fifteenth of the click log, 20 to 20,000."""
        return min(max(self.clicks // 15, 20), 20_000)

    def block(self, number: int) -> Any:
        """Return block ``number`` of the click log, a table in time order that depends on no other block.

        Only the last sessions of a block may reach into the time of the next.
        """
        first = number * BLOCK_CLICKS
        wanted = min(BLOCK_CLICKS, self.clicks - first)
        rng = generator(self.seed, _LOG_STREAM, number)
        events = self._collect(rng, wanted, popular_needs(self.shop), is_test=False)
        begin, length = (LOG_SECONDS * n / self.clicks for n in (first, wanted))
        return self._table(events, f"s{number:04d}-", begin, length, rng)

    def test(self) -> Any:
        """Return the held-out log: the week after the click log, with new items and rarer needs."""
        rng = generator(self.seed, _TEST_STREAM)
        events = self._collect(rng, self.test_clicks, later_needs(self.shop), is_test=True)
        return self._table(events, "t", LOG_SECONDS, TEST_SECONDS, rng)

    def _collect(self, rng: np.random.Generator, wanted: int, needs: Needs, *, is_test: bool) -> Events:
        """Draw sessions until there are ``wanted`` clicks on queries that belong to this log."""
        sessions = BLOCK_CLICKS // 2
        parts: list[Events] = []
        for wave in count():
            drawn = self._visitors.draw(rng, sessions, needs)
            drawn = Events(drawn.session + wave * sessions, drawn.phrases, drawn.item)
            parts.append(drawn.keep(belongs(self.phrases.hash(drawn.phrases), is_test=is_test)))
            if sum(len(part.item) for part in parts) >= wanted:
                break
        return Events.join(parts).keep(slice(wanted))

    def _table(self, events: Events, prefix: str, begin: float, length: float, rng: np.random.Generator) -> Any:
        numbers, place = np.unique(events.session, return_inverse=True)
        starts = np.sort(begin + length * rng.random(len(numbers)))
        seconds = _by_day(starts)[place].astype(np.int64) + _since_start(place, rng)
        order = np.argsort(seconds, kind="stable")
        sessions = pa.array(np.char.mod(f"{prefix}%05d", np.arange(len(numbers))))
        return pa.table(
            {
                "query_text": self.phrases.write(events.phrases[order]),
                "item_id": self._item_ids.take(pa.array(events.item[order])),
                "session_id": sessions.take(pa.array(place[order])),
                "timestamp": pc.strftime(pa.array(OPENED + seconds[order]), format="%Y-%m-%dT%H:%M:%SZ"),
            }
        )


def belongs(hashes: npt.NDArray[np.uint64], *, is_test: bool) -> Bools:
    """Tell by its hash whether a query may occur in the click log or, with ``is_test``, in the held-out log."""
    rest, part = np.divmod(hashes, np.uint64(HELD_OUT_ONE_IN))
    allowed: Bools = (part == 0) | (rest % np.uint64(KNOWN_ONE_IN) == 0) if is_test else part != 0
    return allowed


def _by_day(seconds: Floats) -> Floats:
    """Move evenly spread times so that noon is busy and the night quiet; keeps their order."""
    moved: Floats = seconds + 10_000 * np.sin(2 * np.pi * seconds / 86_400)
    return moved


def _since_start(session: Ints, rng: np.random.Generator) -> Ints:
    """Draw the pauses within sessions; ``session`` is sorted."""
    passed = np.cumsum(rng.integers(5, 120, len(session)))
    opens = np.append(True, session[1:] != session[:-1])
    return passed - np.maximum.accumulate(np.where(opens, passed, 0))
