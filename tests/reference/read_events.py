"""Reads a run directory's event files as TensorBoard does, with nothing but the standard library, and holds them to
the run's other files. Exit status 1 and a sentence where they differ.

    read_events.py DIR SHEET FILES TORN

SHEET: name of the contact sheet without its ending; "": there is none. FILES: how many event files there are.
TORN: how many of them end within a record. The last line printed is the command that the events tell.

Records: TensorFlow's tensorflow/core/lib/io/record_writer.h. Fields by number: event.proto, summary.proto,
tensor.proto. Restarts: tensorboard/backend/event_processing/plugin_event_accumulator.py.
"""
import csv
import glob
import json
import math
import struct
import sys

TABLE = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def check(good, *what):
    if not good:
        sys.exit("read_events.py: " + " ".join(map(str, what)))


def records(data):
    """The payloads, and whether the file ends within a record."""
    at, payloads = 0, []
    while at < len(data):
        if at + 12 > len(data):
            return payloads, True
        size, crc = struct.unpack_from("<QI", data, at)
        check(crc == masked_crc(data[at : at + 8]), "checksum of a size, at byte", at)
        if at + 16 + size > len(data):
            return payloads, True
        payload = data[at + 12 : at + 12 + size]
        check(struct.unpack_from("<I", data, at + 12 + size)[0] == masked_crc(payload), "checksum of a record")
        payloads.append(payload)
        at += 16 + size
    return payloads, False


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def message(data):
    """{field number: [values]}, numbers as int or the 4 or 8 bytes, strings and messages as bytes."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            check(kind in (1, 2, 5), "wire type", kind)
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, at = varint(data, at)
            value = data[at : at + size]
            check(len(value) == size, "a field is cut short")
            at += size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def only(fields, number, default=None):
    values = fields.get(number, [default])
    check(len(values) == 1, "field", number, "more than once")
    return values[0]


def take(value, step, view):
    """One Summary.Value into view[tag] = [(step, what)]."""
    if 2 in value:
        what = struct.unpack("<f", only(value, 2))[0]
    elif 4 in value:
        image = message(only(value, 4))
        what = tuple(only(image, n) for n in (1, 2, 3, 4))
    else:
        tensor, metadata = message(only(value, 8)), message(only(value, 9))
        check(only(message(only(metadata, 1)), 1) == b"text", "the plugin of a text")
        check(only(metadata, 4) == 2 and only(tensor, 1) == 7, "classes of a text")
        check([only(message(d), 1) for d in message(only(tensor, 2))[2]] == [1], "the shape of a text")
        lines = only(tensor, 8).decode().splitlines(keepends=True)
        check(all(line.startswith("    ") for line in lines), "a text that is no code block")
        what = "".join(line[4:] for line in lines)
    view.setdefault(only(value, 1).decode(), []).append((step, what))


def load(directory, expected_files, expected_torn):
    view, started, torn, dropped = {}, False, 0, 0
    names = sorted(glob.glob(directory + "/events.out.tfevents.*"))
    check(len(names) == expected_files, len(names), "event files, expected", expected_files)
    for name in names:
        with open(name, "rb") as file:
            payloads, cut = records(file.read())
        torn += cut
        events = [message(p) for p in payloads]
        check(only(events[0], 3) == b"brain.Event:2", "the first event of", name)
        for event in events:
            step = only(event, 2, 0)
            check(struct.unpack("<d", only(event, 1))[0] > 1e9, "a wall time")
            if 7 in event:
                check(only(message(only(event, 7)), 1) == 1, "a session log that is no START")
                for tag in view if started else ():
                    kept = [v for v in view[tag] if v[0] < step]
                    dropped += len(view[tag]) - len(kept)
                    view[tag] = kept
                started = True
            for value in message(only(event, 5)).get(1, []) if 5 in event else []:
                take(message(value), step, view)
    check(torn == expected_torn, torn, "torn files, expected", expected_torn)
    return view, dropped


def close(a, text, decimals):
    """Whether float32 a is the number that the table has rounded."""
    b = float(text)
    return math.isclose(a, b, rel_tol=1e-7, abs_tol=0.5 * 10**-decimals if decimals else 0)


COLUMNS = [  # tag, column, decimals in the table; 0: nine significant digits
    ("loss/train", "loss", 0),
    ("loss/validation", "val_loss", 0),
    ("psnr/train", "psnr", 6),
    ("psnr/validation", "val_psnr", 6),
    ("accuracy/train", "accuracy", 6),
    ("accuracy/validation", "val_accuracy", 6),
    ("training/lr", "lr", 0),
]


def main():
    directory, sheet, files, torn = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    view, dropped = load(directory, files, torn)
    with open(directory + "/metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["epoch"]) for row in rows]
    for tag, column, decimals in COLUMNS:
        figures = [(int(r["epoch"]), r[column]) for r in rows if r[column] not in ("nan", "-nan")]
        shown = view.pop(tag, [])
        check([s for s, _ in shown] == [s for s, _ in figures], tag, shown, "expected the epochs", figures)
        for (step, a), (_, b) in zip(shown, figures):
            check(close(a, b, decimals), tag, "at", step, "is", a, "expected", b)
    speed = view.pop("training/pictures_per_second")
    check([s for s, _ in speed] == steps, "pictures_per_second", speed)
    check(all(abs(a - float(r["pictures_per_second"])) <= 0.5 for (_, a), r in zip(speed, rows)), speed, rows)
    if sheet:
        with open(directory + "/" + sheet + ".png", "rb") as file:
            png = file.read()
        width, height = struct.unpack(">II", png[16:24])
        step, image = view.pop(sheet)[-1]
        check(step == steps[-1] and image[:2] == (height, width) and image[3] == png, "the contact sheet")
        check(image[2] == {2: 3, 6: 4}[png[25]], "the contact sheet's colors", image[2])
    with open(directory + "/last.safetensors", "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        network = json.loads(file.read(size))["__metadata__"]["network"]
    check(view.pop("network") == [(0, network)], "the network's text")
    (step, command), = view.pop("command")
    check(step == 0 and not view, "more than there should be:", list(view))
    print("dropped", dropped)
    print(command)


main()
