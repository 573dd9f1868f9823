"""torture.py CAELUM FAIL.SO [places|every|N [SEED [COMMAND...]]] - each command of a table with one of its calls failing
(fail.c), over and over. Of the calls that are made at one place, with the same 24 frames above, the first, the last and one drawn
by SEED fail, of a command that takes long the last, at 100 places; or every call; or N of each command, drawn. Prints what breaks a
promise of docs/command-line.md, each place once, and calls, places, runs and findings; exit status 1 if there are findings."""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

TRAIN = "train tiny.net --data synthetic:60:16 --batch 20 --task colorize --limit 60"
COMMANDS = {  # name: arguments; what is there before is whatever setup() makes
    "inspect": "inspect tiny.net --json",
    "train": TRAIN + " --epochs 1 -o new",
    "resume": "train --resume run --epochs 2",
    "eval": "eval color.safetensors --data synthetic:60:16",
    "reconstruct": "reconstruct plain.safetensors pictures/00000.png -o out",
    "colorize": "colorize pictures/00000.png --model color.safetensors -o out",
    "colorize --force": "colorize pictures --model color.safetensors -o old --force",
    "encode": "encode pictures/00000.png -m codes.safetensors -o new.clmc",
    "decode": "decode codes.clmc -m codes.safetensors -o out",
    "export onnx": "export plain.safetensors -o new.onnx",
    "export npz": "export plain.safetensors -o new.npz",
    "import": "import plain.onnx -o new.safetensors",
    "import --force": "import plain.onnx -o color.safetensors --force",
    "activations": "activations plain.safetensors --data synthetic:60:16 -o new.npz",
    "data cache": "data cache pictures --crop 16 --cache-dir cache",
    "data export": "data export synthetic:20:16 --count 2 -o out",
    "anomaly train": "anomaly train pictures -o new.safetensors --steps 1 --false-alarms 50%",
    "anomaly resume": "anomaly train pictures -o kept.safetensors --steps 1 --false-alarms 50%",
    "anomaly find": "anomaly find finder.safetensors pictures/00000.png -o out",
    "anomaly calibrate": "anomaly calibrate finder.safetensors pictures",
    "study": "study tiny.study --out new --jobs 1",
    "compare": "compare run run2",
    "config": "config train --json",
}
# Without memory the first two end the program or crash, the third leaves out words and does not say so. Only files that were there
# are judged.
FATAL = ("libarchive", "libgfortran", "cairo_show_text")
NET = "input {}\nconv 4 relu\nmaxpool\nconv 4 relu\nlatent\n{}upsample\nconv {} sigmoid\n"
STUDY = """title "Tiny"
defaults epochs=1 batch=20 limit=60 seeds=1 data=synthetic:60:16
section one "One"
run tiny plain.net
show curves
"""
FONTS = "/usr/share/fonts/truetype/dejavu"  # these alone: to read all that a system has takes 12,000 calls
STATUSES = {0, 1, 2, 3, 4, 7, 10}
MEMORY = {"malloc", "calloc", "realloc", "aligned_alloc", "newlocale", "fork", "pthread_create"}


def environment(place):
    return {"PATH": os.environ["PATH"], "HOME": place + "/home", "CAELUM_CACHE": place + "/cache", "CAELUM_THREADS": "1",
            "FONTCONFIG_SYSROOT": os.path.dirname(place), "FONTCONFIG_FILE": "/fonts.conf", "LC_ALL": "C"}


def run(caelum, words, place, preload, at):
    """Status, what it said, and the failed call with its frames or, where none fails, the place of each call."""
    report = place + ".report"
    if os.path.exists(report):
        os.remove(report)
    env = {**environment(place), "FAIL_AT": str(at), "FAIL_REPORT": report, "LD_PRELOAD": preload}
    try:
        done = subprocess.run([caelum] + words, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=1800)  # a busy machine takes a hundred times as long as others
    except subprocess.TimeoutExpired:
        return "hangs", "", []
    lines = open(report, errors="replace").read().split("\n") if os.path.exists(report) else []
    return done.returncode, done.stderr.decode("utf-8", "replace"), [line for line in lines if line]


