"""caelum.h as ctypes needs it: its structures, enums and functions, read from the header itself.

Nothing of it is written down a second time, so nothing can differ. This understands the C of that one header, whose
declarations have a few plain forms, and refuses any other. A struct becomes a ctypes.Structure and, for what the
library finds out, a class of plain values that has the header's comments as its documentation."""
from __future__ import annotations

import ctypes as c
import os
import re
import textwrap
from typing import Any

COMMENT = r"/\*(?:[^*]|\*(?!/))*\*/"
ENUM = re.compile(r"enum (\w+ )?\{([^}]*)\};")
STRUCT = re.compile(rf"((?:{COMMENT}\n)?)struct (\w+) \{{\n((?:{COMMENT}|[^}}/])*)\}};")
MEMBER = re.compile(rf"((?:\s*{COMMENT}\s*)*)([^;/]+);[ \t]*({COMMENT})?")
CALLBACK = re.compile(r"(\w+) \(\*(\w+)\)\((.*)\)")
VALUE = re.compile(r"(?:struct |enum )?(\w+) ?([* ]*)(\w*)((?:\[\w*\])*)")


class Enum(c.c_int):
    """A value of an enum; `word` is what caelum's options call it, or its name in small letters: "colorize"."""
    words: dict[int, str]

    @property
    def word(self) -> str:
        return self.words[self.value]


class Record:
    """Values by name that a call found out; vars() makes a dict of it."""

    def __init__(self, **values: Any):
        vars(self).update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no '{name}'; it has: {', '.join(vars(self))}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def plain(value: Any) -> Any:
    """A value of a structure as Python has it, which outlives what the library has of it."""
    if isinstance(value, c.Structure):
        return value.record(**{name: plain(getattr(value, name)) for name, _ in value._fields_})  # type: ignore
    if isinstance(value, c.Array):
        return os.fsdecode(value.value) if value._type_ is c.c_char else [plain(item) for item in value]
    if isinstance(value, c._Pointer):
        return plain(value.contents) if value else None
    if isinstance(value, Enum):
        return value.word
    return os.fsdecode(value) if isinstance(value, bytes) else value


def words(comments: str) -> str:
    """What comments say, in one line."""
    return " ".join(re.sub(r"/\*|\*/|\n *\*", " ", comments).split())


class Header:
    """What a header declares, by the names it has there."""

    def __init__(self, text: str):
        self.constants: dict[str, Any] = dict(re.findall(r'^#define (\w+) "?([^"\s]+)', text, re.M))
        self.functions: dict[str, tuple[Any, list[Any]]] = {}
        self.types: dict[str, Any] = {
            "void": None, "int": c.c_int, "bool": c.c_bool, "char": c.c_char, "size_t": c.c_size_t,
            "ptrdiff_t": c.c_ssize_t, "uint8_t": c.c_uint8, "uint16_t": c.c_uint16, "uint32_t": c.c_uint32,
            "uint64_t": c.c_uint64, "float": c.c_float, "double": c.c_double}
        text = re.sub(r"^#.*\n", "", text.partition('extern "C" {\n')[2], flags=re.M)
        for name, body in ENUM.findall(text):
            self.enum(name.strip(), re.sub(COMMENT, "", body))
        text = re.sub(r"typedef (int \(\*\w+\)\([^)]*\));", self.callback, text)
        text = STRUCT.sub(self.struct, ENUM.sub("", text))
        for declaration in re.sub(COMMENT, "", text).partition("}\n")[0].split(";"):
            self.function(" ".join(declaration.split()))

    def enum(self, name: str, body: str) -> None:
        names, value = {}, -1
        for item in filter(None, (item.strip() for item in body.split(","))):
            key, _, given = item.partition(" = ")
            value = int(given) if given else value + 1
            self.constants[key], names[value] = value, key.replace("CAELUM_", "").lower()
        self.types[name] = type(name, (Enum,), {"words": names})

    def callback(self, match: re.Match[str]) -> str:
        name, kind = self.value(" ".join(match[1].split()))
        self.types[name] = kind
        return ""

    def struct(self, match: re.Match[str]) -> str:
        comment, name, body = match.groups()
        fields, lines = [], [textwrap.fill(words(comment), 100), ""]
        for before, declaration, behind in MEMBER.findall(body):
            first, *more = re.split(r", ?(?![^(]*\))", " ".join(declaration.split()))
            base = re.match(r"(?:const )?(?:struct |enum )?\w+ ", first)
            members = [self.value(text) for text in [first, *(base[0] + text for text in more)]]  # type: ignore
            fields += members
            about = ", ".join(name for name, _ in members) + ": " + words(before + behind)
            lines.append(textwrap.fill(about.rstrip(": "), 100, initial_indent=" " * 4, subsequent_indent=" " * 8))
        record = type(self.python_name(name), (Record,), {"__doc__": "\n".join(lines)})
        self.types[name] = type(name, (c.Structure,), {"_fields_": fields, "record": record})
        return ""

    def value(self, text: str) -> tuple[str, Any]:
        """Name and type of `const float *data`, `size_t dim[4]`, `int (*progress)(void *cookie)`."""
        text = text.replace("const ", "")
        callback, plainly = CALLBACK.fullmatch(text), VALUE.fullmatch(text)
        if callback:
            return callback[2], c.CFUNCTYPE(self.types[callback[1]], *self.parameters(callback[3]))
        if not plainly:
            raise ValueError(f"caelum.h: a declaration of unknown form: {text}")
        kind: Any = self.types.get(plainly[1])
        stars = plainly[2].count("*")
        if stars and kind is c.c_char:
            kind = c.c_char_p if stars == 1 else c.POINTER(c.c_char_p)
        elif stars:  # an array's memory, a handle: only structures are looked into
            inside = stars == 1 and isinstance(kind, type) and issubclass(kind, c.Structure)
            kind = c.POINTER(kind) if inside else c.c_void_p
        elif plainly[1] not in self.types:
            raise ValueError(f"caelum.h: a type that is unknown here: {text}")
        for size in reversed(re.findall(r"\[(\w+)\]", plainly[4])):
            kind = kind * int(self.constants.get(size, size))
        return plainly[3], kind

    def parameters(self, text: str) -> list[Any]:
        return [] if text == "void" else [self.value(parameter)[1] for parameter in text.split(", ")]

    def function(self, declaration: str) -> None:
        match = re.fullmatch(r"([^()]*)\((.*)\)", declaration)
        if match:
            name, kind = self.value(match[1])
            self.functions[name] = kind, self.parameters(match[2])

    @staticmethod
    def python_name(name: str) -> str:
        """NetInfo for caelum_net_info."""
        return "".join(word.capitalize() for word in name.split("_")[1:])
