"""load.py TEST_LOAD CAELUM [PART] - much of one thing, or one PART-th of it: trainings in one process, threads on one model, steps
of one training (load_test.c), pictures in a folder. Each prints its figures; exit status 1 where a result differs, something
grows, or a command fails."""
import os
import resource
import subprocess
import sys
import tempfile
import time

NET = "input 3\nconv 4 stride=2 relu\nlatent\nupsample\nconv 3 sigmoid\n"


def run(words, place):
    """Seconds that it took."""
    begun = time.time()
    env = {**os.environ, "CAELUM_CACHE": place + "/cache", "HOME": place}
    done = subprocess.run(words, cwd=place, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: status %s, %s" % (" ".join(words), done.returncode, done.stderr.strip()[-500:]))
    return time.time() - begun


def folder(caelum, place, count):
    with open(place + "/tiny.net", "w") as f:
        f.write(NET)
    run([caelum, "data", "export", "synthetic:%d:16" % (10 * count // 8), "--split", "train", "-o", "pictures", "-q"], place)
    count = len(os.listdir(place + "/pictures"))
    took = ["%s %.1f s" % (name, run([caelum] + words.split(), place)) for name, words in (
        ("prepared in", "data cache pictures"), ("described in", "data info pictures"),
        ("a step in", "train tiny.net --data pictures --batch 65536 --epochs 1 -o run -q"),
        ("measured in", "eval run --data pictures --no-baselines"),
        ("each reconstructed in", "reconstruct run pictures -o out -q"))]
    if len(os.listdir(place + "/out")) != count:
        sys.exit("expected a reconstruction of each of %d pictures" % count)
    print("%d pictures in a folder: %s; at most %d MB" % (
        count, ", ".join(took), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10), flush=True)


def main():
    test, caelum = map(os.path.abspath, sys.argv[1:3])
    part = int((sys.argv[3:4] or ["1"])[0])
    with tempfile.TemporaryDirectory() as place:
        for words in ("trainings", 10000), ("threads", 60), ("steps", 1000000):
            if subprocess.run([test, words[0], str(max(words[1] // part, 1))]).returncode != 0:
                sys.exit(1)
        folder(caelum, place, 100000 // part)


if __name__ == "__main__":
    main()
