"""The notebook of the documentation runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "slow-partner.ipynb"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The code cells that were run, by their text."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    folder = str(tmp_path_factory.mktemp("notebook"))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    return {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def _shown(cells: dict[str, Any], ending: str, kind: str) -> str:
    (outputs,) = (outputs for source, outputs in cells.items() if source.endswith(ending))
    return "".join(output.get("data", {}).get(kind, output.get("text", "")) for output in outputs)


def test_answers_show_themselves_with_pictures(cells: dict[str, Any]) -> None:
    for ending in ("\nreport", "sweep"):
        page = _shown(cells, ending, "text/html")
        assert page.startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
        assert page.count("&lt;svg") > 3


def test_frames_and_words(cells: dict[str, Any]) -> None:
    assert "upstream.partner.max_in_flight" in _shown(cells, "round(3)", "text/html")
    assert "The limit is upstream.partner.max_in_flight" in _shown(cells, "sentence)", "")
    assert "did you mean `workers`?" in _shown(cells, "print(error)", "")
    assert "Holds " in _shown(cells, "print(size)", "")
