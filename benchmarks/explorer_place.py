"""How long a served run takes to place a new image: `place_ms`, and `place_ready_s` from the start until it can."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import layerwise as lw
from layerwise.runs import read_json

IMAGES, ASKED_EVERY_S, READY_S = 25, 0.5, 900.0


def measure_place(run: Path, *, quick: bool) -> dict[str, Any]:
    """Upload images to a served run: a ResNet-20 on CIFAR-10 with 10,000 training images, or on digits.

    Args:
        run: made if it is not there, which takes half an hour for CIFAR-10.
        quick: 600 digits, and no t-SNE.
    """
    if not (run / "maps" / "maps.json").exists():
        make_run(run, quick=quick)
    pictures = load_pictures(read_json(run / "run.json")["steps"]["difficulty"]["data"])
    with lw.explore(run) as explorer:
        began = time.perf_counter()
        while not placed(explorer.address, pictures[0]):
            if time.perf_counter() - began > READY_S:
                raise TimeoutError(f"no image was placed within {READY_S:.0f} s")
            time.sleep(ASKED_EVERY_S)
        ready_s = time.perf_counter() - began
        times = []
        for picture in pictures[1:]:
            start = time.perf_counter()
            if not placed(explorer.address, picture):
                raise RuntimeError("an image was refused")
            times.append(1e3 * (time.perf_counter() - start))
    return {"place_ms": statistics.median(times), "place_max_ms": max(times), "place_ready_s": ready_s}


def load_pictures(spec: str) -> list[bytes]:
    """Images of the test split as PNG files."""
    return [as_png(np.asarray(image)) for image in lw.load_data(spec).test.images[: IMAGES + 1]]


def make_run(run: Path, *, quick: bool) -> None:
    """Measure a network and draw its maps."""
    folder = Path(os.environ.get("LAYERWISE_DATA", "")) / "data" / "cifar10"
    photos = not quick and folder.joinpath("train.parquet").is_file()
    spec = f"parquet:{folder}?limit=10000" if photos else f"digits?limit={600 if quick else 10000}"
    program = Path(sys.executable).with_name("layerwise")
    for command in (
        ["difficulty", "--model", "resnet20", "--data", spec, "--taps", "blocks", "-o", run],
        ["inside", run, "--embed", "pca" if quick else "pca,tsne"],
    ):
        subprocess.run([program, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def as_png(image: np.ndarray) -> bytes:
    """An image (C, H, W) of bytes, or of any numbers stretched to them, as a file."""
    image = np.asarray(image, np.float64)
    span = np.ptp(image) or 1.0
    pixels = np.rint(255 * (image - image.min()) / span).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(buffer, format="PNG")
    return buffer.getvalue()


def placed(address: str, picture: bytes) -> bool:
    """Whether the server could say where a picture goes; False while it is not ready."""
    request = urllib.request.Request(f"{address}api/place", picture, {"Content-Type": "image/png"})
    try:
        with urllib.request.urlopen(request, timeout=READY_S) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return False
