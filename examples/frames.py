"""frames.py - trains on frames in memory until validation gets worse, then scores the next ones in a second thread: what
it has not seen moving like that it reconstructs badly."""
import threading

import caelum
import numpy as np

t, y, x = np.mgrid[:500, :32, :32]
dx, dy = abs(x - 16 - 10 * np.sin(0.07 * t)), abs(y - 16 - 10 * np.cos(0.11 * t))
ball = np.where(t == 437, np.maximum(dx, dy) < 6, dx ** 2 + dy ** 2 < 25)[..., None]  # once, it has corners
frames = np.where(ball, [230, 120, 40], np.stack([40 + 3 * y, 90 + 3 * y, 200 + 0 * y], 3)).astype(np.uint8)
network = """input 3\nconv 8 stride=2 relu\nconv 8 stride=2 relu\nlatent
upsample\nconv 8 relu\nupsample\nconv 3 sigmoid\n"""
losses = [1.0]


def worse(now):  # after every batch, and after every epoch with its figures; true: enough
    losses.extend([now.finished.val_loss] if now.finished else [])
    return now.finished and losses[-1] > losses[-2]


def score():  # a model may be run by any number of threads
    errors = [np.mean((run.model.reconstruct(frame, threads=1) - frame.astype(float)) ** 2) for frame in frames[400:]]
    print(f"the strangest of the next {len(errors)} frames is number {np.argmax(errors)}")


run = caelum.train(network, frames[:400], epochs=200, lr=0.015, progress=worse)  # without `out` no file is written
print(f"{run.epochs} epochs, validation {run.best_val_loss:.5f}")
second = threading.Thread(target=score)
second.start()
second.join()
