"""What the tests share: the program beside which the package must do the same, the models, and pictures."""
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(os.environ["SOURCE_DIR"])


@pytest.fixture
def models():
    return ROOT / "models"


@pytest.fixture
def program():
    """Runs caelum with some words; gives what it prints, as JSON where that is asked for."""
    def run(*words):
        done = subprocess.run([os.environ["CAELUM"], *map(str, words)], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout) if "--json" in words else done.stdout
    return run


@pytest.fixture
def photo():
    """A picture of a few soft shapes, uint8 [40, 56, 3]."""
    y, x = np.mgrid[:40, :56] / 10
    return np.stack([np.sin(x + c) * np.cos(y * (1 + c / 4)) * 120 + 128 for c in range(3)], 2).astype(np.uint8)
