"""serve_clients.py ADDRESS PROCESS RUNS PICTURE DENOISED - clients of `caelum serve`, well behaved and not: what each must
get. ADDRESS: "127.0.0.1:PORT"; PROCESS: the server's number; RUNS: its directory, which has one run; DENOISED: what the
program makes of PICTURE."""
import concurrent.futures
import http.client
import json
import pathlib
import socket
import sys
import time

address, process, runs, picture, denoised = sys.argv[1:6]
host, port = address.split(":")
origin = {"Origin": f"http://{address}"}


def ask(method, path, headers={}, body=None):
    """Status and body of the answer; the path goes out as it is."""
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        if body is not None:
            headers = {"Content-Length": str(len(body)), **headers}
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def expect(what, answer, status, words=b""):
    assert answer[0] == status and words in answer[1], f"{what}: {answer[0]} {answer[1][:200]}"


def raw(text):
    """A connection on which that has been said."""
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall(text.encode())
    return connection


def memory():
    """Of the server, in MB."""
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024


def events():
    """The lists that the server sends."""
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("GET", "/events")
    for line in connection.getresponse():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


# --- Clients that are slow ---


def slow_client(first, more, seconds):
    """Says that, then a byte now and then; how long it is borne."""
    start, connection = time.monotonic(), raw(first)
    connection.settimeout(0.5)
    while time.monotonic() - start < seconds:
        try:
            connection.send(more)
            if connection.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - start


slow_clients = concurrent.futures.ThreadPoolExecutor(3)
known = f"Host: {address}\r\n"
sends = f"POST /denoise HTTP/1.1\r\n{known}Origin: http://{address}\r\nContent-Length: "
slow_first = slow_clients.submit(slow_client, f"GET / HTTP/1.1\r\n{known}X: ", b"x", 60)
slow_next = slow_clients.submit(slow_client, f"{sends}1\r\n\r\nxGET / HTTP/1.1\r\n", b"x", 60)
slow_picture = slow_clients.submit(slow_client, f"{sends}1000\r\n\r\n", b"x", 12)

# --- What it is for ---

expect("the page", ask("GET", "/"), 200, b"connect-src 'self'")
page = ask("GET", "/")[1]
lists = events()
(run,) = next(lists)
assert run["name"] == "first" and "metrics.csv" in run["files"] and "reconstructions.png" not in run["files"], run
expect("figures", ask("GET", f"/runs/{run['id']}/metrics.csv"), 200, b"val_loss")
(pathlib.Path(runs) / "second").mkdir()
(pathlib.Path(runs) / "second" / "metrics.csv").write_text("epoch\r\n")
assert [entry["name"] for entry in next(lists)] == ["first", "second"]
lists.close()

bytes_of = pathlib.Path(picture).read_bytes()
expect("denoise", ask("POST", "/denoise", origin, bytes_of), 200)
assert ask("POST", "/denoise", origin, bytes_of)[1] == pathlib.Path(denoised).read_bytes()
expect("strength", ask("POST", "/denoise?strength=2", origin, bytes_of), 400, b"strength: expected 0 to 1")
expect("a number", ask("POST", "/denoise?sigma=x", origin, bytes_of), 400, b"expected numbers")
expect("no picture", ask("POST", "/denoise", origin, b"no picture"), 400, b"the picture")

# --- What it refuses ---

for name in ["evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example", ""]:
    expect(f"host {name}", ask("GET", "/", {"Host": name}), 421)
expect("its other name", ask("GET", "/events/", {"Host": f"LOCALHOST:{port}"}), 404)
expect("no host", ask("GET", "/", {"Host": ""}), 421)
for other in ["http://evil.example", "null", f"https://{address}", f"http://{address}.evil.example"]:
    expect(f"origin {other}", ask("POST", "/denoise", {"Origin": other}, bytes_of), 403)
expect("no origin", ask("POST", "/denoise", {}, bytes_of), 403)
expect("another method", ask("DELETE", "/"), 405)
expect("no length", ask("POST", "/denoise", {**origin, "Transfer-Encoding": "chunked"}), 411)
secret = pathlib.Path(runs, "..", "secret.txt")
secret.write_text("secret")
for path in ["/runs/../secret.txt", f"/runs/{run['id']}/../../secret.txt", "/runs/%2e%2e/secret.txt", "/secret.txt",
             f"/runs/{run['id']}/..%2f..%2fsecret.txt", f"/runs/{run['id']}/", "/runs/", "/runs/1/metrics.csv",
             f"/runs/{run['id']}/reconstructions.png", f"/runs/{run['id']}/run.json", f"/runs/-{run['id']}/metrics.csv",
             "/runs/99999999999999999999999/metrics.csv", "//etc/passwd"]:
    status, body = ask("GET", path)
    assert status in (400, 404) and b"secret" not in body and b"root:" not in body, f"{path}: {status} {body[:100]}"

# --- What it bears ---


def many(n):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        answers = list(pool.map(lambda _: ask("GET", "/"), range(n)))
    assert all(answer == (200, page) for answer in answers)


many(200)
before = memory()
for _ in range(2):
    many(200)
head = f"POST /denoise HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n"
large = raw(f"{head}Content-Length: {1 << 30}\r\n\r\n")
block, sent = b"\0" * (1 << 20), 0
try:  # a client that sends all of it, whatever the answer is
    while sent < 1 << 30:
        sent += large.send(block)
except OSError:
    pass  # the server doesn't listen any more
assert sent < 1 << 28, sent
large.close()
expect("a large file", ask("POST", "/denoise", {**origin, "Content-Length": str((64 << 20) + 1)}), 413, b"64 MiB")

slow = [raw(f"GET / HTTP/1.1\r\nHost: {address}\r\nX: ") for _ in range(100)]
assert slow_picture.result() >= 12, "a picture may take longer than its head"
idle = [raw(f"{head}Content-Length: {64 << 20}\r\n\r\n") for _ in range(4)]
time.sleep(0.5)
start = time.monotonic()
expect("the page, while others are slow", ask("GET", "/"), 200)
expect("a fifth picture", ask("POST", "/denoise", origin, bytes_of), 503, b"busy")
assert time.monotonic() - start < 10
for connection in slow + idle:
    connection.close()
for _ in range(100):
    if ask("POST", "/denoise", origin, bytes_of)[0] == 200:
        break
    time.sleep(0.1)
expect("a picture, when they are gone", ask("POST", "/denoise", origin, bytes_of), 200)
more = memory() - before
assert more < 24, f"{more} MB more than before"
print(f"served; {more:.1f} MB more than before")
for late in slow_first, slow_next:
    assert 9 < late.result() < 50, f"a slow head is borne for {late.result():.1f} seconds"
