"""corpus.py CAELUM DIRECTORY - the files that the corpora began with, a folder a reader: small, made by the program and
by hand. Needs Pillow. `make fuzz` adds what it finds; what is worth it is merged by hand (docs/threats.md)."""
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

from PIL import Image, ImageCms

NET = "input 3\nconv 4 relu\nmaxpool\nconv 4 relu\nlatent\nupsample\nconv 3 sigmoid\n"
EVERY_LAYER = """input 3
save a
conv 4 k=3 gelu
groupnorm 2
conv 3
prelu
add a
pad 34 34
crop 32 32
space_to_depth 2
depth_to_space 2
avgpool
noise 0.1
deconv 4 stride=2
maxpool
dense 8
latent
quantize 0.1
reshape 2 2 2
upsample
load a
"""
CODES = "input 3\nspace_to_depth 4\nconv 4 k=1\nquantize 0.05\nconv 48 k=1\ndepth_to_space 4\n"
DETECT = "input 3\nconv 1 sigmoid\n"
STUDY = """title "Tiny"
source "the paper"
defaults epochs=1 batch=20 limit=60 seeds=2 data=synthetic:60:16
figure rmse = 255 * mse
section one "One"
about "what it asks"
run tiny plain.net lr=0.01
  reference mse=0.01 rmse<=2
run other plain.net optimizer=sgd momentum=0.5
also tiny
claim tiny < other "it is better"
show curves
show network tiny
"""
CONF = "# settings\nlr = 0.01\ntrain.batch = 20\nthreads=2\nschedule = cosine # so\nflip = yes\nseed = 18446744073709551615\n"


def array(shape, kind="|u1"):
    """NumPy's file of that shape."""
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)).encode()
    head += b" " * (63 - (len(head) + 10) % 64) + b"\n"
    count = 1
    for n in shape:
        count *= n
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(i * 7 % 256 for i in range(count * int(kind[2:])))


def picture(kind, mode="RGB", side=8, **options):
    to = io.BytesIO()
    Image.frombytes("RGB", (side, side), bytes(i * 5 % 256 for i in range(3 * side * side))).convert(mode).save(to, kind, **options)
    return to.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *chunks, depth=8, color=2):
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def zip_of(files):
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as z:
        for name, data in files.items():
            z.writestr(zipfile.ZipInfo(name), data)
    return to.getvalue()


def tar_of(files, mode="w"):
    to = io.BytesIO()
    with tarfile.open(fileobj=to, mode=mode, format=tarfile.USTAR_FORMAT) as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return to.getvalue().rstrip(b"\0") + bytes(1024)


def idx(*shape):
    count = 1
    for n in shape:
        count *= n
    return bytes([0, 0, 8, len(shape)]) + struct.pack(">%dI" % len(shape), *shape) + bytes(i % 251 for i in range(min(count, 600)))


def batch(n):
    """A file of CIFAR-100's Python version, as Python 2 has pickled it."""
    labels = b"".join(b"K" + bytes([i]) for i in range(n))
    return (b"\x80\x02}q\x01(U\x0bfine_labelsq\x02]q\x03(" + labels + b"eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\n"
            b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K" + bytes([n]) + b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<I", 3072 * n) + bytes(3072 * n) +
            b"tbu.")


def prepared(count=12, side=4, classes=0, photos=0, names=b""):
    head = bytearray(4096)
    struct.pack_into("<16s12Q32s", head, 0, b"caelum data 3", count, 1, side, side, classes, photos, 0, len(names), 0, 0, 0, 0, b"idx")
    struct.pack_into("64s", head, 16 + 96 + 32 + 72, b"ab" * 32)
    return bytes(head) + bytes(min(count, 12) * side * side) + (bytes(4 * (photos + 1)) if photos else b"") + (bytes(2 * count) if classes else b"") + names


