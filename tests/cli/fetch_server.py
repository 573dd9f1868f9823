"""fetch_server.py LOG PORT: a server on loopback that misbehaves by the first part of a path; for fetch.sh.

It writes its port into the file PORT, and into LOG a line a request: host, path, range. What it serves is made
here, the same everywhere; `fetch_server.py sums` prints lengths and SHA-256s, which sham/data_sets.c has.
"""

import hashlib
import http.server
import io
import os
import struct
import sys
import tarfile
import time
import urllib.parse
import zlib


def stream(seed, size):
    """Bytes without a pattern."""
    return b"".join(hashlib.sha256(b"%s %d" % (seed, i)).digest() for i in range(size // 32 + 1))[:size]


def stored(data):
    """A gzip file of stored blocks: the same bytes whatever version of zlib there is."""
    out = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]
    for at in range(0, len(data), 65535):
        block = data[at : at + 65535]
        last = at + 65535 >= len(data)
        out += [struct.pack("<BHH", last, len(block), len(block) ^ 65535), block]
    return b"".join(out) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def cifar():
    """An archive of CIFAR-10's structure."""
    noise, packed = stream(b"cifar", 1 << 16), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
            starts = range(len(name), len(name) + 10000 * 7, 7)
            batch = b"".join(bytes([i % 10]) + noise[i % 60000 :][:3072] for i in starts)
            info = tarfile.TarInfo("cifar-10-batches-bin/" + name)
            info.size = len(batch)
            tar.addfile(info, io.BytesIO(batch))
    return stored(packed.getvalue())


def files():
    return {
        "cifar-10-binary.tar.gz": cifar(),
        "images.gz": stream(b"images", 300000),
        "labels.gz": stream(b"labels", 1000),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    served = {}
    asked = {}  # requests so far, by path
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        wanted = self.headers.get("Range")
        with open(sys.argv[1], "a") as log:
            print(url.hostname or "-", url.path, wanted or "-", file=log)
        mode, _, name = url.path.strip("/").rpartition("/")
        count = self.asked[url.path] = self.asked.get(url.path, 0) + 1
        data = self.served.get(name)
        if url.hostname == "first.invalid" or mode == "none" or data is None:
            self.send_error(404)
        elif mode == "redirect":
            self.send_elsewhere("/again/" + name)
        elif mode == "again":
            self.send_elsewhere(f"http://127.0.0.1:{self.server.server_port}/ok/{name}")
        elif mode == "round":
            self.send_elsewhere(self.path)
        else:
            self.answer(mode, count, data, wanted)

    def send_elsewhere(self, url):
        self.send_response(302)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, mode, count, data, wanted):
        if mode == "wrong" or (mode == "changed" and count == 1):
            data = data[:100] + b"!" + data[101:]
        if mode == "short":
            data = data[:-1]
        if mode in ("long", "endless"):
            data += b"more"
        start = 0
        if wanted and mode not in ("norange", "norange-cut"):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if wanted and start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if mode not in ("unsized", "endless", "page"):  # what has no length ends with the connection
            self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if mode == "page":
            data, start = b"<html>please log in</html>", 0
        if mode in ("cut", "norange-cut", "changed") and count <= 3:
            data = data[: start + len(data) // 4]
        if mode == "gone":
            data = data[:1000]
        if mode == "silent":
            time.sleep(3600)
        elif mode == "slow":
            for at in range(start, len(data), 5000):
                self.wfile.write(data[at : at + 5000])
                time.sleep(0.1)
        else:
            self.wfile.write(data[start:])
        self.close_connection = True


if sys.argv[1] == "sums":
    for name, data in files().items():
        print(f'{{"{name}", {len(data)},\n "{hashlib.sha256(data).hexdigest()}"}}')
    sys.exit()
Handler.served = files()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.handle_error = lambda *_: None  # clients that hang up
with open(sys.argv[2] + ".new", "w") as to:
    print(server.server_port, file=to)
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
