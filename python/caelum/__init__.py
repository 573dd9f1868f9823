"""Convolutional autoencoders on pictures: trained, measured and run on CPUs by the library caelum.

    import caelum

    run = caelum.train("standard.net", "photos", out="runs/mine", epochs=10)      # a network on a folder of photos
    print(run.best_val_psnr, caelum.evaluate(run.model, "photos").ssim)
    code = run.model.run(x, layer=run.model.latent)         # NumPy arrays [n, channels, height, width] in and out

    colored = caelum.colorize("old.jpg")                    # by a model that comes with caelum: uint8 [h, w, 3]
    small = caelum.colorize(PIL.Image.open("old.jpg"))      # PIL's picture in, PIL's out
    caelum.save_picture(colored, "new.jpg")

    finder = caelum.Anomaly.train("good")                   # finds defects, from good pictures alone
    print(finder.score("photo.jpg").bad)

    caelum.torch    models as PyTorch's modules, and back   (import caelum.torch)
    caelum.keras    Keras's files as models, and back       (import caelum.keras, or python3 -m caelum.keras)

Errors are exceptions: caelum.Error, and below it one class for each cause. Results such as caelum.Metrics hold plain
values by name, of which vars() makes a dict. docs/python.md has more.

The shared library is loaded when something needs it: the file that the environment variable CAELUM_LIBRARY names,
else the one that is installed.
"""
from .anomaly import Anomaly, Verdict
from .codes import colorize, decode, denoise, encode
from .data import Data, data_fetch, data_info
from .library import (HEADER, DivergedError, Error, FileError, FormatError, NetworkError, ResourceError, StoppedError,
                      UsageError, record)
from .model import Code, Model
from .pictures import load_picture, save_picture
from .training import Run, evaluate, resume, train

__version__: str = HEADER.constants["CAELUM_VERSION"]

NetInfo, LayerInfo = record("net_info"), record("layer_info")
DataInfo, DataFile = record("data_info"), record("data_file")
Metrics, ColorMetrics, ClassMetrics = record("metrics"), record("color_metrics"), record("class_metrics")
TrainProgress, Epoch = record("train_progress"), record("epoch")
AnomalyInfo, AnomalyBox = record("anomaly_info"), record("anomaly_box")

__all__ = ["Model", "train", "resume", "evaluate", "colorize", "denoise", "encode", "decode", "Data", "data_fetch", "data_info",
           "load_picture", "save_picture", "Anomaly", "Verdict", "AnomalyInfo", "AnomalyBox", "Code", "Run", "TrainProgress", "Epoch", "Metrics", "ColorMetrics",
           "ClassMetrics", "NetInfo", "LayerInfo", "DataInfo", "DataFile", "Error", "UsageError", "FormatError",
           "FileError", "NetworkError", "DivergedError", "ResourceError", "StoppedError"]
