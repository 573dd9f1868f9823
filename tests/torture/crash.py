"""crash.py CAELUM [N [SEED [CASE...]]] - states that a file system may be in after a crash, and what comes after it. Each case of
a table runs once under strace, which logs what is written, renamed and synced. For each point between two of these calls
states are built: all that was done; only what is synced; names without the data that they lead to, or with half of it, or
with zeros; names in another order than they were given. Each state that no other equals is restored, and the case's next
commands are run: what they leave must be the same bits as without a crash. With N, N states of each case, drawn by SEED. Prints
what breaks this, and the number of states; exit status 1 if there are findings, 77 without strace."""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from torture import environment, TRAIN, files, plain_name, setup

CASES = {  # name: the command, then what is tried after a crash until one succeeds
    "train": (TRAIN + " --epochs 3 -o new", "train --resume new", TRAIN + " --epochs 3 -o new", TRAIN + " --epochs 3 -o new --force"),
    "resume": ("train --resume run --epochs 3", "train --resume run --epochs 3"),
    "encode": ("encode pictures/00000.png pictures/00001.png -m codes.safetensors -o new.clmc",
               "encode pictures/00000.png pictures/00001.png -m codes.safetensors -o new.clmc --force"),
    "encode --force": ("encode pictures/00001.png -m codes.safetensors -o codes.clmc --force",) * 2,
    "export onnx": ("export plain.safetensors -o new.onnx", "export plain.safetensors -o new.onnx --force"),
    "data cache": ("data cache pictures --crop 16 --cache-dir cache",) * 2,
    "study": ("study tiny.study --out new --jobs 1",) * 2,
    "anomaly train": ("anomaly train pictures -o new.safetensors --steps 2 --false-alarms 50%",
                      "anomaly train pictures -o new.safetensors --steps 2 --false-alarms 50%",
                      "anomaly train pictures -o new.safetensors --steps 2 --false-alarms 50% --force"),
}
# Written so that a crash leaves the old or the new one, whatever is in it; pictures, charts and logs can be damaged.
WHOLE = (".safetensors", ".clmc", ".onnx", ".csv", "run.json")
CALLS = ("openat,open,creat,write,pwrite64,writev,lseek,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,"
         "unlinkat,mkdir,mkdirat,rmdir,close")


def run(caelum, words, place, before=()):
    try:
        done = subprocess.run(list(before) + [caelum] + words, cwd=place, env=environment(place), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=600)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    return done.returncode, done.stderr.decode("utf-8", "replace")


# --- What was done ------------------------------------------------------------------------------------------------------

def text(word):
    """A string of strace -xx."""
    return bytes.fromhex(word.strip('".').replace("\\x", ""))


def calls(log):
    """(name, arguments, result) of each call, in the order of their ends; of a call that another thread interrupts the two parts are put together."""
    begun = {}
    for line in open(log):
        process, line = line.split(None, 1)
        if line.endswith("<unfinished ...>\n"):
            begun[process] = line[:-len("<unfinished ...>\n")].rstrip()
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>\s*", line)
        if resumed:
            line = begun.pop(process) + " " + line[resumed.end():]
        match = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", line)
        if match and int(match[3]) >= 0:
            yield match[1], re.findall(r'"(?:\\x[0-9a-f]{2})*"(?:\.\.\.)?|[^,\s]+', match[2]), int(match[3])


class Node:
    """A file or a directory. Files are the sum of changes to them, directories of entries."""

    def __init__(self, is_directory):
        self.is_directory = is_directory


