"""Rows of an answer as columns, for data frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args, get_origin, get_type_hints

from rung.errors import RungError
from rung.libraries import library

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from rung.answer import Answer

Cell: TypeAlias = str | bool | int | float | None

KEPT = {"kept": True, "broken": False, "unknown": None}


@dataclass(frozen=True)
class Table:
    """Columns of equal length by their names. Times are in seconds, rates per second, shares
    between 0 and 1; an interval has the columns ``NAME``, ``NAME_low`` and ``NAME_high``.
    """

    columns: Mapping[str, Sequence[Cell]]

    @classmethod
    def of(cls, answer: Answer, part: str) -> Table:
        """The rows of the answer that are called so."""
        found: Any = answer
        for name in part.split("."):
            found = getattr(found, name, None)
        if not isinstance(found, tuple) or not all(is_dataclass(row) for row in found):
            raise RungError.because(
                repr(answer),
                f"has no rows that are called `{part}`",
                allowed=", ".join(f"`{name}`" for name in _parts(answer)),
            )
        return cls(_together([_row(answer, row) for row in found]))

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame of pandas."""
        return cast("pandas.DataFrame", library("pandas").DataFrame(dict(self.columns)))

    def to_polars(self) -> polars.DataFrame:
        """A data frame of Polars."""
        return cast("polars.DataFrame", library("polars").DataFrame(dict(self.columns)))

    def to_arrow(self) -> pyarrow.Table:
        """A table of Arrow."""
        return cast("pyarrow.Table", library("pyarrow").table(dict(self.columns)))


def _parts(answer: Answer) -> Iterator[str]:
    """Names of all rows that an answer has."""
    for field in fields(cast(Any, answer)):
        value = getattr(answer, field.name)
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            yield field.name
        elif field.name == "over_time" and value is not None:
            yield "over_time.intervals"


def _together(rows: Sequence[Mapping[str, Cell]]) -> dict[str, list[Cell]]:
    """Columns of rows that need not all have the same cells."""
    names = {name: None for row in rows for name in row}
    return {name: [row.get(name) for row in rows] for name in names}


def _row(answer: Any, row: Any) -> dict[str, Cell]:
    """The cells of a row: the values of keys that vary, its plain values, its objectives."""
    cells: dict[str, Cell] = {}
    axes = getattr(answer, "axes", getattr(answer, "keys", ()))
    for axis, value in zip(axes, getattr(row, "values", ()), strict=False):
        cells[axis.key] = _number(value) if all(map(_is_number, axis.values)) else value
    cells.update(_cells(type(row), row, ""))
    for judged in getattr(row, "objectives", ()):
        cells[f"keep {judged.objective}"] = KEPT[judged.state]
    return cells


def _cells(kind: type, row: Any, before: str) -> Iterator[tuple[str, Cell]]:
    """The plain values of a row by their names; lists stay in the document. Of a part that is not
    there, the cells are empty.
    """
    from rung.schema import Estimate

    for name, hint in _hints(kind).items():
        value = getattr(row, name, None)
        column = before + name.rstrip("_")
        if hint is Estimate:
            ends = {"value": column, "low": f"{column}_low", "high": f"{column}_high"}
            yield from ((ends[end], getattr(value, end, None)) for end in ends)
        elif is_dataclass(hint):
            yield from _cells(cast(type, hint), value, f"{column}_")
        elif isinstance(value, Mapping):
            yield from ((f"{column}_{key}", inner) for key, inner in value.items())
        elif not isinstance(value, tuple):
            yield column, value


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The types of the fields, without lists; of those that may be empty, what they are else."""
    hints = get_type_hints(kind)
    plain = {field.name: _without_none(hints[field.name]) for field in fields(kind)}
    return {name: hint for name, hint in plain.items() if get_origin(hint) is not tuple}


def _without_none(hint: Any) -> Any:
    parts = get_args(hint)
    return next(part for part in parts if part is not NoneType) if NoneType in parts else hint


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
