"""Rows of an answer as data frames, with the numbers of its document."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable

import polars
import pyarrow
import pytest

import rung

Sim = Callable[..., bytes]


@pytest.fixture(scope="module")
def sweep(file: str) -> rung.Sweep:
    vary: dict[str, list[object]] = {
        "load.users": [1, 2],
        "service.concurrency": ["async", "blocking"],
    }
    return rung.scenario(file).sweep(vary, keep="p99 < 1s", replications=2)  # type: ignore[arg-type]


def test_points_are_those_of_the_programs_table(sweep: rung.Sweep, file: str, sim: Sim) -> None:
    vary = ["--vary", "load.users=1,2", "--vary", "service.concurrency=async,blocking"]
    words = ["sweep", file, *vary, "--keep", "p99 < 1s", "--replications", "2", "--format", "csv"]
    expected = list(csv.DictReader(io.StringIO(sim(*words).decode())))
    found = sweep.to_pandas().to_dict("records")
    assert len(found) == len(expected) == 4
    same = set(expected[0]) & set(found[0])
    assert same >= {"load.users", "service.concurrency", "throughput_low", "p99_high", "cpu"}
    assert "keep p99 < 1s" in same
    for row, other in zip(found, expected, strict=True):
        for name in same:
            value = row[name]
            match value:
                case bool():
                    assert other[name] == str(value).lower()
                case None:
                    assert other[name] == ""
                case int() | float():
                    assert float(other[name]) == value
                case _:
                    assert other[name] == value


def test_all_three_libraries_get_the_same(sweep: rung.Sweep) -> None:
    frame, table = sweep.to_polars(), sweep.to_arrow()
    assert frame.equals(polars.from_pandas(sweep.to_pandas()))
    assert frame.equals(polars.DataFrame(polars.from_arrow(table)))
    assert frame.schema["load.users"] == polars.Int64
    assert frame.schema["service.concurrency"] == polars.String
    assert table.schema.field("throughput").type == pyarrow.float64()
    assert table.schema.field("falls_behind").type == pyarrow.bool_()


def test_each_answer_has_rows_of_its_own(shop: rung.Scenario) -> None:
    report = shop.predict(replications=2, over_time=True)
    assert report.to_pandas()["name"].tolist() == ["cart", "pay"]
    assert report.to_polars("stations")["utilisation"].to_list() == [
        station.utilisation for station in report.stations
    ]
    intervals = report.table("over_time.intervals").columns
    assert list(intervals)[:2] == ["from", "to"]
    assert shop.ladder(replications=2).to_pandas()["name"].tolist() == ["shop", "shop-async"]
    size = shop.set({"cpu.speed": 0.05}).size(keep="p90 < 1s")
    assert {"load", "kept", "keep p90 < 1s"} <= set(size.to_polars().columns)
    choice = shop.choose({"service.workers": [1, 2]}, keep="p90 < 5s", users=2)
    assert choice.to_polars()["service.workers"].to_list()[0] == 1


def test_rows_that_are_not_there(shop: rung.Scenario) -> None:
    report = shop.predict(replications=2)
    for part in ("station", "over_time.intervals", "scenario", ""):
        with pytest.raises(rung.RungError, match=f"has no rows that are called `{part}`") as told:
            report.to_pandas(part)
        assert "`classes`, " in (told.value.problems[0].allowed or "")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_library_that_is_not_installed(
    sweep: rung.Sweep, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    extra = "arrow" if library == "pyarrow" else library
    with pytest.raises(rung.RungError, match=rf"{library}: is not installed\n.*rung\[{extra}\]"):
        getattr(sweep, f"to_{extra}")()