def plain_name(name):
    """Without times, processes and keys."""
    return re.sub(r"[0-9a-f]{6,}[-.0-9a-z]*", "*", name)


def files(place):
    """Every file below a directory, with its bytes."""
    found = {}
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                found[plain_name(os.path.relpath(path, place))] = f.read()
    return found


def setup(caelum, preload, place, finder=True):
    os.mkdir(place)
    os.makedirs(place + "/.." + os.path.dirname(FONTS))
    os.symlink(FONTS, place + "/.." + FONTS)
    for name, text in (("tiny.net", NET.format(1, "", 2)), ("plain.net", NET.format(3, "", 3)),
                       ("codes.net", NET.format(3, "quantize 0.1\n", 3)), ("tiny.study", STUDY),
                       ("../fonts.conf", "<fontconfig><dir>%s</dir><cachedir>/fonts</cachedir></fontconfig>\n" % FONTS)):
        with open(os.path.join(place, name), "w") as f:
            f.write(text)
    common = " --data synthetic:60:16 --batch 20 --limit 60 --epochs 1 -q -o "
    for line in (TRAIN + " --epochs 1 -q -o run", TRAIN + " --epochs 1 -q --seed 2 -o run2", "train plain.net" + common + "plain",
                 "train codes.net" + common + "codes", "data export synthetic:40:16 --split train --count 12 -o pictures -q",
                 "colorize pictures --model run/last.safetensors -o old -q",
                 "anomaly train pictures -o finder.safetensors --steps 1 --false-alarms 50% -q",
                 "export plain/last.safetensors -o plain.onnx", "export plain/last.safetensors -o plain.safetensors",
                 "export run/last.safetensors -o color.safetensors", "export codes/last.safetensors -o codes.safetensors",
                 "encode pictures/00000.png -m codes.safetensors -o codes.clmc -q"):
        if line.startswith("anomaly") and not finder:
            continue
        status, said, _ = run(caelum, line.split(), place, preload, 0)
        if status != 0:
            sys.exit("caelum %s: status %s, %s" % (line, status, said))
    if finder:  # one that is trained, but could not be saved
        words = COMMANDS["anomaly resume"].split()
        calls = len(run(caelum, words, place, preload, 0)[2])
        os.remove(place + "/kept.safetensors")
        if all(run(caelum, words, place, preload, calls * share // 100)[0] != 7 for share in (97, 95, 90)):
            sys.exit("caelum %s: saved whatever fails" % " ".join(words))
    for name in ("cache", "plain", "codes"):
        shutil.rmtree(os.path.join(place, name), ignore_errors=True)


class Command:
    """One command with what it does where nothing fails."""

    def __init__(self, caelum, preload, scratch, words):
        self.caelum, self.preload, self.words = caelum, preload, words
        self.start, self.place = scratch + "/start", scratch + "/place"
        self.prepare()
        self.before = files(self.place)
        begun = os.times().children_user
        self.status, said, self.places = self.once(0)
        self.slow = os.times().children_user - begun > 0.5
        if self.status not in (0, 10) or not self.places:
            sys.exit("caelum %s: status %s, %s" % (" ".join(words), self.status, said))
        first = files(self.place)
        self.once(0)
        self.after = files(self.place)
        # what is not the same each time, or has figures that may be left out, may differ
        self.same = {name for name in first if self.after.get(name) == first[name] and not re.match("cache/(colorizers|linear)-", name)}

    def prepare(self):
        """What the command finds: of what is large only what it names."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.start, self.place, ignore=lambda _, names: [
            name for name in names if name.startswith(("finder.", "kept.")) and name.split(".")[0] not in " ".join(self.words)])

    def once(self, at):
        self.prepare()
        return run(self.caelum, self.words, self.place, self.preload, at)

    def tried(self, which, draw):
        """Numbers of the calls that are to fail."""
        every = [at for at, place in enumerate(self.places, 1) if place != "0"]  # fail.c
        if which != "places":
            return every if which == "every" else sorted(draw.sample(every, min(int(which), len(every))))
        made = {}
        for at in every:
            made.setdefault(self.places[at - 1], []).append(at)
        if self.slow:
            return sorted(draw.choice(calls) for calls in draw.sample(list(made.values()), min(100, len(made))))
        return sorted({at for calls in made.values() for at in (calls[0], calls[-1], draw.choice(calls))})

    def judge(self, at):
        """The n-th call fails: what is wrong with what the program makes of it, and the call."""
        status, said, failed = self.once(at)
        now, wrong = files(self.place), []
        if status not in STATUSES:
            wrong.append("status %s" % status)
        elif failed and failed[0] in MEMORY and status not in (0, 7, self.status) and not re.search("allocate memory|shared object", said):
            wrong.append("status %s where memory or threads are missing" % status)
        elif status not in (0, 10) and not re.search(r"^caelum\b.*: .*\w", said, re.M):
            wrong.append("status %s without a reason" % status)
        for name in set(self.before) - set(now) - (set(self.before) - set(self.after)):
            wrong.append("%s is gone" % name)
        for name, data in now.items():
            if ".tmp" in name:
                wrong.append("%s is left" % name)
            elif name in self.same and data not in (self.after[name], self.before.get(name)) and ": left out: " not in said:
                wrong.append("%s is neither as before nor as without a failure" % name)
            elif name not in self.after and name not in self.before and status in (0, 10):
                wrong.append("%s is there" % name)
            elif not data and self.after.get(name) != b"" and "tfevents" not in name:  # which grows a record at a time
                wrong.append("%s is empty" % name)
        if status == self.status:
            for name in self.after.keys() - now.keys():
                if not name.startswith("cache/"):  # what is kept for the next time
                    wrong.append("success, but %s is missing" % name)
        if any(library in frame for library in FATAL for frame in failed):
            wrong = [w for w in wrong if w.endswith((" is gone", " is left"))]
        return wrong, said, failed


def where(caelum, failed):
    """The functions of the program in the frames of a failed call."""
    at = re.findall(r"%s\(\+(0x[0-9a-f]+)\)" % re.escape(os.path.basename(caelum)), "\n".join(failed))
    if not at:
        return ""
    names = subprocess.run(["addr2line", "-f", "-e", caelum] + ["%#x" % (int(a, 16) - 1) for a in at],
                           capture_output=True, text=True).stdout.split("\n")[::2]
    return " < ".join(name for name in names if name)


def main():
    caelum, preload = map(os.path.abspath, sys.argv[1:3])
    which, seed = (sys.argv[3:] + ["places", "1"][len(sys.argv) - 3:])[:2]
    wanted, draw, seen, totals = sys.argv[5:] or list(COMMANDS), random.Random(seed), set(), [0, 0, 0, 0]
    with tempfile.TemporaryDirectory() as scratch:
        setup(caelum, preload, scratch + "/start")
        for name in wanted:
            command = Command(caelum, preload, scratch, COMMANDS[name].split())
            tried, findings = command.tried(which, draw), 0
            for at in tried:
                wrong, said, failed = command.judge(at)
                kind = "; ".join(sorted(wrong)), where(caelum, failed) if wrong else ""
                findings += bool(wrong)
                if wrong and kind not in seen:
                    seen.add(kind)
                    print("caelum %s: call %d, %s: %s\n    %s\n    said: %s" % (
                        name, at, failed[0] if failed else "?", *kind, said.strip()[-300:]), flush=True)
            places = [place for place in command.places if place != "0"]
            figures = len(places), len(set(places)), len(tried), findings
            print("%-20s %6d calls at %5d places, %6d runs, %4d findings" % (name, *figures), flush=True)
            totals = [a + b for a, b in zip(totals, figures)]
    print("%d commands, %d calls at %d places, %d runs, %d findings" % (len(wanted), *totals))
    sys.exit(totals[3] > 0)


if __name__ == "__main__":
    main()
