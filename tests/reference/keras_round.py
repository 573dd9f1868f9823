"""keras_round.py DIRECTORY - each model N.safetensors there as Keras's file and back, by caelum.keras:
N.back.safetensors, or N.error with what could not be said. Odd numbers go by .h5, even ones by .keras; written twice,
the files are the same bytes."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../python"))
from caelum import keras, modelfile  # noqa: E402

os.chdir(sys.argv[1])
for number in [name[:-len(".safetensors")] for name in os.listdir() if name.endswith(".safetensors")]:
    files = [f"{number}{again}.{'h5' if int(number) % 2 else 'keras'}" for again in ("", "again")]
    try:
        for file in files:
            keras.write(file, keras.from_model(*modelfile.read(number + ".safetensors")))
        with open(files[0], "rb") as a, open(files[1], "rb") as b:
            assert a.read() == b.read(), files
        modelfile.write(number + ".back.safetensors", *keras.to_model(*keras.read(files[0])))
    except keras.Error as why:
        with open(number + ".error", "w") as file:
            file.write(str(why))
