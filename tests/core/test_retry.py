"""The one retry policy."""

from __future__ import annotations

import pytest

from recsys.core.retry import retry


class Flaky:
    """Fails a number of times, then succeeds."""

    def __init__(self, failures: int, error: type[Exception] = ConnectionError) -> None:
        self.failures = failures
        self.error = error
        self.calls = 0

    def __call__(self) -> str:
        """Fail or succeed."""
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"attempt {self.calls}")
        return "done"


def passing(error: Exception) -> bool:
    """Lost connections may pass."""
    return isinstance(error, ConnectionError)


@pytest.mark.parametrize("failures", [0, 1, 9])
def test_what_passes_is_tried_again(failures: int):
    """The action is called until it succeeds and not once more, and its result comes back."""
    action = Flaky(failures)
    assert retry(action, when=passing) == "done"
    assert action.calls == failures + 1


def test_what_does_not_pass_is_raised_at_once():
    """Any other error ends it after one call."""
    action = Flaky(1, KeyError)
    with pytest.raises(KeyError, match="attempt 1"):
        retry(action, when=passing)
    assert action.calls == 1


def test_the_last_error_is_raised_when_patience_ends():
    """A service that stays away is given up with what it said last."""
    with pytest.raises(ConnectionError, match="attempt 10"):
        retry(Flaky(99), when=passing)
