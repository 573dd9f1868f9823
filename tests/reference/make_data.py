#!/usr/bin/python3
"""Data sets as other programs write them, for tests/cli/data-formats.sh, in the current directory: discs on black whose
size is their class. NAME.sha256 is the SHA-256 of the pixels that NAME holds, [picture][channel][row][column], train
before validation before test.

usage: make_data.py"""
import gzip, hashlib, os, pickle, struct, sys
import numpy
from PIL import Image

random = numpy.random.default_rng(1)


def discs(n, side=28):
    y, x = numpy.mgrid[0:side, 0:side]
    label = random.integers(0, 10, n)
    label[:10] = range(10)  # each class is there
    center = random.uniform(side * 0.3, side * 0.7, (n, 2, 1, 1))
    distance = numpy.hypot(x - center[:, 0], y - center[:, 1])
    return (255 * numpy.clip(2 + 0.8 * label[:, None, None] - distance, 0, 1)).astype("u1"), label.astype("u1")


def colored(grey):
    return numpy.stack([grey, grey // 2, 255 - grey], 1)


def tell(name, *pictures):
    digest = hashlib.sha256(b"".join(numpy.ascontiguousarray(p).tobytes() for p in pictures))
    with open(name + ".sha256", "w") as file:
        print(digest.hexdigest(), file=file)


def idx(path, array):
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(">%dI" % array.ndim, *array.shape)
    with (gzip.open if path.endswith(".gz") else open)(path, "wb") as file:
        file.write(head + array.tobytes())


def mnist(train, labels, test, test_labels):
    os.makedirs("mnist/raw")
    idx("mnist/raw/train-images-idx3-ubyte.gz", train)
    idx("mnist/raw/train-images-idx3-ubyte", train)  # as torchvision leaves both
    idx("mnist/raw/train-labels-idx1-ubyte.gz", labels)
    idx("mnist/raw/t10k-images-idx3-ubyte", test)
    idx("mnist/raw/t10k-labels-idx1-ubyte", test_labels)
    tell("mnist", train, test)
    idx("alone-idx3.gz", train)
    tell("alone-idx3.gz", train)


def arrays(train, labels, test, test_labels):
    numpy.savez("keras.npz", x_test=test, x_train=train, y_test=test_labels, y_train=labels)
    tell("keras.npz", train, test)
    numpy.savez_compressed("floats.npz", train_images=(train / 255).astype("f4")[..., None], val_images=(test / 255)[..., None],
                           train_labels=labels.astype("i8")[:, None], val_labels=test_labels.astype(">i2"), ids=labels * 0.5)
    tell("floats.npz", train, test)
    planes = colored(train)
    numpy.save("fortran.npy", numpy.asfortranarray(planes))
    tell("fortran.npy", planes)
    os.mkdir("arrays")
    numpy.save("arrays/a.npy", planes[:100].transpose(0, 2, 3, 1))
    numpy.save("arrays/b.npy", planes[100:].astype(">i4"))
    tell("arrays", planes)
    numpy.save("half.npy", (train[:, :8, :8] / 255).astype("f2"))
    tell("half.npy", train[:, :8, :8])
    ragged = numpy.empty(2, object)
    ragged[:] = [train[0], train[1][:5]]
    numpy.savez("ragged.npz", x_train=ragged)
    numpy.save("bytes_as_floats.npy", train.astype("f4"))
    numpy.save("flat.npy", train.reshape(len(train), -1))
    numpy.savez("few_labels.npz", x=train, y=labels[:-1])
    numpy.savez("two_sizes.npz", x_train=train, x_test=test[:, 1:])
    try:
        import torch
        numpy.savez("torch.npz", x=torch.from_numpy(planes).numpy(), y=torch.from_numpy(labels).long().numpy())
        tell("torch.npz", planes)
    except ImportError:
        print("no torch")
    try:
        from sklearn.datasets import load_digits
        digits = load_digits()
        numpy.savez("digits.npz", images=digits.images / 16, target=digits.target)
        tell("digits.npz", numpy.floor(digits.images / 16 * 255 + 0.5).astype("u1"))
    except ImportError:
        print("no sklearn")


def folders(train, labels):
    planes = colored(train)
    classes, parts = [], ([], [], [])
    for i in range(60):
        path = "classes/%s/%03d.png" % ("cats dogs owls".split()[i % 3], i)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(train[i]).save(path)
        classes.append((path, train[i]))
        part = 0 if i < 40 else 1 if i < 50 else 2
        path = "parts/%s/%d/images/%03d.png" % ("train val test".split()[part], i % 4, i)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(planes[i].transpose(1, 2, 0)).save(path)
        parts[part].append((path, planes[i]))
        os.makedirs("sizes", exist_ok=True)
        Image.fromarray(numpy.kron(planes[i].transpose(1, 2, 0)[:20 + i % 5], numpy.ones((2, 2, 1), "u1"))).save("sizes/%03d.png" % i)
    tell("classes", *[p for _, p in sorted(classes)])
    tell("parts", *[p for part in parts for _, p in sorted(part)])


def batch_of_python_2(path, planes, labels):
    """The instructions of CIFAR's own files."""
    def short(text):
        return b"U" + bytes([len(text)]) + text
    with open(path, "wb") as file:
        file.write(b"\x80\x02}q\x01(" + short(b"batch_label") + b"q\x02" + short(b"training batch 1 of 5") + b"q\x03" + short(b"labels") +
                   b"q\x04]q\x05(" + b"".join(b"K" + bytes([l]) for l in labels) + b"e" + short(b"data") +
                   b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85" + short(b"b") + b"\x87Rq\x09(K\x01" +
                   b"J" + struct.pack("<i", len(labels)) + b"M\x00\x0c\x86cnumpy\ndtype\nq\x0a" + short(b"u1") +
                   b"K\x00K\x01\x87Rq\x0b(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" +
                   b"T" + struct.pack("<i", planes.size) + planes.tobytes() + b"tb" + short(b"filenames") + b"]q\x0c(" +
                   short(b"a.png") + b"q\x0d" + short(b"b.png") + b"eu.")


def cifar():
    grey, labels = discs(120, 32)
    planes = colored(grey).reshape(120, -1)
    os.mkdir("cifar-10-batches-py")
    for i in range(6):
        part = slice(20 * i, 20 * i + 20)
        path = "cifar-10-batches-py/" + ("test_batch" if i == 5 else "data_batch_%d" % (i + 1))
        if i == 0:
            batch_of_python_2(path, planes[part], labels[part])
        else:
            with open(path, "wb") as file:
                pickle.dump({"data": planes[part], "labels": labels[part].tolist(), "filenames": ["x"] * 20}, file, 3 + i % 2)
    with open("cifar-10-batches-py/batches.meta", "wb") as file:
        pickle.dump({"num_cases_per_batch": 20, "label_names": ["name%d" % i for i in range(10)], "num_vis": 3072}, file, 2)
    tell("cifar-10-batches-py", planes)
    os.mkdir("cifar-100-python")
    for name, part in ("train", slice(0, 100)), ("test", slice(100, 120)):
        with open("cifar-100-python/" + name, "wb") as file:
            pickle.dump({"filenames": [], "fine_labels": (labels[part] * 10).tolist(), "coarse_labels": labels[part].tolist(),
                         "data": planes[part]}, file, 4)
    tell("cifar-100-python", planes)
    os.mkdir("cifar-100-binary")
    for name, n in ("train", 50000), ("test", 10000):
        records = numpy.memmap("cifar-100-binary/%s.bin" % name, "u1", "w+", shape=(n, 3074))
        records[:120, 1], records[:120, 2:] = labels, planes  # the rest are holes
    with open("cifar-100-binary/fine_label_names.txt", "w") as file:
        file.write("".join("fine%d\n" % i for i in range(100)))


def stl():
    grey, labels = discs(45, 96)
    planes = colored(grey)
    os.mkdir("stl10_binary")
    for name, part in ("train", slice(0, 20)), ("test", slice(20, 30)), ("unlabeled", slice(30, 45)):
        planes[part].transpose(0, 1, 3, 2).tofile("stl10_binary/%s_X.bin" % name)
        if name != "unlabeled":
            (labels[part] + 1).tofile("stl10_binary/%s_y.bin" % name)
    with open("stl10_binary/class_names.txt", "w") as file:
        file.write("airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n")
    tell("stl10_binary", planes[:30])
    tell("stl10_binary/unlabeled_X.bin", planes[30:])


train, labels = discs(200)
test, test_labels = discs(50)
mnist(train, labels, test, test_labels)
arrays(train, labels, test, test_labels)
folders(train, labels)
cifar()
stl()
