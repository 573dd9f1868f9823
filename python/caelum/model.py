"""Models: networks with weights, at work on arrays and pictures."""
from __future__ import annotations

import contextlib
import ctypes as c
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from .header import Record, plain
from .library import PathLike, UsageError, fspath, library, shipped, struct
from .pictures import Picture, found, given, like, made, pixels

Hint = tuple[int, int, tuple[int, int, int]]


@dataclass(frozen=True)
class Code:
    """A picture of some size as the bytes that Model.encode makes of it."""
    width: int
    height: int
    bytes: bytes


class Model:
    """A network with weights.

    Any number of threads may use one model; calls run without Python's lock. Pictures are arrays, uint8 [height, width,
    3] or grey [height, width], PIL's pictures, or files' names; a PIL picture gives one, all others an array.

    Attributes:
        info: the network: channels, height and width of its input, parameters, macs, latent, ... (caelum.NetInfo)
        layers: a caelum.LayerInfo for each of its layers: text, channels, height, width, parameters, ...
        latent: the number of layers up to its code, for run(); None where none is marked
        network: its text
        task: what it is for: "reconstruct", "colorize" or "classify"
    """

    def __init__(self, path: PathLike, *, network: Optional[PathLike] = None, height: int = 32, width: int = 32,
                 order: Optional[str] = None):
        """Loads a model of caelum's, a run directory's best one, or, by the ending, another program's file.

        path may also be the name of a model that comes with caelum: "standard", "best", "colorize", ...
        network, height, width, order: for files that hold weights alone, the file of the network's text, the size
        of its pictures and the order of its parts; as for `caelum import`.
        """
        handle, own = c.c_void_p(), fspath(shipped(path)) or b""
        if network is None and not own.endswith((b".onnx", b".npz")):
            library().model_load(c.byref(handle), own)
        else:
            settings = struct("import_settings", net_path=fspath(network), height=height, width=width,
                              order=None if order is None else order.encode())
            library().model_import(c.byref(handle), own, c.byref(settings))
        self._open(handle)

    @classmethod
    def load(cls, path: PathLike, **settings: Any) -> Model:
        """The same as Model(path, ...)."""
        return cls(path, **settings)

    @classmethod
    def create(cls, network: str, height: int = 32, width: int = 32, seed: int = 1) -> Model:
        """A model of a network's text, with initial weights, for pictures of height x width."""
        net, handle = c.c_void_p(), c.c_void_p()
        library().net_parse(c.byref(net), network.encode(), b"network", height, width)
        try:
            library().model_create(c.byref(handle), net, seed)
        finally:
            library().net_close(c.byref(net))
        return cls._of(handle)

    @classmethod
    def _of(cls, handle: c.c_void_p) -> Model:
        """The model of a handle, which is taken."""
        model = cls.__new__(cls)
        model._open(handle)
        return model

    def _open(self, handle: c.c_void_p) -> None:
        self._model, self._close = handle, library().model_close
        net = c.c_void_p(library().model_net(handle))
        info, layer = struct("net_info"), struct("layer_info")
        library().net_describe(net, c.byref(info))
        self.info: Record = plain(info)
        self.layers: list[Record] = []
        for i in range(self.info.layers):
            library().net_layer(net, i, c.byref(layer))
            self.layers.append(plain(layer))
        self.latent: Optional[int] = next((i for i, layer in enumerate(self.layers, 1) if layer.latent), None)
        self.network: str = library().net_text(net).decode()
        self.task: str = library().net_task(net).word

    def __del__(self) -> None:
        if getattr(self, "_model", None):
            self._close(c.byref(self._model))

    def __repr__(self) -> str:
        info = self.info
        return (f"<caelum.Model: {self.task}, input {info.channels} x {info.height} x {info.width}, "
                f"{info.parameters:,} parameters>")

    def save(self, path: PathLike, half: bool = False) -> None:
        """Writes the model in the format that the path ends in, .safetensors, .onnx or .npz, whole or not at all.
        half: its weights are rounded to half precision first."""
        if half:
            library().model_round_half(self._model)
        library().model_export(self._model, fspath(path))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The weights by name, "conv1.weight", in PyTorch's order; they share the model's memory, and are not to be
        written: set_array does that."""
        arrays: dict[str, np.ndarray] = {}
        tensor = struct("tensor")
        while library().model_tensor(self._model, len(arrays), c.byref(tensor)):
            shape = tuple(tensor.dim[:tensor.dims])
            memory: Any = (c.c_float * int(np.prod(shape))).from_address(tensor.data)
            memory.model = self  # every array and view of it holds on to `memory`, and so to the model
            array = np.ctypeslib.as_array(memory).reshape(shape)
            array.flags.writeable = False
            arrays[tensor.name.decode()] = array
        return arrays

    def set_array(self, name: str, values: Any) -> None:
        """Replaces the array of that name; not while another thread runs the model."""
        old, new = self.arrays.get(name), np.ascontiguousarray(values, np.float32)
        if old is None:
            raise UsageError(f"no array is called {name!r}; there are: {', '.join(self.arrays)}")
        if new.shape != old.shape:
            raise UsageError(f"{name}: expected an array of shape {list(old.shape)}, got {list(new.shape)}")
        library().model_set_tensor(self._model, name.encode(), new.ctypes.data, new.size)

    @property
    def metadata(self) -> dict[str, str]:
        """What the model's file says of it: how it was trained, and how good it is."""
        values: dict[str, str] = {}
        while key := library().model_metadata_key(self._model, len(values)):
            values[os.fsdecode(key)] = os.fsdecode(library().model_metadata(self._model, key))
        return values

    def run(self, x: Any, layer: Optional[int] = None, threads: int = 0,
            out: Optional[np.ndarray] = None) -> np.ndarray:
        """Runs pictures of the network's size: float32 [n, channels, height, width] in, likewise out.

        Values are in [0, 1]; a colorizer's are luminance, or that and hints, in, and chroma out. layer: up to which of
        the network's layers, counted from 1; 0 is the input, model.latent the code. No copy is made of x if it is
        float32 and contiguous. out: where the result goes, an array of its shape.
        """
        info, layers = self.info, self.info.layers
        layer = layers if layer is None else layer
        if not 0 <= layer <= layers:
            raise UsageError(f"layer: expected 0 to {layers}, got {layer}")
        x, wanted = np.asarray(x), [info.channels, info.height, info.width]
        if x.dtype.kind != "f" or x.ndim != 4 or list(x.shape[1:]) != wanted:
            hint = "; divide by 255" if x.dtype == np.uint8 else ""
            raise UsageError("x: expected float32 [n, {}, {}, {}], got {}{}".format(*wanted, found(x), hint))
        x, row = np.ascontiguousarray(x, np.float32), self.layers[layer - 1] if layer else info
        shape = len(x), row.channels, row.height, row.width
        if out is None:
            out = np.empty(shape, np.float32)
        if (not isinstance(out, np.ndarray) or out.dtype != np.float32 or out.shape != shape or
                not out.flags.c_contiguous or not out.flags.writeable):
            raise UsageError(f"out: expected contiguous, writable float32 {list(shape)}, got {found(out)}")
        if layer == 0 or len(x) == 0:
            out[...] = x if layer == 0 else 0
            return out
        engine, settings = c.c_void_p(), struct("engine_settings", layer=layer, threads=threads)
        library().engine_open(c.byref(engine), self._model, c.byref(settings))
        try:
            library().engine_run(engine, x.ctypes.data, len(x), out.ctypes.data)
        finally:
            library().engine_close(c.byref(engine))
        return out

    def reconstruct(self, picture: Picture, threads: int = 0) -> Any:
        """A picture of any size through an autoencoder; the result has the same size."""
        array = pixels(picture)
        return like(picture, made(library().reconstruct, self._model, c.byref(given(array)), threads))

    def colorize(self, picture: Picture, vivid: float = 0.5, hints: Iterable[Hint] = (), restore: bool = False,
                 threads: int = 0) -> Any:
        """Colors a picture of any size, of which only luminance is looked at.

        vivid: from 0, the most likely colors, which are pale, to 1, as colorful as photographs are on average.
        hints: known colors, (x, y, (red, green, blue)). restore: a faded picture goes from black to white again.
        """
        array, marks = pixels(picture), []
        for x, y, color in hints:
            if not (0 <= x < array.shape[1] and 0 <= y < array.shape[0]):
                raise UsageError(f"hints: ({x}, {y}) is outside the picture, {array.shape[1]} x {array.shape[0]}")
            if len(color) != 3 or any(not 0 <= value <= 255 for value in color):
                raise UsageError(f"hints: expected (red, green, blue), each from 0 to 255, got {color}")
            marks.append(struct("hint", x=x, y=y, rgb=(c.c_uint8 * 3)(*color)))
        memory = (type(struct("hint")) * len(marks))(*marks)
        settings = struct("colorize_settings", vivid=vivid, hints=memory, hint_count=len(marks), restore=restore,
                          threads=threads)
        return like(picture, made(lambda out: library().colorize(self._model, c.byref(given(array)), c.byref(settings),
                                                                 out)))

    def denoise(self, picture: Picture, sigma: Optional[float] = None, strength: float = 1.0, threads: int = 0) -> Any:
        """Takes the noise out of a picture of any size, or of an array of floats, of which 1 is white, or uint16,
        [height, width, 3] or [height, width]; gives the same type. Floats are neither clipped nor rounded.

        sigma: standard deviation of the noise, of 255 (of white, whatever the type); None: estimated.
        strength: share of the noise that is taken out, 0 to 1.
        """
        settings = struct("denoise_settings", sigma=-1 if sigma is None else sigma, strength=strength, threads=threads)
        if isinstance(picture, np.ndarray) and picture.dtype.kind == "f":
            return self._denoise(picture, settings)
        if isinstance(picture, np.ndarray) and picture.dtype == np.uint16:
            return np.round(self._denoise(picture / 65535, settings).clip(0, 1) * 65535).astype(np.uint16)
        array = pixels(picture)
        return like(picture, made(lambda out: library().denoise(self._model, c.byref(given(array)), c.byref(settings),
                                                                out, None)))

    def _denoise(self, values: np.ndarray, settings: Any) -> np.ndarray:
        grey = values.ndim == 2
        if not grey and (values.ndim != 3 or values.shape[2] != 3):
            raise UsageError(f"picture: expected [height, width, 3] or [height, width], got {list(values.shape)}")
        x = np.ascontiguousarray(np.repeat(values[..., None], 3, axis=2) if grey else values, np.float32)
        y = np.empty_like(x)
        library().denoise_values(self._model, x.ctypes.data_as(c.POINTER(c.c_float)), x.shape[1], x.shape[0],
                                 c.byref(settings), y.ctypes.data_as(c.POINTER(c.c_float)), None)
        return y[..., 0] if grey else y

    @contextlib.contextmanager
    def _codec(self, price: Optional[float] = None, threads: int = 0) -> Iterator[c.c_void_p]:
        codec = c.c_void_p()
        library().codec_open(c.byref(codec), self._model, threads)
        try:
            if price is not None:
                library().codec_set_price(codec, price)
            yield codec
        finally:
            library().codec_close(c.byref(codec))

    def encode(self, picture: Picture, price: Optional[float] = None, threads: int = 0) -> Code:
        """A picture of any size as bytes, by a model whose network has a `quantize` layer.

        price: of a bit in squared steps of error, 0 to 1: more means fewer bytes and larger errors; None: the model's.
        """
        array = pixels(picture)
        with self._codec(price, threads) as codec:
            return encoded(codec, array)

    def decode(self, code: Code, threads: int = 0) -> np.ndarray:
        """The picture of such a code."""
        with self._codec(threads=threads) as codec:
            return decoded(codec, struct("code_entry", width=code.width, height=code.height, size=len(code.bytes),
                                         bytes=c.cast(c.c_char_p(code.bytes), c.c_void_p)))


def encoded(codec: c.c_void_p, array: np.ndarray) -> Code:
    code, size = c.c_void_p(), c.c_size_t()
    library().codec_encode(codec, c.byref(given(array)), c.byref(code), c.byref(size))
    try:
        return Code(array.shape[1], array.shape[0], c.string_at(code, size.value) if size.value else b"")
    finally:
        library().codec_free(c.byref(code))


def decoded(codec: c.c_void_p, entry: Any) -> np.ndarray:
    return made(lambda out: library().codec_decode(codec, c.byref(entry), out))
