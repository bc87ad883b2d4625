"""Writes `rung/schema.py`: dataclasses of the schemas that `sim schema` publishes.

    RUNG_BIN=target/debug python python/schema/generate.py

A test compares the file with what this would write.
"""

from __future__ import annotations

import json
import keyword
import os
import subprocess
import textwrap
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "rung" / "schema.py"

ANSWERS = {
    "report": "classes",
    "explanation": "knobs",
    "ladder": "rungs",
    "size": "levels",
    "choice": "tried",
    "sweep": "points",
}
"""Documents of `sim schema`, and the rows that a data frame has unless others are asked for."""

EXTENDS = {"Explanation": "Report", "Rung": "Report", "Attempt": "Level", "Nearest": "Attempt"}
"""Documents that have all fields of another one, and more."""

PLAIN = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"}

NOTHING = {
    "tuple[": "()",
    "dict[": "field(default_factory=dict)",
    "str": '""',
    "bool": "False",
    "int": "0",
    "float": "0.0",
}
"""What a field means that is left out, by the beginning of its type."""

HEAD = '''"""Answers as dataclasses of published schemas, made by `python/schema/generate.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rung.answer import Answer
'''

Schema = dict[str, Any]


class Module:
    """The text of the module, in the order in which its types need each other."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self.rows: dict[str, str] = {}
        self.parts: dict[str, str] = {}

    def add(self, document: str, root: Schema) -> None:
        """Takes up a document and all that it consists of."""
        title = root["title"]
        self.rows[title] = ANSWERS[document]
        own = {key: value for key, value in root.items() if key != "$defs"}
        for name, schema in {**root.get("$defs", {}), title: own}.items():
            schema = _without_root(schema, title)
            if self.schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two documents mean different things by {name}")

    def text(self) -> str:
        """The module."""
        for name in self.schemas:
            self.write(name)
        return HEAD + "".join(f"\n\n{part}" for part in self.parts.values())

    def write(self, name: str) -> None:
        """Writes a type, after those that stand in for it or are its base."""
        if name in self.parts:
            return
        schema = self.schemas[name]
        if "properties" in schema:
            if name in EXTENDS:
                self.write(EXTENDS[name])
            self.parts[name] = self.dataclass(name, schema)
        else:
            self.parts[name] = self.choice(name, schema)

    def dataclass(self, name: str, schema: Schema) -> str:
        """A dataclass; a whole document is an answer, too."""
        base = EXTENDS.get(name)
        inherited = self.schemas[base]["properties"] if base else {}
        properties: dict[str, Schema] = schema["properties"]
        for key, inner in inherited.items():
            if properties.get(key) != inner:
                raise ValueError(f"{name} has not all fields of {base}: {key}")
        rows = f'rows="{self.rows[name]}"' if name in self.rows else ""
        bases = base or ("Answer" if rows else "")
        arguments = ", ".join(part for part in [bases, rows] if part)
        # An answer has words of its own for itself.
        shown = ", repr=False" if name in self.rows or base == "Report" else ""
        lines = [
            f"@dataclass(frozen=True, kw_only=True{shown})",
            f"class {name}({arguments}):" if arguments else f"class {name}:",
            _doc(schema["description"]),
        ]
        required = schema.get("required", [])
        # A schema has its properties by the alphabet, and what is required as it was declared.
        for key in dict.fromkeys([*required, *properties]):
            if key not in inherited:
                lines += ["", *self.field(key, properties[key], key in required)]
        return "\n".join(lines) + "\n"

    def field(self, key: str, schema: Schema, required: bool) -> list[str]:
        """A field with its documentation."""
        name = f"{key}_" if keyword.iskeyword(key) else key
        kind = self.kind(schema)
        options = [] if name == key else [f'metadata={{"json": "{key}"}}']
        if required and options:
            return [f"    {name}: {kind} = field({options[0]})", _doc(schema["description"])]
        value = "" if required else f" = {_default(key, kind, schema)}"
        return [f"    {name}: {kind}{value}", _doc(schema["description"])]

    def kind(self, schema: Schema) -> str:
        """The type of a value."""
        if "$ref" in schema:
            return str(schema["$ref"]).rsplit("/", 1)[-1]
        if "const" in schema:
            return f"Literal[{json.dumps(schema['const'])}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(json.dumps, schema['enum']))}]"
        if "allOf" in schema:
            (only,) = schema["allOf"]
            return self.kind(only)
        if "anyOf" in schema:
            return " | ".join(self.kind(one) for one in schema["anyOf"])
        match schema["type"]:
            case [one, "null"]:
                return f"{self.kind({**schema, 'type': one})} | None"
            case "null":
                return "None"
            case "array":
                return f"tuple[{self.kind(schema['items'])}, ...]"
            case "object":
                return f"dict[str, {self.kind(schema['additionalProperties'])}]"
            case str(plain):
                return PLAIN[plain]
            case other:
                raise ValueError(f"a type without a meaning here: {other}")

    def choice(self, name: str, schema: Schema) -> str:
        """One of several words, or of objects with a single key."""
        before: list[str] = []
        kinds: list[str] = []
        words: list[str] = []
        for one in schema.get("oneOf", [schema]):
            if "properties" in one:
                (key,) = one["properties"]
                inner = {"description": one["description"], **one["properties"][key]}
                variant = f"{name}{key.title()}"
                before.append(self.dataclass(variant, {**one, "properties": {key: inner}}))
                kinds.append(variant)
            else:
                words += one.get("enum", [one.get("const")])
        if words:
            kinds.append(f"Literal[{', '.join(map(json.dumps, words))}]")
        union = " | ".join(kinds)
        alias = f"{name}: TypeAlias = {union}\n{_doc(schema['description'], 0)}\n"
        return "\n\n".join([*before, alias])


def _without_root(schema: Schema, title: str) -> Schema:
    """References to the whole document by its name."""
    text = json.dumps(schema).replace('"$ref": "#"', f'"$ref": "#/$defs/{title}"')
    without: Schema = json.loads(text)
    without.pop("$schema", None)
    without.pop("title", None)
    return without


def _default(key: str, kind: str, schema: Schema) -> str:
    """What a field means that is left out: the schema names it, unless it is nothing or zero."""
    if "default" in schema and schema["default"] not in ([], {}, None, False, 0, ""):
        default = schema["default"]
        if isinstance(default, dict):
            values = ", ".join(f"{name}={value!r}" for name, value in default.items())
            return f"field(\n        default_factory=lambda: {kind}({values})\n    )"
        return json.dumps(default)
    if kind.endswith("| None"):
        return "None"
    for start, nothing in NOTHING.items():
        if kind.startswith(start):
            return nothing
    raise ValueError(f"{key} may be left out, and nothing says what that means")


def _doc(text: str, indent: int = 4) -> str:
    """The documentation, as lines that are not too long."""
    words = " ".join(text.replace("\\", "\\\\").split())
    margin = " " * indent
    if len(words) <= 100 - indent - 6:
        return f'{margin}"""{words}"""'
    lines = textwrap.wrap(f'"""{words}', 100 - indent, break_long_words=False)
    return "\n".join(margin + line for line in [*lines, '"""'])


def generate() -> str:
    """The module as it should be."""
    module = Module()
    for document in ANSWERS:
        # The package itself cannot be imported before its dataclasses are there.
        sim = Path(os.environ["RUNG_BIN"], "sim")
        module.add(document, json.loads(subprocess.check_output([sim, "schema", document])))
    return module.text()


if __name__ == "__main__":
    TARGET.write_text(generate(), encoding="utf-8")
