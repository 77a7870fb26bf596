"""A made-up payload in the folder form, to look at the page with: made_up.py FOLDER --count 600 --classes 10."""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

STATIC = Path(__file__).parents[2] / "src/layerwise/web/static"
DTYPES = {"u1": np.uint8, "u2": np.uint16, "u4": np.uint32, "i4": np.int32, "f4": np.float32}
WORDS = "circle square rectangle right_triangle heart ellipse star hexagon cross ring arrow moon leaf drop wave spiral kite cloud key bolt".split()


class Packs:
    def __init__(self, seed: int) -> None:
        self.bytes: dict[str, bytes] = {}
        self.rng = np.random.default_rng(seed)

    def add(self, pack, values, item):
        data = json.dumps(list(values)).encode() if item == "json" else np.ascontiguousarray(values, DTYPES[item]).tobytes()
        shape = [len(values)] if item == "json" else list(np.shape(values))
        start = len(self.bytes.get(pack, b""))
        self.bytes[pack] = self.bytes.get(pack, b"") + data + bytes(-len(data) % 4)
        return {"pack": pack, "dtype": item, "shape": shape, "offset": start, "bytes": len(data)}


def pictures_of(labels, rng, side=32, classes=10):
    """A blob whose place and hue are the class's, with noise; the row number as bits in the first line."""
    yy, xx = np.mgrid[0:side, 0:side] / side
    out = np.zeros((len(labels), side, side, 3), np.uint8)
    for start in range(0, len(labels), 2000):
        label = labels[start : start + 2000]
        angle = 2 * np.pi * label / classes
        cx, cy = 0.5 + 0.22 * np.cos(angle), 0.5 + 0.22 * np.sin(angle)
        cx, cy = cx + rng.normal(0, 0.05, len(label)), cy + rng.normal(0, 0.05, len(label))
        d = np.hypot(xx - cx[:, None, None], (yy - cy[:, None, None]) * (1 + (label % 3)[:, None, None] / 2))
        blob = np.clip((0.28 - d) * 12, 0, 1)
        hue = np.stack([0.6 + 0.4 * np.cos(angle + k * 2.1) for k in range(3)], -1)
        base = rng.uniform(0.1, 0.5, (len(label), 1, 1, 3))
        made = base + (hue[:, None, None, :] - base) * blob[..., None] + rng.normal(0, 0.04, (len(label), side, side, 1))
        out[start : start + 2000] = (255 * np.clip(made, 0, 1)).astype(np.uint8)
    rows = np.arange(len(labels))
    bits = (rows[:, None] >> np.arange(20)) & 1
    out[:, 0, :20] = (bits * 255)[..., None]
    return out