def safetensors(tensors, metadata):
    """Tensors of 32-bit zeros."""
    header, at = {"__metadata__": metadata}, 0
    for name, shape in tensors.items():
        size = 4
        for n in shape:
            size *= n
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def finder():
    """Of defects: two networks, and what it knows of good pictures."""
    own = {"format": "caelum model 1", "network": DETECT, "height": "96", "width": "96", "task": "detect", "coarse.network": DETECT,
           "coarse.height": "64", "coarse.width": "64", "anomaly_size": "512", "anomaly_false_alarms": "0.5",
           "anomaly_brightness": "120", "anomaly_brightness_deviation": "14.5", "anomaly_contrast": "50",
           "anomaly_contrast_deviation": "5.5", "anomaly_scores": "0.4 0.5", "anomaly_fine_levels": "0.1 0.2",
           "anomaly_coarse_levels": "0.1 0.2"}
    return safetensors({prefix + "conv1." + name: shape for prefix in ("", "coarse.")
                        for name, shape in (("weight", [1, 3, 3, 3]), ("bias", [1]))}, own)


def codes(*entries):
    """Fingerprint and checksum are the reader's."""
    body = b"CLMC\x01" + bytes(4) + bytes([len(entries)])
    for name, width, height, code in entries:
        for n in (width, height, len(name), len(code)):
            while n >= 0x80:
                body += bytes([n & 0x7f | 0x80])
                n >>= 7
            body += bytes([n])
        body += name + code
    return body + bytes(4)


