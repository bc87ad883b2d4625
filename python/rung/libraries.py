"""Libraries that are not needed by all, and so are not installed with the package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rung.errors import RungError

EXTRAS = {"pyarrow": "arrow", "distributed": "dask"}
"""Extras of the package that are not called like the library."""


def library(name: str) -> Any:
    """The library of this name.

    Raises:
        RungError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        extra = EXTRAS.get(name, name)
        raise RungError.because(
            name, "is not installed", advice=f"run `pip install 'rung[{extra}]'`"
        ) from error