def sheets_of(pictures, name, folder):
    side = pictures.shape[1]
    files = []
    for start in range(0, len(pictures), 1024):
        part = pictures[start : start + 1024]
        rows = -(-len(part) // 32)
        grid = np.zeros((rows * 32, side, side, 3), np.uint8)
        grid[: len(part)] = part
        sheet = grid.reshape(rows, 32, side, side, 3).transpose(0, 2, 1, 3, 4).reshape(rows * side, 32 * side, 3)
        buffer = io.BytesIO()
        Image.fromarray(sheet).save(buffer, "WEBP", lossless=True, method=0)
        files.append(f"{name}-{start // 1024}.webp")
        (folder / files[-1]).write_bytes(buffer.getvalue())
    return {"width": side, "height": side, "columns": 32, "rows": 32, "count": len(pictures), "files": files}


def made(options, folder):
    rng = np.random.default_rng(0)
    packs = Packs(0)
    n, m, k, taps = options.count, options.base, options.classes, options.taps
    (folder / "sheets").mkdir(parents=True, exist_ok=True)
    names = [f"layer{1 + t // 3}.{t % 3}" for t in range(taps - 1)] + ["logits"]
    classes = [WORDS[c] if c < len(WORDS) else f"class {c:03d}" for c in range(k)]
    if options.long:
        classes = [f"<b>{name}</b> & the very long name of a class that goes on and on, number {c}" for c, name in enumerate(classes)]
        names = [f"backbone.stages.{t}.blocks.residual.downsample.{name}" for t, name in enumerate(names)]
    label, base_label = rng.integers(0, k, n), rng.integers(0, k, m)
    hard = rng.beta(1.4, 2.2, n)
    other = (label + rng.integers(1, k, n)) % k
    wrong = rng.random(n) < hard**4
    prediction = np.where(wrong, other, label)
    settle = np.clip(np.floor(hard * (taps + 1.5) - 1), 0, taps).astype(int)
    votes = np.where(np.arange(taps) >= settle[:, None], prediction[:, None], rng.integers(0, k, (n, taps)))
    votes[np.arange(n)[settle > 0], settle[settle > 0] - 1] = other[settle > 0]
    votes[(settle > 0) & (other == prediction), 0] = 0
    agrees = votes == prediction[:, None]
    depth = taps - np.cumprod(agrees[:, ::-1], axis=1).sum(axis=1)
    confidence = np.clip(1 - 0.6 * hard**2 + rng.normal(0, 0.05, n), 1 / k, 0.9999)
    correct = (prediction == label).astype(int)
    small = "u1" if k < 255 else "u2"
    columns = []

    def column(name, title, about, kind, values, item, group, direction=None, categories=None):
        known = np.asarray(values, float)
        known = known[np.isfinite(known) & (known != {"u1": 255, "u2": 65535, "i4": -(2**31)}.get(item, np.inf))]
        span = [float(known.min()), float(known.max())] if len(known) else None
        columns.append({"name": name, "title": title, "about": about, "kind": kind, "direction": direction, "categories": categories,
                        "array": packs.add("columns", values, item), "range": span, "group": group})

    column("split", "Split", "Which part of the data the example is from.", "category", np.where(np.arange(n) % 6 == 0, 1, 0), "u1", "example", categories=["test", "validation"])
    column("label", "Label", "The class given with the image.", "class", label, small, "example")
    column("prediction", "Prediction", "The class with the highest probability.", "class", prediction, small, "network")
    column("reference", "Reference", "The class that probes are held against: the prediction.", "class", prediction, small, "network")
    column("correct", "Right", "Whether the prediction is the label.", "flag", correct, "u1", "network")
    column("confidence", "Confidence", "The probability of the prediction; high is easy.", "number", confidence, "f4", "network", "high is easy")
    column("depth", "Prediction depth", "The first tap from which every later probe agrees with the reference class; high is hard.", "whole", depth, "i4", "depth", "high is hard")
    column("soft_depth", "Soft depth", "Depth with the probes' shares of votes; high is hard.", "number", depth + rng.normal(0, 0.3, n), "f4", "depth", "high is hard")
    exit_taken = np.clip(depth // 4, 0, 3)
    exits = None
    if not options.bare:
        column("exit", "Exit taken", "The first exit whose confidence reaches its threshold.", "category", exit_taken, "u1", "exits", categories=["exit 1", "exit 2", "exit 3", "final"])
        forget = np.where(rng.random(n) < 0.3, -(2**31), (hard * 9).astype(int))
        column("forgetting", "Forgetting events", "How often it was learned and then got wrong again; high is hard.", "whole", forget, "i4", "training", "high is hard")
        column("loss", "Loss", "Cross-entropy at the end of training; high is hard.", "number", -np.log(np.clip(confidence, 1e-3, 1)) * np.exp(rng.normal(0, 1, n)), "f4", "training", "high is hard")
        column("margin", "Margin", "Logit of the label less the largest other; high is easy.", "number", (1 - hard * 2) * 9 + rng.normal(0, 1, n), "f4", "training", "high is easy")
        aum = np.where(rng.random(n) < 0.5, np.nan, rng.normal(0, 1, n))
        column("aum", "Area under the margin", "Mean margin over the epochs; high is easy.", "number", aum, "f4", "training", "high is easy")
        kinds = np.where(hard < 0.4, 0, np.where(correct == 0, 3, rng.integers(1, 3, n)))
        column("kind", "Kind of hardness", "By depth when held out and depth when trained on.", "category", kinds, "u1", "kinds", categories=["easy", "looks like another class", "ambiguous until the end", "hard"])
        suspicion = np.where(wrong, 0.6 + 0.4 * rng.random(n), 0.4 * rng.random(n))
        column("suspicion", "Suspicion", "How likely the label is wrong; high is suspect.", "number", suspicion, "f4", "labels", "high is hard")
        column("suggested", "Suggested label", "The class that the label should perhaps be.", "class", np.where(wrong, other, 255 if small == "u1" else 65535), small, "labels")
        for factor in ("size", "rotation", "brightness", "noise"):
            column(f"factor_{factor}", factor.capitalize(), f"The {factor} that the image was drawn with.", "number", rng.random(n) * (360 if factor == "rotation" else 1), "f4", "factors")
        exits = {"names": ["exit 1", "exit 2", "exit 3", "final"], "policy": "confidence at least 0.9 at each exit", "column": "exit",
                 "confidence": packs.add("exits", np.clip(confidence[:, None] - 0.12 * np.arange(3, -1, -1) + rng.normal(0, 0.04, (n, 4)), 0.1, 0.9999), "f4")}
    maps = [] if options.no_maps else maps_of(options, packs, names, label, hard, depth, rng)
    neighbors = neighbors_of(packs, label, base_label, depth, taps, other, rng)
    pictures = pictures_of(label, rng, classes=k)
    base_pictures = pictures_of(base_label, rng, classes=k)
    by_class = [np.flatnonzero(label == c) for c in range(k)]
    units, unit_rows = units_of(names, by_class, label, k, rng, n)
    folder_sheets = folder / "sheets"
    return packs, {
        "format": 1, "name": "shapes-resnet18" if not options.long else "a run with quite a long name in runs/2025/shapes-resnet18-width-64", "count": n, "base_count": m, "classes": classes,
        "taps": [{"name": name, "shape": f"{64 * 2 ** (t // 3)}×{32 >> (t // 3)}×{32 >> (t // 3)}", "features": 64 * 2 ** (t // 3), "facts": {"parameters": 1000 * (t + 1) ** 3, "MACs": 10**6 * (t + 1), "probe accuracy": round(0.4 + 0.5 * t / taps, 3)}} for t, name in enumerate(names)],
        "depth_names": [*names, "unresolved"], "columns": columns,
        "ids": packs.add("ids", [f"test/{row:05d}.png" for row in range(n)], "json"),
        "base_ids": packs.add("base-ids", [f"train/{row:05d}.png" for row in range(m)], "json"),
        "base_label": packs.add("base", base_label, small), "votes": packs.add("votes", votes, small), "neighbors": neighbors, "maps": maps, "exits": exits,
        "pictures": sheets_of(pictures, "examples", folder_sheets), "base_pictures": sheets_of(base_pictures, "base", folder_sheets),
        "units": [] if options.bare else units, "unit_pictures": None if options.bare else sheets_of(pictures[unit_rows], "units", folder_sheets),
        "facts": [{"title": "Network", "lines": [["model", "resnet18 (CIFAR stem)"], ["parameters", "11.2 million"], ["weights", "epoch 10 of 10"], ["accuracy", "0.912 [0.905, 0.919] on 6,000 test images"]]},
                  {"title": "Data", "lines": [["data set", "shapes"], ["seed", "0"], ["images", f"{n:,} examined, {m:,} to train"]]},
                  {"title": "Software", "lines": [["layerwise", "0.4.0"], ["torch", "2.9.0"], ["made", "2025-11-23 06:00 UTC"]]}],
        "missing": [*([{"part": "Maps", "words": "No maps of the representations were made.", "command": "layerwise inside runs/shapes --maps"}] if options.no_maps else []),
                    *([{"part": "Exits", "words": "No exits were trained.", "command": "layerwise exits train runs/shapes --at layer1,layer2"}, {"part": "Units", "words": "Units were not measured.", "command": "layerwise inside runs/shapes"}] if options.bare else []),
                    {"part": "Influence", "words": "No second run to compare with.", "command": "layerwise difficulty runs/shapes --folds 5"}],
        "can": {"place": options.server, "feature_maps": options.server},
    }


def maps_of(options, packs, names, label, hard, depth, rng):
    n, k = options.count, options.classes
    drawn = n if not options.partial else n // 2
    angle = 2 * np.pi * np.arange(k) / k
    centers = np.stack([np.cos(angle), np.sin(angle)], 1) * (1 if k < 30 else rng.uniform(0.2, 1, (k, 1)))
    noise, drift = rng.normal(0, 1, (n, 2)), rng.normal(0, 1, (n, 2))
    found = []
    for method, title, spread in (("tsne", "t-SNE", 0.10), ("umap", "UMAP", 0.07), ("pca", "PCA", 0.22)):
        taps = []
        for order, tap in [(-1, "pixels"), *enumerate(names)]:
            share = (order + 1) / len(names)
            apart = 1 / (1 + np.exp(-8 * (share - 0.15 - 0.8 * hard)))
            xy = centers[label] * apart[:, None] + noise * (spread + 0.3 * (1 - apart[:, None])) + 0.05 * drift * np.sin(order)
            low, high = xy.min(0), xy.max(0)
            points = np.rint((xy - (low + high) / 2) * 65534 / (high - low).max() + 32767).clip(0, 65534).astype(np.uint16)
            points[drawn:] = 65535
            taps.append({"tap": tap, "order": order, "points": packs.add(f"map-{method}-{order + 1}", points, "u2"), "facts": {"trustworthiness": round(0.9 + 0.08 * share, 4), "of 10 neighbours kept": round(0.2 + 0.2 * share, 4)}})
        found.append({"method": method, "title": title, "taps": taps, "drawn": drawn})
    return found


def neighbors_of(packs, label, base_label, depth, taps, other, rng):
    n, m, k = len(label), len(base_label), base_label.max() + 1
    order = np.argsort(base_label, kind="stable")
    starts = np.searchsorted(base_label[order], np.arange(k + 1))
    refs = []
    for t in range(taps):
        own = rng.random((n, 10)) < np.where(t >= depth, 0.9, 0.3)[:, None]
        wanted = np.where(own, label[:, None], other[:, None])
        width = starts[wanted + 1] - starts[wanted]
        rows = order[starts[wanted] + (rng.random((n, 10)) * width).astype(int).clip(0, np.maximum(width - 1, 0))]
        refs.append(packs.add(f"neighbors-{t}", rows, "u2" if m < 65536 else "u4"))
    return {"count": 10, "taps": refs}


def units_of(names, by_class, label, k, rng, n):
    units, rows = [], []
    for t, tap in enumerate(names[:6]):
        own = []
        for unit in range(64):
            fires = 0.0 if unit % 17 == 3 else float(rng.beta(1, 3))
            cls = int(rng.integers(0, k))
            pool = by_class[cls] if len(by_class[cls]) else np.arange(n)
            top = rng.choice(pool, 9)
            top[rng.random(9) < 0.3] = rng.integers(0, n)
            labels = label[top].tolist()
            own.append({"unit": unit, "fires": fires, "dead": fires == 0, "saturated": unit % 23 == 5, "selectivity": None if fires == 0 else float(rng.random()), "excited_by": cls,
                        "shown": list(range(len(rows), len(rows) + 9)), "ids": [f"test/{r:05d}.png" for r in top], "values": sorted(rng.gamma(3, 1, 9).tolist(), reverse=True), "labels": labels,
                        "histogram": np.bincount(labels, minlength=k).tolist(), "filter": rng.normal(0, 0.3, (3, 3, 3)).tolist() if t == 0 else None})
            rows += top.tolist()
        units.append({"tap": tap, "layer": {"units": 64, "dead": sum(u["dead"] for u in own), "never_fires": 2, "saturated": sum(u["saturated"] for u in own)}, "units": own})
    return units, np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, value in (("count", 600), ("base", 2000), ("classes", 10), ("taps", 12)):
        parser.add_argument(f"--{name}", type=int, default=value)
    for name in ("no-maps", "bare", "long", "partial", "server"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    data = options.folder / "data"
    packs, manifest = made(options, data)
    (data / "packs").mkdir(parents=True, exist_ok=True)
    for name, content in [("manifest", json.dumps(manifest).encode()), *packs.bytes.items()]:
        if options.server:
            (data / (f"packs/{name}.bin" if name != "manifest" else "manifest.json")).write_bytes(content)
        packed = base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()
        target = data / ("manifest.js" if name == "manifest" else f"packs/{name}.js")
        target.write_text(f'layerwiseData("{name}","{packed}")\n')
    kind = "server" if options.server else "folder"
    for file in STATIC.iterdir():
        target = options.folder / file.name
        target.unlink(missing_ok=True)
        if file.name == "index.html":
            target.write_text(file.read_text().replace('data-source="server"', f'data-source="{kind}"'))
        else:
            target.symlink_to(file)


main()
