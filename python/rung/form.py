"""Between JSON documents and the dataclasses of their schemas.

The programs and the dataclasses are of one version and are installed together, so documents are
taken as they are and not checked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

T = TypeVar("T")

_converter = Converter(detailed_validation=False, omit_if_default=True)


def read(kind: type[T], document: object) -> T:
    """The dataclass of a document."""
    return _converter.structure(document, kind)


def write(answer: object) -> dict[str, Any]:
    """The document of a dataclass."""
    return cast(dict[str, Any], _converter.unstructure(answer))


def _options(kind: type) -> dict[str, Any]:
    """Fields whose names in JSON are words of Python, such as ``from``."""
    return {
        field.name: override(rename=field.metadata["json"])
        for field in fields(kind)
        if "json" in field.metadata
    }


def _structure(kind: type) -> Callable[[Any, Any], Any]:
    return make_dict_structure_fn(kind, _converter, **_options(kind))


def _unstructure(kind: type) -> Callable[[Any], Any]:
    options = _options(kind)
    return make_dict_unstructure_fn(kind, _converter, _cattrs_omit_if_default=True, **options)


def _is_word_or_object(kind: Any) -> bool:
    parts = get_args(kind)
    return any(map(is_dataclass, parts)) and any(get_origin(part) is Literal for part in parts)


def _word_or_object(value: Any, kind: Any) -> Any:
    if isinstance(value, str):
        return value
    (of_object,) = filter(is_dataclass, get_args(kind))
    return _converter.structure(value, cast(type, of_object))


_converter.register_structure_hook_factory(is_dataclass, _structure)
_converter.register_unstructure_hook_factory(is_dataclass, _unstructure)
_converter.register_structure_hook_func(_is_word_or_object, _word_or_object)
