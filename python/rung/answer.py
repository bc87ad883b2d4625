"""What all answers have in common: their document, and how people see it."""

from __future__ import annotations

import json
import tempfile
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from rung import programs
from rung.form import read, write
from rung.tables import Table

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

HEIGHT = 720
"""Pixels of the page's frame in a notebook; its lower edge can be dragged."""


class Answer:
    """An answer of a program. Its fields are those of the JSON document, under the same names.

    ``print(answer)`` shows what the program prints; in a notebook the answer shows itself with
    pictures.
    """

    _rows: ClassVar[str] = ""

    def __init_subclass__(cls, *, rows: str = "") -> None:
        super().__init_subclass__()
        cls._rows = rows or cls._rows

    @classmethod
    def of_document(cls, document: bytes) -> Self:
        """The answer that a program has written as JSON, or that was saved so."""
        answer = read(cls, json.loads(document))
        # No field: a frozen dataclass may have it, and it plays no part in comparisons.
        object.__setattr__(answer, "_document", document)
        return answer

    def json(self) -> bytes:
        """The document: byte by byte what the program has written, where this is all of it."""
        document = self.__dict__.get("_document")
        if isinstance(document, bytes):
            return document
        # Part of another answer, such as one rung of a ladder.
        return json.dumps(write(self), indent=2, ensure_ascii=False).encode() + b"\n"

    def text(self) -> str:
        """What the program prints for people."""
        return self._shown("text")

    def markdown(self) -> str:
        """The same for a document."""
        return self._shown("markdown")

    def html(self) -> str:
        """A whole page with pictures, which needs no network."""
        return self._page

    def save(self, file: str | Path) -> None:
        """Writes the page with pictures, or the document if the file's name ends in .json."""
        path = Path(file)
        path.write_bytes(self.json() if path.suffix == ".json" else self.html().encode())

    def table(self, part: str | None = None) -> Table:
        """Rows of the answer, for a data frame.

        Args:
            part: which rows, such as ``"stations"`` or ``"over_time.intervals"``. Left out: the
                endpoints of a report, the rungs of a ladder, the points of a sweep, the loads or
                settings that were tried, the knobs of an explanation.
        """
        return Table.of(self, self._rows if part is None else part)

    def to_pandas(self, part: str | None = None) -> pandas.DataFrame:
        """`table` as a data frame of pandas."""
        return self.table(part).to_pandas()

    def to_polars(self, part: str | None = None) -> polars.DataFrame:
        """`table` as a data frame of Polars."""
        return self.table(part).to_polars()

    def to_arrow(self, part: str | None = None) -> pyarrow.Table:
        """`table` as a table of Arrow."""
        return self.table(part).to_arrow()

    def _shown(self, form: str) -> str:
        return programs.ask(["show", "--format", form, "-"], stdin=self.json()).decode()

    @cached_property
    def _page(self) -> str:
        with tempfile.TemporaryDirectory(prefix="rung-") as folder:
            page = Path(folder, "answer.html")
            programs.ask(["show", "--html", str(page), "-"], stdin=self.json())
            return page.read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        # A frame keeps the style of the page and that of the notebook apart.
        style = f"width: 100%; height: {HEIGHT}px; border: 0; resize: vertical"
        return f'<iframe srcdoc="{escape(self.html())}" style="{style}"></iframe>'

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'scenario', '')}: {self._headline()}>"

    def _headline(self) -> str:
        throughput = getattr(self, "throughput", None)
        if throughput is not None:
            low, high = f"{throughput.low:.4g}", f"{throughput.high:.4g}"
            return f"{throughput.value:.4g}/s ({low} to {high})"
        return f"{len(getattr(self, self._rows))} {self._rows}"