def by_the_program(caelum, put):
    """Files that caelum writes."""
    def run(line):
        subprocess.run([caelum] + line.split(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open("a.net", "w") as f:
        f.write(NET)
    run("train a.net --data synthetic:20:8 --batch 4 --epochs 2 --limit 20 -o run --seed 3")
    run("train a.net --data synthetic:20:8 --batch 4 --epochs 2 --limit 20 -o muon --optimizer muon --ema 0.9")
    for ending in ("npz", "onnx", "safetensors"):
        run("export run/last.safetensors -o a." + ending)
    put("model", open("a.safetensors", "rb").read())
    put("weights", safetensors({"a.weight": [4, 3, 3, 3], "a.bias": [4], "b.weight": [4, 4, 3, 3], "b.bias": [4],
                                "c.weight": [3, 4, 3, 3], "c.bias": [3]}, {}))
    put("checkpoint", open("run/checkpoint.safetensors", "rb").read(), open("muon/checkpoint.safetensors", "rb").read())
    put("npz", open("a.npz", "rb").read(), zip_of({"conv1.weight.npy": array((4, 3, 3, 3), "<f4")}))
    put("onnx", open("a.onnx", "rb").read())
    for name in ("run.json", "metrics.csv"):
        put(name.split(".")[0], open("run/" + name, "rb").read())


def main():
    caelum, out = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])

    def put(reader, *files):
        folder = os.path.join(out, reader)
        os.makedirs(folder, exist_ok=True)
        for data in files:
            with open(os.path.join(folder, "seed-%d" % len(os.listdir(folder))), "wb") as f:
                f.write(data)

    small = {"p/%d.png" % i: picture("PNG", side=8) for i in range(10)}
    exif = Image.Exif()
    exif[0x112] = 6
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rows = zlib.compress(b"\0" + bytes(24))
    put("net", NET.encode(), EVERY_LAYER.encode(), CODES.encode(), b"conv " * 2000, b"save a\nload a\n" * 600)
    put("study", STUDY.encode(), b'run a ' + b'"' * 3000)
    put("conf", CONF.encode(), b"\xef\xbb\xbflr = 1\r\n", b"a=b\n" * 1500)
    put("eval", b'{"mse": 0.01, "psnr": 20.5, "baselines": [{"name": "PCA 8", "mse": 0.1}]}', b"[" * 5000)
    put("run", b"{" + b'"a":{' * 3000)
    put("model", struct.pack("<Q", 1 << 31) + b"{}", struct.pack("<Q", 4000) + b'{"a":' + b"[" * 3995,
        struct.pack("<Q", 73) + b'{"a":{"dtype":"F32","shape":[2147483648,8],"data_offsets":[0,68719476736]}}'.ljust(73))
    put("npz", zip_of({"a.npy": array((0, 1)).replace(b"(0, 1)", b"(2147483648, 2147483648)", 1)}))
    put("onnx", b"\x3a\xff\xff\xff\xff\x07", b"\x3a\x06" * 40)
    put("anomaly", finder())
    put("codes", codes((b"a", 16, 16, bytes(20)), (b"b.png", 5, 33, b"\xff" * 40)), codes((b"a", 2 ** 14, 2 ** 14, bytes(9))),
        codes((b"a", 2 ** 31, 2 ** 31, b"")), codes((b"../a", 4, 4, b"abc")))
    put("idx", idx(12, 4, 4), idx(12, 4, 4, 3), idx(2 ** 31, 2 ** 31, 1), idx(2 ** 31, 1, 1))
    put("npy", array((10, 8, 8, 3)), array((10, 3, 8, 8), "<f4"), array((10, 8, 8), ">i2"),
        array((0, 1)).replace(b"(0, 1)", b"(2147483648, 2147483648, 3)", 1))
    put("pickle", batch(5),
        b"\x80\x02" + b"(" * 4000, b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.", b"\x80\x02]q\x00" + b"h\x00a" * 500 + b".")
    put("cifar", bytes(3073))
    put("archive", tar_of(small, "w:gz"), zip_of(small), tar_of({"x.npy": array((10, 8, 8))}, "w:xz"),
        tar_of({"../../x.npy": array((10, 8, 8))}, "w:gz"), tar_of({"x.npy": bytes(1 << 28)}, "w:bz2"))
    put("prepared", prepared(), prepared(classes=2, names=b"a\0b\0"), prepared(photos=3), prepared(count=2 ** 40))
    put("figures", b'{"key": "", "figures": {"PCA": {"mse": 1}}}')
    put("png", picture("PNG"), picture("PNG", "P"), picture("PNG", "1"), picture("PNG", "LA"), 
        png(4, 4, chunk(b"IDAT", zlib.compress(bytes(4 * 25))), depth=16), picture("PNG", icc_profile=icc), picture("PNG", exif=exif.tobytes()),
        png(1, 1, chunk(b"cICP", bytes([1, 8, 0, 1])), chunk(b"IDAT", zlib.compress(bytes(4)))),
        png(8, 8, chunk(b"cHRM", struct.pack(">8I", *range(8))), chunk(b"gAMA", struct.pack(">I", 1)), chunk(b"IDAT", rows)),
        png(2 ** 31 - 1, 2 ** 31 - 1, chunk(b"IDAT", rows)), png(2 ** 14, 2 ** 14, chunk(b"IDAT", rows)),
        png(4096, 4096, chunk(b"IDAT", zlib.compress(bytes(4096 * 512 + 4096))), depth=1, color=0),
        png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 24))), chunk(b"IDAT", rows)),
        png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 24))), chunk(b"IDAT", rows)))
    jpeg = picture("JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    put("jpeg", jpeg, picture("JPEG", "L"), picture("JPEG", "CMYK"), picture("JPEG", progressive=True, exif=exif.tobytes()),
        picture("JPEG", icc_profile=icc), jpeg[:at] + b"\xff\xff\xff\xff" + jpeg[at + 4:])
    put("webp", picture("WEBP"), picture("WEBP", lossless=True), picture("WEBP", "RGBA", lossless=True, icc_profile=icc,
        exif=exif.tobytes()), b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\xff\xff\xff\xff\xff\xff")
    put("tiff", picture("TIFF"), picture("TIFF", "L"), picture("TIFF", "CMYK", compression="tiff_lzw"),
        picture("TIFF", compression="jpeg"), picture("TIFF", "1", compression="group4"), picture("TIFF", icc_profile=icc),
        b"II*\0\x08\0\0\0\x02\0\0\x01\x04\0\x01\0\0\0\xff\xff\xff\x7f\x01\x01\x04\0\x01\0\0\0\xff\xff\xff\x7f\x08\0\0\0")
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        by_the_program(caelum, put)
        os.chdir("/")


main()
