"""Whether a prediction holds, and what to do about it."""

from __future__ import annotations

import pytest

import rung


def test_a_verdict_has_the_numbers(shop: rung.Scenario) -> None:
    kept = shop.holds("p99 < 1h", "errors < 100%", replications=2)
    assert kept and len(kept.objectives) == 2
    broken = shop.holds("p99 < 1h", "endpoint:pay.p90 < 1us", replications=2)
    assert not broken
    assert broken.lines().splitlines()[0].startswith("p99 < 3600s is kept: ")
    assert "endpoint:pay.p90 < 1us is broken: " in repr(broken)


@pytest.mark.parametrize(
    ("objectives", "goal"),
    [
        (["throughput > 1/s", "p95 < 1us"], "p95"),
        (["endpoint:pay.p90 < 1us"], "endpoint:pay.p90"),
        (["throughput > 100000/s"], "throughput"),
        # Changes cannot be judged by this number: the program decides.
        (["in_flight < 0.001"], None),
    ],
)
def test_changes_are_to_improve_what_is_broken(
    shop: rung.Scenario, objectives: list[str], goal: str | None
) -> None:
    explanation = shop.holds(*objectives, replications=2).explanation
    expected = shop.explain(keep=objectives, goal=goal, replications=2)
    assert explanation.json() == expected.json()


def test_nothing_to_hold_is_no_success(shop: rung.Scenario) -> None:
    with pytest.raises(rung.RungError, match="has no objective, and none was named"):
        shop.holds(replications=2)
