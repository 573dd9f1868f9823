"""A camera's frames judged by a finder of defects that `caelum anomaly train` made.

    python3 judge.py part.safetensors

The frames are arrays, uint8 [height, width, 3] or grey [height, width]; here they are drawn, and every third has a spot.
"""
import sys

import caelum
import numpy as np


def frames(count=6, side=96):
    """In place of a camera."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:side, :side]
    for number in range(count):
        frame = 128 + 40 * np.sin(x / 5) * np.cos(y / 7) + 8 * random.random((side, side))
        if number % 3 == 2:
            frame[60:68, 40:48] = 250
        yield frame.astype(np.uint8)


def main(path):
    finder = caelum.Anomaly(path)
    bad = 0
    for number, frame in enumerate(frames()):
        verdict = finder.score(frame)
        print(f"frame {number}: {'BAD' if verdict.bad else 'good'}, score {verdict.score:.4f}, p {verdict.p:.4f}")
        for box in verdict.boxes:
            worst = verdict.map[box.y:box.y + box.height, box.x:box.x + box.width].max()
            print(f"    at {box.x},{box.y}: {box.width}x{box.height} pixels, {worst:.4f} at most")
        bad += verdict.bad
    return 10 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
