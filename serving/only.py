"""What may be recommended: conditions on the payload, and items that are left out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, Final, Literal, get_args

from qdrant_client import models

from recsys.core.errors import UsageError
from recsys.serving.spans import TIMES, Span

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
BOUNDS: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_COMPARE: Final = {"<": lt, "<=": le, ">": gt, ">=": ge}
TRUTH: Final = {"true": True, "false": False}
_SPELLING: Final = re.compile(
    r"\s*(?P<column>[^=<>!\"]+?)\s*(?P<operator><=|>=|!=|=|<|>)(?!=)\s*(?P<value>.+?)\s*", re.DOTALL
)
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


class BadConditionError(UsageError):
    """A filter that cannot be read."""

    def __init__(self, condition: str, reason: str) -> None:
        self.condition = condition
        super().__init__(
            f"{condition!r} is not a filter ({reason}); write a column, one of {' '.join(get_args(Operator))}, and a "
            "value, such as --filter 'category=shoes' --filter 'price<=20'"
        )


@dataclass(frozen=True)
class Condition:
    """One condition on a column of the items' payload; an item without the column fulfils ``!=`` alone.

    Attributes:
        column: Name in the payload.
        operator: How it compares; a column that holds a list equals each of its elements.
        value: With what. A text that spells a number or a truth value equals these too. Bounds are numbers. With times,
            ``first_seen`` and ``last_seen``, it is an ISO 8601 date, which is its whole day, or a moment.
    """

    column: str
    operator: Operator
    value: str | int | float | bool

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            BadConditionError: A bound is not a number, or a time is compared with something else than a time.
        """
        if self.column in TIMES:
            try:
                Span.parse(str(self.value))
            except ValueError:
                reason = f"{self.value!r} is no date such as 2026-01-31 and no moment such as 2026-01-31T08:00Z"
                raise BadConditionError(f"{self.column}{self.operator}{self.value}", reason) from None
        elif self.operator in BOUNDS and (isinstance(self.value, bool) or not isinstance(self.value, int | float)):
            raise BadConditionError(f"{self.column}{self.operator}{self.value}", f"{self.value!r} is not a number")

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read ``column=value``, ``price<=20`` and the like.

        Raises:
            BadConditionError: ``text`` is no such thing.
        """
        found = _SPELLING.fullmatch(text)
        if found is None:
            raise BadConditionError(text, "no column, operator and value")
        operator: Operator = found["operator"]  # type: ignore[assignment]  # the pattern allows nothing else
        number = _number(found["value"]) if operator in BOUNDS and found["column"] not in TIMES else None
        return cls(found["column"], operator, found["value"] if number is None else number)

    def as_condition(self) -> models.Condition:
        """Return it as Qdrant takes it."""
        key = payload_key(self.column)
        if self.column in TIMES:
            within = Span.parse(str(self.value)).as_range(self.operator)
            at: list[models.Condition] = [models.FieldCondition(key=key, range=within)]
            return models.Filter(must_not=at) if self.operator == "!=" else models.Filter(must=at)
        if self.operator in BOUNDS:
            number = models.Range.model_validate({BOUNDS[self.operator]: self.value})
            return models.FieldCondition(key=key, range=number)
        equal: list[models.Condition] = _equal(key, self.value)
        return models.Filter(should=equal) if self.operator == "=" else models.Filter(must_not=equal)

    def allows(self, payload: Mapping[str, Any]) -> bool:
        """Say whether an item with this payload fulfils it, as Qdrant would."""
        value = payload.get(self.column)
        values = value if isinstance(value, list) else [value]
        if self.column in TIMES:
            span = Span.parse(str(self.value))
            return any(span.holds(self.operator, one) for one in values) == (self.operator != "!=")
        if self.operator in BOUNDS:
            return any(_is_number(one) and _COMPARE[self.operator](one, self.value) for one in values)  # type: ignore[arg-type]  # both are numbers
        equal = any(_alike(one, meant) for one in values for meant in _meant(self.value))
        return equal == (self.operator == "=")


@dataclass(frozen=True)
class Only:
    """What may be recommended.

    Attributes:
        where: All of these hold for every hit.
        without: Ids of items that are left out, such as those already seen.
    """

    where: Sequence[Condition] = ()
    without: Sequence[str] = ()

    def as_filter(self) -> models.Filter | None:
        """Return it as Qdrant takes it; None where everything may be recommended."""
        if not self.where and not self.without:
            return None
        left_out = models.FieldCondition(key="id", match=models.MatchAny(any=list(self.without)))
        return models.Filter(
            must=[condition.as_condition() for condition in self.where] or None,
            must_not=[left_out] if self.without else None,
        )

    def allows(self, payload: Mapping[str, Any]) -> bool:
        """Say whether an item with this payload may be recommended."""
        return payload["id"] not in self.without and all(condition.allows(payload) for condition in self.where)


EVERYTHING: Final = Only()


def payload_key(column: str) -> str:
    """Return how Qdrant names a column of the payload: a dot in it would lead into nested values."""
    return column if _PLAIN_KEY.fullmatch(column) else f'"{column}"'


def _equal(key: str, value: str | float | bool) -> list[models.Condition]:
    return [_is(key, meant) for meant in _meant(value)]


def _meant(value: str | float | bool) -> list[str | float | bool]:
    meant = [value] if not isinstance(value, str) else [value, TRUTH.get(value.lower()), _number(value)]
    return [one for one in meant if one is not None]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _alike(value: object, meant: str | float | bool) -> bool:
    # Python takes True for 1
    return value == meant and isinstance(value, bool) == isinstance(meant, bool)


def _is(key: str, value: str | float | bool) -> models.FieldCondition:
    # Qdrant compares texts, whole numbers and truth values with an index of their own kind, fractions by range
    if isinstance(value, str | bool):
        return models.FieldCondition(key=key, match=models.MatchValue(value=value))
    return models.FieldCondition(key=key, range=models.Range(gte=value, lte=value))


def _number(text: str) -> int | float | None:
    try:
        number = int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
