"""The shared library: where it is, its functions, and its errors as exceptions."""
from __future__ import annotations

import ctypes as c
import functools
import os
from pathlib import Path
from typing import Any, Callable, Optional, Union

from .header import Enum, Header, Record, plain

HEADER = Header((Path(__file__).parent / "caelum.h").read_text())
PathLike = Union[str, "os.PathLike[str]"]


class Error(Exception):
    """What went wrong, where, what was expected, what to do. `code` is one of enum caelum_code."""
    code = -1


class UsageError(Error, ValueError):
    """An argument that is not valid: a setting out of range, an array of another type or shape."""
    code = -2


class FormatError(Error, ValueError):
    """Data, a model or a network's text that is damaged or not supported."""
    code = -3


class FileError(Error, OSError):
    """A file that is missing, exists already, or can't be read or written."""
    code = -4


class NetworkError(Error, ConnectionError):
    """A download that failed: no connection, or no server has the file."""
    code = -5


class DivergedError(Error, ArithmeticError):
    """Training that produced NaN, infinity or an exploding loss."""
    code = -6


class ResourceError(Error, MemoryError):
    """Too little memory, or no threads."""
    code = -7


class StoppedError(Error):
    """A callback asked to stop."""
    code = -8


KINDS = {kind.code: kind for kind in Error.__subclasses__()}


class Library:
    """caelum's functions without their prefix, as methods: model_load for caelum_model_load. Those whose last parameter
    is an error raise it instead."""

    def __init__(self, name: str):
        wanted = HEADER.constants["CAELUM_VERSION"]
        try:
            self._file = c.CDLL(name)
        except OSError as why:
            raise FileError(f"caelum's shared library can't be loaded: {why}; install caelum {wanted}, or name its "
                            "file in CAELUM_LIBRARY") from None
        for function, (kind, parameters) in HEADER.functions.items():
            try:
                setattr(self, function.replace("caelum_", "", 1), self._bound(function, kind, parameters))
            except AttributeError:
                raise FileError(f"{name}: {function} is missing: expected caelum {wanted}") from None
        for kind in HEADER.types.values():  # where the library has words for an enum, those count
            if isinstance(kind, type) and issubclass(kind, Enum) and (words := self._words(kind.__name__)):
                kind.words = dict(enumerate(words))
        found = self.version().decode()
        if found.split(".")[:2] != wanted.split(".")[:2]:
            raise FileError(f"{name}: caelum {found}, and this package is of {wanted}; both must be of one release")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def _bound(self, name: str, kind: Any, parameters: list[Any]) -> Callable[..., Any]:
        function = self._file[name]
        function.restype, function.argtypes = kind, parameters
        failure = HEADER.types["caelum_error"]
        if parameters[-1:] != [c.POINTER(failure)]:
            return function

        def checked(*arguments: Any) -> None:
            error = failure()
            code = function(*arguments, c.byref(error))
            if code != 0:
                exception = KINDS.get(code, Error)(os.fsdecode(error.text))
                exception.code = code
                raise exception
        return checked

    def _words(self, enum: str) -> list[str]:
        try:
            first = c.c_char_p.in_dll(self._file, enum + "_words")
        except ValueError:
            return []
        table, words = c.cast(c.byref(first), c.POINTER(c.c_char_p)), list[str]()
        while word := table[len(words)]:
            words.append(word.decode())
        return words

    def path(self) -> Path:
        """The library's own file."""
        class Symbol(c.Structure):  # Dl_info of dlfcn.h
            _fields_ = [("file", c.c_char_p), ("base", c.c_void_p), ("name", c.c_char_p), ("address", c.c_void_p)]
        symbol = Symbol()
        c.CDLL(None).dladdr(c.cast(self._file.caelum_version, c.c_void_p), c.byref(symbol))
        return Path(os.fsdecode(symbol.file)).resolve()


@functools.cache
def library() -> Library:
    """The library, loaded by the first call: the file that CAELUM_LIBRARY names, else the one that is installed."""
    major = HEADER.constants["CAELUM_VERSION"].split(".")[0]
    return Library(os.environ.get("CAELUM_LIBRARY") or f"libcaelum.so.{major}")


def record(name: str) -> type[Record]:
    """The class of what the library finds out in a struct."""
    kind: type[Record] = HEADER.types["caelum_" + name].record
    kind.__module__ = "caelum"
    return kind


def struct(name: str, /, **values: Any) -> Any:
    """A struct of caelum.h; where there is a function caelum_NAME_defaults, with its defaults in place."""
    made = getattr(library(), name.replace("settings", "defaults"), HEADER.types["caelum_" + name])()
    for key, value in values.items():
        if not hasattr(made, key):
            raise TypeError(f"{key!r} is no setting; there are: {', '.join(field for field, _ in made._fields_)}")
        kind = dict(made._fields_)[key]
        if issubclass(kind, Enum) and isinstance(value, str):
            value = value_of(kind, value)
        try:
            setattr(made, key, value)
        except (TypeError, ValueError) as why:
            raise UsageError(f"{key}: {why}, got {value!r}") from None
        if isinstance(value, (int, float)) and plain(getattr(made, key)) != value:  # ctypes cuts off what is too long
            raise UsageError(f"{key}: {value} is out of range")
    return made


def value_of(enum: type[Enum], word: str) -> Enum:
    """The value of an enum whose word it is."""
    for value, known in enum.words.items():
        if known == word:
            return enum(value)
    name = enum.__name__.replace("caelum_", "")
    raise UsageError(f"{name}: expected one of {', '.join(enum.words.values())}; got {word!r}")


def fspath(path: Optional[PathLike]) -> Optional[bytes]:
    """A path as the library takes it; None stays None."""
    if path is None:
        return None
    name = os.fsencode(path)
    if b"\0" in name:
        raise UsageError(f"a path has a zero byte in it: {path!r}")
    return name


def shipped(name: PathLike) -> PathLike:
    """A path; or for the name of a model that comes with caelum, "colorize", the place where it is."""
    if os.path.exists(name) or os.sep in os.fspath(name):
        return name
    own, above = os.environ.get("CAELUM_MODELS"), list(library().path().parents)[1:3]
    places = [Path(own)] if own else [up / "share/caelum/models" for up in above] + [above[0] / "models"]
    return next((file for place in places if (file := place / f"{name}.safetensors").is_file()), name)
