"""caelum from Python.

    caelum.Model    runs and describes models by the installed library: library.py, which needs numpy
    caelum.torch    models as PyTorch's modules, and back
    caelum.keras    Keras's files as models, and back, with h5py

The library is loaded when Model is first asked for, so that the other two do without.
"""
import importlib


def __getattr__(name):
    if name not in ("Model", "Error", "version"):
        raise AttributeError(f"module 'caelum' has no attribute '{name}'")
    return getattr(importlib.import_module(".library", __name__), name)
