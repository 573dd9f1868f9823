"""The header as Python reads it is the header as a C compiler does: each struct's size, and its members' places,
sizes and types; each function."""
import ctypes as c
import os
import subprocess

from caelum.library import HEADER, library

from conftest import ROOT

SCALARS = {c.c_bool: "bool", c.c_int: "int", c.c_size_t: "size_t", c.c_ssize_t: "ptrdiff_t", c.c_double: "double"}


def test_structs(tmp_path):
    """The C program prints what is expected of ctypes; to both, what SCALARS lacks is "other"."""
    kinds = "".join(f'{name}: "{name}", ' for name in SCALARS.values())
    lines, found = [], []
    for name, kind in HEADER.types.items():
        if not isinstance(kind, type) or not issubclass(kind, c.Structure):
            continue
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        found.append(f"{name} {c.sizeof(kind)}")
        for member, inside in kind._fields_:
            x, place = f"((struct {name} *)0)->{member}", getattr(kind, member)
            lines.append(f'printf("{name}.{member} %zu %zu %s\\n", offsetof(struct {name}, {member}), sizeof {x}, '
                         f'_Generic({x}, {kinds} default: "other"));')
            found.append(f"{name}.{member} {place.offset} {place.size} {SCALARS.get(inside, 'other')}")
    source, program = tmp_path / "structs.c", tmp_path / "structs"
    source.write_text("#include <caelum.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) + "\n}\n")
    subprocess.run(["cc", "-std=c11", "-I", ROOT / "include", source, "-o", program], check=True)
    said = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert len(found) > 200 and found == said.splitlines()


def test_functions():
    lines = subprocess.run(["nm", "-D", "--defined-only", library().path()], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.splitlines()
    exported = {line.split()[2].split("@")[0] for line in lines if line.split()[1] == "T"}
    assert exported == set(HEADER.functions)
    assert HEADER.functions["caelum_engine_run"] == (c.c_int, [
        c.c_void_p, c.c_void_p, c.c_size_t, c.c_void_p, c.POINTER(HEADER.types["caelum_error"])])


def test_words():
    """Words for the values of enums are the library's own, else made of their names."""
    assert library() and HEADER.types["caelum_resize"].words == {0: "no", 1: "fit", 2: "crop", 3: "stretch"}
    assert HEADER.types["caelum_loss"].words == {0: "mse", 1: "bce", 2: "l1", 3: "huber", 4: "xent"}
    assert HEADER.types["caelum_split"].words == {0: "train", 1: "validation", 2: "test", 3: "all"}


def test_documentation():
    assert "val_psnr, val_accuracy: validation split, after the epoch" in HEADER.types["caelum_epoch"].record.__doc__
    assert os.path.realpath(ROOT / "python/caelum/caelum.h") == os.path.realpath(ROOT / "include/caelum.h")