class History:
    """The changes that a log tells of, below one directory: (node, kind, what). `synced` has the number of changes after which each is on
    the disk."""

    def __init__(self, place):
        self.place, self.root = os.path.realpath(place), Node(True)
        self.changes, self.synced, self.known, self.whole, self.warnings, self.ended = [], {}, {}, {}, set(), False
        for folder, _, names in os.walk(place):
            if folder != place:
                self.change(self.find(os.path.dirname(folder)), "name", (os.path.basename(folder), Node(True)))
            for name in names:
                node, path = Node(False), os.path.join(folder, name)
                with open(path, "rb") as f:
                    self.change(node, "write", (0, f.read()))
                self.change(self.find(folder), "name", (name, node))
        self.start = len(self.changes)
        self.synced = {i: 0 for i in range(self.start)}

    def change(self, node, kind, what):
        """Writes that follow each other are one change, until something else is done."""
        last = self.changes[-1] if self.changes else (None, None, None)
        if kind == last[1] == "write" and node is last[0] and what[0] == last[2][0] + len(last[2][1]):
            last[2][1].extend(what[1])
        else:
            self.changes.append((node, kind, (what[0], bytearray(what[1])) if kind == "write" else what))

    def entries(self, node):
        now = {}
        for other, kind, what in self.changes:
            if other is node and kind == "name":
                now[what[0]] = what[1]
            elif kind == "move" and what[0] is node and what[1] in now:
                del now[what[1]]
            if kind == "move" and other is node:
                now[what[2]] = what[3]
        return {name: found for name, found in now.items() if found}

    def find(self, path):
        """The node of a path; None where it is outside or not there."""
        path = os.path.normpath(os.path.join(self.place, path))
        node = self.root
        if path != self.place and not path.startswith(self.place + "/"):
            return None
        for part in [p for p in path[len(self.place):].split("/") if p]:
            node = self.entries(node).get(part) if node else None
        return node

    def sync(self, node):
        """All that was done to it is on the disk from here on. What leads to a directory should be, too: else what is in it is lost
        with its name."""
        for i, (other, kind, what) in enumerate(self.changes):
            if other is node or (kind == "move" and what[0] is node):
                self.synced.setdefault(i, len(self.changes))
            if kind == "name" and what[1] is node and node.is_directory and i not in self.synced:
                self.warnings.add("%s is synced, but not its name in the directory above" % what[0])

    def bytes(self, node):
        return self.content(tuple(i for i, change in enumerate(self.changes) if change[0] is node))

    def content(self, numbers):
        """What changes of one file make; of one as (number, zeros) half, or zeros."""
        data = b""
        if numbers in self.known:
            return self.known[numbers]
        for i in numbers:
            node, kind, what = self.changes[i[0] if isinstance(i, tuple) else i]
            if kind == "write":
                at, more = what
                if isinstance(i, tuple):
                    more = bytes(len(more)) if i[1] else more[:len(more) // 2]
                data = data[:at] + bytes(max(0, at - len(data))) + bytes(more) + data[at + len(more):]
            else:
                data = data[:what] + bytes(max(0, what - len(data)))
        if self.ended:
            self.known[numbers] = data
        return data

    def read(self, log):
        """Takes over what a log tells."""
        open_files, at = {}, {}  # by descriptor: the node, the position in it

        def place_of(words, i):
            """The directory and the name of the path that is argument i, after its directory's descriptor."""
            path = text(words[i]).decode()
            if words[i - 1] != "AT_FDCWD" and not path.startswith("/"):
                return open_files.get(int(words[i - 1])), path
            return self.find(os.path.dirname(path)), os.path.basename(path)

        for name, words, result in calls(log):
            if not name.endswith("at") and name in ("open", "creat", "rename", "link", "unlink", "mkdir", "rmdir"):
                words = sum(([ "AT_FDCWD", w] if w.startswith('"') else [w] for w in words), [])
                name = "openat" if name in ("open", "creat") else name + "at"
            if name == "openat":
                folder, leaf = place_of(words, 1)
                node = folder if leaf in (".", "") else self.entries(folder).get(leaf) if folder else None
                if folder and "O_TMPFILE" in words[2]:
                    node = Node(False)
                elif folder and not node and "O_CREAT" in words[2]:
                    node = Node(False)
                    self.change(folder, "name", (leaf, node))
                elif node and "O_TRUNC" in words[2]:
                    self.change(node, "size", 0)
                open_files[result], at[result] = node, 0
            elif name in ("write", "writev", "pwrite64"):
                node, data = open_files.get(int(words[0])), b"".join(map(text, re.findall(r'"[^"]*"', " ".join(words))))
                if node:
                    where = int(words[-1]) if name == "pwrite64" else at[int(words[0])]
                    self.change(node, "write", (where, data[:result]))
                if name != "pwrite64" and int(words[0]) in at:
                    at[int(words[0])] += result
            elif name == "lseek":
                at[int(words[0])] = result
            elif name == "ftruncate" and open_files.get(int(words[0])):
                self.change(open_files[int(words[0])], "size", int(words[1]))
            elif name in ("fsync", "fdatasync") and open_files.get(int(words[0])):
                self.sync(open_files[int(words[0])])
            elif name == "close":
                open_files.pop(int(words[0]), None)
            elif name in ("mkdirat", "unlinkat", "rmdirat"):
                folder, leaf = place_of(words, 1)
                if folder:
                    self.change(folder, "name", (leaf, Node(True) if name == "mkdirat" else None))
            elif name == "linkat":
                folder, leaf = place_of(words, 3)
                node = open_files.get(int(text(words[1]).rsplit(b"/", 1)[1]))
                if folder and node:
                    self.change(folder, "name", (leaf, node))
            elif name in ("renameat", "renameat2"):
                (old, a), (new, b) = place_of(words, 1), place_of(words, 3)
                if old and new:
                    node = self.entries(old)[a]
                    self.change(new, "move", (old, a, b, node))
                    self.whole.setdefault(plain_name(b), set()).add(self.bytes(node))


# --- What may be left -----------------------------------------------------------------------------------------------------

def build(history, kept, torn=None, zeros=False):
    """The files of a state: path -> bytes, None for a directory. Of the changes those in kept, in order; of `torn` half, or zeros."""
    done, entries = {}, {}
    for i in kept:
        node, kind, what = history.changes[i]
        if kind == "name":
            entries.setdefault(node, {})[what[0]] = what[1]
        elif kind == "move":
            entries.setdefault(what[0], {}).pop(what[1], None)
            entries.setdefault(node, {})[what[2]] = what[3]
        else:
            done.setdefault(node, []).append((i, zeros) if i == torn else i)
    state = {}

    def walk(node, path):
        for name, found in entries.get(node, {}).items():
            if found and found.is_directory:
                state[path + name] = None
                walk(found, path + name + "/")
            elif found:
                state[path + name] = history.content(tuple(done.get(found, ())))

    walk(history.root, "")
    return state


def states(history, draw):
    """Every state once."""
    seen = set()
    for k in range(history.start, len(history.changes) + 1):
        done = [i for i in range(k) if history.synced.get(i, k + 1) <= k]
        pending = [i for i in range(k) if history.synced.get(i, k + 1) > k]
        names = [i for i in pending if history.changes[i][1] in ("name", "move")]
        writes = [i for i in pending if history.changes[i][1] == "write"]
        variants = [(range(k), None, False), (done, None, False), (sorted(done + names), None, False)]
        variants += [(range(k), i, zeros) for i in writes[-3:] for zeros in (False, True)]
        for i in names[-8:]:
            variants += [(sorted(set(range(k)) - {i}), None, False), (sorted(set(range(k)) - set(names) | {i}), None, False)]
        variants += [(sorted(done + [i for i in pending if draw.random() < 0.5]), None, False) for _ in range(4 if pending else 0)]
        for kept, torn, zeros in variants:
            state = build(history, kept, torn, zeros)
            key = hash(frozenset(state.items()))
            if key not in seen:
                seen.add(key)
                yield state


def restore(place, state):
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    for path, data in sorted(state.items()):
        full = os.path.join(place, path)
        if data is None:
            os.makedirs(full, exist_ok=True)
        else:
            with open(full, "wb") as f:
                f.write(data)


# --- What comes after it --------------------------------------------------------------------------------------------------

class Case:
    def __init__(self, caelum, scratch, lines):
        self.caelum, self.place, start = caelum, scratch + "/place", scratch + "/start"
        self.line, self.next = lines[0], lines[1:]
        self.without = self.end_of(start)
        self.same = {name for name, data in self.end_of(start).items()
                     if self.without.get(name) == data and "events.out" not in name}  # there may be several of these
        shutil.rmtree(self.place)
        shutil.copytree(start, self.place)
        self.history = History(self.place)
        log = scratch + "/log"
        status, said = run(caelum, self.line.split(), self.place,
                           ("strace", "-f", "-qq", "-xx", "-s", "100000000", "-e", "signal=none", "-e", "trace=" + CALLS, "-o", log))
        if status != 0:
            sys.exit("caelum %s: status %s, %s" % (self.line, status, said))
        self.history.read(log)
        self.history.ended = True
        self.before = files(start)
        end = build(self.history, range(len(self.history.changes)))
        if {plain_name(n) for n, data in end.items() if data is not None} != set(self.without) or any(
                end.get(n) not in (None, d) for n, d in self.without.items() if n in self.same):
            sys.exit("caelum %s: the log doesn't lead to the files that are there" % self.line)

    def end_of(self, start):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(start, self.place)
        status, said = run(self.caelum, self.line.split(), self.place)
        if status not in (0, 10):
            sys.exit("caelum %s: status %s, %s" % (self.line, status, said))
        return files(self.place)

    def judge(self, state):
        """What is wrong with what comes after the crash, or before."""
        wrong, said = [], ""
        for name, data in state.items():
            own = self.history.whole.get(plain_name(os.path.basename(name)), set())
            if name.endswith(WHOLE) and ".tmp" not in name and data not in own and data != self.before.get(name):
                wrong.append("%s is damaged" % name)
        restore(self.place, state)
        for line in self.next:
            status, said = run(self.caelum, line.split(), self.place)
            if status in (0, 10):
                break
            if status not in (1, 2, 3, 4) or not re.search(r"^caelum: .*\w", said, re.M):
                wrong.append("caelum %s: status %s" % (line, status))
        else:
            return wrong + ["nothing of it succeeds: %s" % said.strip()[-300:]]
        after = files(self.place)
        for name in self.same:
            if after.get(name) != self.without[name]:
                wrong.append("%s %s" % (name, "differs" if name in after else "is missing"))
        return wrong


def main():
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode:
        print("skipped: no strace that may trace")
        sys.exit(77)
    caelum = os.path.abspath(sys.argv[1])
    most, seed = int((sys.argv[2:3] or ["0"])[0]), (sys.argv[3:4] or ["1"])[0]
    wanted, draw, totals, seen = sys.argv[4:] or list(CASES), random.Random(seed), [0, 0, 0], set()
    with tempfile.TemporaryDirectory() as scratch:
        setup(caelum, "", scratch + "/start", finder=False)
        for name in wanted:
            case = Case(caelum, scratch, CASES[name])
            every = list(states(case.history, draw))
            tried = draw.sample(every, most) if 0 < most < len(every) else every
            findings = 0
            for state in tried:
                wrong = case.judge(state)
                findings += bool(wrong)
                kind = re.sub(r"[0-9a-f]{6,}", "*", "; ".join(sorted(wrong)))
                if wrong and (name, kind) not in seen:
                    seen.add((name, kind))
                    print("caelum %s: %s\n    left: %s" % (name, kind, ", ".join(
                        "%s %s" % (n, "/" if d is None else len(d)) for n, d in sorted(state.items())
                        if d is None or case.before.get(plain_name(n)) != d)), flush=True)
            for warning in sorted(case.history.warnings):
                findings += 1
                print("caelum %s: %s" % (name, warning))
            changes = len(case.history.changes) - case.history.start
            print("%-16s %5d changes, %5d states, %5d tried, %4d findings" % (name, changes, len(every), len(tried), findings), flush=True)
            totals = [a + b for a, b in zip(totals, (len(every), len(tried), findings))]
    print("%d cases, %d states, %d tried, %d findings" % (len(wanted), *totals))
    sys.exit(totals[2] > 0)


main()
