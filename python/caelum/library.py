"""caelum from Python, by ctypes: arrays in and out without copies.

    import numpy as np, caelum
    model = caelum.Model("best.safetensors")
    out = model.run(pictures)             # float32 [n, channels, height, width], in [0, 1]
    code = model.run(pictures, layer=model.latent)
    colored = caelum.Model("colorize.safetensors").colorize(rgb)     # uint8 [height, width, 3]

It needs numpy and the installed library; CAELUM_LIBRARY names another one. One model may be used by several
threads, and runs without holding Python's lock.
"""

import ctypes as c
import os

import numpy as np

_lib = c.CDLL(os.environ.get("CAELUM_LIBRARY", "libcaelum.so.0"))


class Error(Exception):
    """What went wrong; `code` is an enum caelum_code."""


class _Error(c.Structure):
    _fields_ = [("code", c.c_int), ("text", c.c_char * 512)]


class _NetInfo(c.Structure):
    _fields_ = [(name, c.c_size_t) for name in
                ("channels", "height", "width", "layers", "parameters", "macs", "train_macs")] + [
        ("has_latent", c.c_bool), ("latent", c.c_size_t), ("formula", c.c_char * 160),
        ("bottleneck", c.c_size_t), ("bottleneck_layer", c.c_size_t)]


class _LayerInfo(c.Structure):
    _fields_ = [("text", c.c_char * 96)] + [(name, c.c_size_t) for name in (
        "channels", "height", "width", "parameters", "macs", "receptive", "jump", "cut")] + [("latent", c.c_bool)]


class _Tensor(c.Structure):
    _fields_ = [("name", c.c_char * 96), ("dims", c.c_size_t), ("dim", c.c_size_t * 4), ("data", c.POINTER(c.c_float))]


class _Picture(c.Structure):
    _fields_ = [("width", c.c_size_t), ("height", c.c_size_t), ("pixels", c.c_void_p), ("dpi_x", c.c_double),
                ("dpi_y", c.c_double)]


class _Hint(c.Structure):
    _fields_ = [("x", c.c_size_t), ("y", c.c_size_t), ("rgb", c.c_uint8 * 3)]


class _ColorizeSettings(c.Structure):
    _fields_ = [("vivid", c.c_double), ("hints", c.POINTER(_Hint)), ("hint_count", c.c_size_t), ("threads", c.c_int),
                ("restore", c.c_bool)]


class _EngineSettings(c.Structure):
    _fields_ = [("layer", c.c_size_t), ("threads", c.c_int)]


_lib.caelum_version.restype = c.c_char_p
_lib.caelum_model_net.restype = c.c_void_p
_lib.caelum_model_net.argtypes = [c.c_void_p]
_lib.caelum_model_tensor.restype = c.c_bool
_lib.caelum_model_tensor.argtypes = [c.c_void_p, c.c_size_t, c.POINTER(_Tensor)]
_lib.caelum_net_describe.argtypes = [c.c_void_p, c.POINTER(_NetInfo)]
_lib.caelum_net_layer.argtypes = [c.c_void_p, c.c_size_t, c.POINTER(_LayerInfo)]
_lib.caelum_colorize_defaults.restype = _ColorizeSettings
version = _lib.caelum_version().decode()


def _call(function, *arguments):
    err = _Error()
    if function(*arguments, c.byref(err)) != 0:
        error = Error(os.fsdecode(err.text))
        error.code = err.code
        raise error


class Model:
    """A network with weights, read from a file that caelum wrote."""

    def __init__(self, path):
        self._model = c.c_void_p()
        _call(_lib.caelum_model_load, c.byref(self._model), os.fsencode(path))
        self._net = c.c_void_p(_lib.caelum_model_net(self._model))
        self.info = _NetInfo()
        _lib.caelum_net_describe(self._net, c.byref(self.info))
        self.layers = [self._layer(i) for i in range(self.info.layers)]
        marked = [i + 1 for i, layer in enumerate(self.layers) if layer.latent]
        self.latent = marked[0] if marked else None

    def __del__(self):
        if getattr(self, "_model", None):
            _lib.caelum_model_close(c.byref(self._model))

    def _layer(self, i):
        layer = _LayerInfo()
        _lib.caelum_net_layer(self._net, i, c.byref(layer))
        return layer

    def weights(self):
        """Name -> array, which shares the model's memory and keeps it; not to be written."""
        arrays, tensor = {}, _Tensor()
        while _lib.caelum_model_tensor(self._model, len(arrays), c.byref(tensor)):
            shape = tuple(tensor.dim[:tensor.dims])
            memory = (c.c_float * int(np.prod(shape))).from_address(c.addressof(tensor.data.contents))
            memory.model = self  # every array and view of it holds on to `memory`, and so to the model
            array = np.ctypeslib.as_array(memory).reshape(shape)
            array.flags.writeable = False
            arrays[tensor.name.decode()] = array
        return arrays

    def run(self, pictures, layer=None, threads=0, out=None):
        """Runs float32 pictures [n, c, h, w] up to `layer` (its number in `caelum inspect`; None: to the end)."""
        layer = self.info.layers if layer is None else layer
        wanted = (self.info.channels, self.info.height, self.info.width)
        if pictures.dtype != np.float32 or not pictures.flags.c_contiguous or pictures.shape[1:] != wanted:
            raise ValueError(f"expected contiguous float32 [n, {wanted[0]}, {wanted[1]}, {wanted[2]}]")
        if layer:
            row = self.layers[layer - 1]
            wanted = (row.channels, row.height, row.width)
        shape = (len(pictures), *wanted)
        if out is None:
            out = np.empty(shape, np.float32)
        if out.dtype != np.float32 or not out.flags.c_contiguous or out.shape != shape:
            raise ValueError(f"out: expected contiguous float32 {list(shape)}")
        if layer == 0:
            out[...] = pictures
            return out
        engine = c.c_void_p()
        _call(_lib.caelum_engine_open, c.byref(engine), self._model, c.byref(_EngineSettings(layer, threads)))
        try:
            _call(_lib.caelum_engine_run, engine, c.c_void_p(pictures.ctypes.data), c.c_size_t(len(pictures)),
                  c.c_void_p(out.ctypes.data))
        finally:
            _lib.caelum_engine_close(c.byref(engine))
        return out

    def _picture(self, function, rgb, *arguments):
        if rgb.dtype != np.uint8 or not rgb.flags.c_contiguous or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise ValueError("expected contiguous uint8 [height, width, 3]")
        given, made = _Picture(rgb.shape[1], rgb.shape[0], rgb.ctypes.data), _Picture()
        _call(function, self._model, c.byref(given), *arguments, c.byref(made))
        pixels = np.ctypeslib.as_array(c.cast(made.pixels, c.POINTER(c.c_uint8)), rgb.shape).copy()
        _lib.caelum_picture_free(c.byref(made))
        return pixels

    def reconstruct(self, rgb, threads=0):
        """A picture of any size through an autoencoder."""
        return self._picture(_lib.caelum_reconstruct, rgb, c.c_int(threads))

    def colorize(self, rgb, vivid=0.5, hints=(), threads=0, restore=False):
        """Colors a picture of any size; hints are (x, y, (red, green, blue)); restore: stretch a faded one."""
        settings = _lib.caelum_colorize_defaults()
        array = (_Hint * len(hints))(*[_Hint(x, y, (c.c_uint8 * 3)(*color)) for x, y, color in hints])
        settings.vivid, settings.hints, settings.hint_count, settings.threads = vivid, array, len(hints), threads
        settings.restore = restore
        return self._picture(_lib.caelum_colorize, rgb, c.byref(settings))
