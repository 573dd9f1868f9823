"""The package itself: how it is installed, how it finds the library, how its help reads."""
import importlib.util
import os
import pydoc
import re
import shutil
import subprocess
import sys

import caelum
import pytest
from caelum.library import HEADER, KINDS

from conftest import ROOT


def python(script, *, program=sys.executable, **environment):
    return subprocess.run([program, "-c", script], env=environment, stderr=subprocess.STDOUT, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def test_version():
    text = (ROOT / "python/pyproject.toml").read_text()
    assert f'version = "{caelum.__version__}"' in text
    assert f"VERSION {caelum.__version__} " in (ROOT / "CMakeLists.txt").read_text()


def test_codes():
    """Each code of an error has its exception, but for the one that fits no other."""
    codes = {value: name for name, value in HEADER.constants.items() if re.fullmatch("CAELUM_E[A-Z]+", name)}
    assert set(codes) - set(KINDS) == {HEADER.constants["CAELUM_EFAIL"]}


def test_another_library(tmp_path):
    """A library that is missing, older, or of another release is refused in words."""
    path = {"PYTHONPATH": str(ROOT / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    load = "import caelum; print(caelum.__version__, flush=True); caelum.Model('standard')"
    missing = python(load, CAELUM_LIBRARY="/missing.so", **path)
    assert missing.startswith(caelum.__version__)  # nothing is loaded before it is needed
    assert missing.endswith("or name its file in CAELUM_LIBRARY") and "/missing.so: cannot open" in missing
    old = "#include <caelum.h>\n" + 'const char *caelum_version(void) { return "0.0.1"; }\n'
    whole = old + "".join(f"char {name};\n" for name in HEADER.functions if name != "caelum_version")
    for i, (source, words) in enumerate(((old, "caelum_build_info is missing: expected caelum"),
                                         (whole.split("\n", 1)[1], "caelum 0.0.1, and this package is of"))):
        library = tmp_path / f"{i}.so"
        subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-I", ROOT / "include", "-", "-o", library], check=True,
                       input=source, text=True)
        assert words in python(load, CAELUM_LIBRARY=str(library), **path)


def test_pip(tmp_path):
    """In a fresh virtual environment that sees Debian's packages; the copy has no build's leftovers."""
    missing = [name for name in ("pip", "setuptools", "wheel") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip("left out: no " + ", ".join(missing))
    environment, own = tmp_path / "environment", tmp_path / "environment/bin/python3"
    shutil.copytree(ROOT / "python", tmp_path / "python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", environment], check=True)
    subprocess.run([own, "-m", "pip", "install", "-q", "--no-index", "--no-build-isolation", "--no-compile",
                    tmp_path / "python"], check=True)
    found = python("import caelum, numpy; print(caelum.__file__, caelum.colorize(numpy.zeros((9, 8), 'uint8')).shape)",
                   program=own, CAELUM_LIBRARY=os.environ["CAELUM_LIBRARY"])
    assert found.startswith(str(environment)) and found.endswith("/caelum/__init__.py (9, 8, 3)")


def test_help():
    text = pydoc.render_doc(caelum, renderer=pydoc.plaintext)
    for name in caelum.__all__:
        assert getattr(caelum, name).__doc__, name
        assert re.search(rf"^ {{4}}(class )?{name}[ (]", text, re.M), name
    assert "psnr: -10 log10(mse), dB" in text and "train(network" in text
