"""Does early exit stop, and what does it cost? `python -m benchmarks.exits [--quick] [--run RUN …] [--json]`.

The engine is timed on a CIFAR ResNet-20 with random weights and thresholds by which a known share leaves at each exit:
its speed does not depend on the weights. Each ratio is of medians of alternating runs. With `--run`, a run folder whose
exits were evaluated by `layerwise exits evaluate`, thresholds are chosen on half of its test images for half a point of
accuracy, once for each cost (MACs, time in batches of 64, time of single images), and reported on the others.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import torch
from scipy import stats
from torch import Tensor, nn

from benchmarks.machine import describe_machine
from layerwise.arrays.exits import simulate
from layerwise.arrays.policies import (
    EntropyBelow,
    ExitPolicy,
    MarginAbove,
    MaxProbabilityAbove,
)
from layerwise.cli.sources import source_of_run
from layerwise.data.images import ImageData
from layerwise.exits.budgets import choose_for_accuracy, evaluate_on
from layerwise.exits.costs import ExitCosts
from layerwise.exits.export import OnnxExits, export_onnx
from layerwise.exits.folder import load_exits, load_recorded, load_times
from layerwise.exits.guarantee import choose_with_guarantee
from layerwise.exits.latency import time_calls, time_segments
from layerwise.exits.network import ExitNetwork
from layerwise.exits.prices import InMacs, InSeconds
from layerwise.exits.recorded import RecordedExits, split_recorded
from layerwise.exits.stages import cut_into_stages
from layerwise.exits.tried import ChosenPolicy
from layerwise.models.catalog import load_model
from layerwise.progress import silent
from layerwise.seeds import stream

AT = ("layer1.2", "layer2.2", "layer3.1")
LEAVE = (0.3, 0.3, 0.2)
"""Share of those who are there that leave at each exit."""

POLICIES = (EntropyBelow(0), MaxProbabilityAbove(0), MarginAbove(0))
"""Of these the one is taken that saves most where thresholds are chosen."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--run", type=Path, action="append", default=[], help="a run folder with evaluated exits")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = parser.parse_args()
    images = torch.from_numpy(stream(0, "images").random((256 if options.quick else 1024, 3, 32, 32), np.float32))
    result = {
        "quick": options.quick,
        **engine(images, repeats=5 if options.quick else 15),
        **onnx(repeats=50 if options.quick else 300),
        "promise_broken": promise_broken(100 if options.quick else 300),
        "runs": {str(run): saved(run, repeats=5 if options.quick else 15) for run in options.run},
        "machine": describe_machine(),
    }
    print(json.dumps(result, indent=None if options.json else 2))


def engine(images: Tensor, *, repeats: int) -> dict[str, Any]:
    net = with_exits(images)
    policy, nobody = leaving(net, images), EntropyBelow(-1.0)
    logits = net.all_logits(images)
    exits, _ = simulate(policy, logits)
    scores = np.stack([EntropyBelow(0).scores(part[None]) for part in logits[:-1]])
    sure = (abs(scores - policy.thresholds[:, None]) > 1e-6).all(axis=0)
    routed = {size: net.predict(images, policy, batch_size=size) for size in (1, 7, 64)}
    times = time_segments(net, images[:64], policy, repeats=2 * repeats)

    def run(policy: ExitPolicy, size: int) -> Callable[[], object]:
        return lambda: net.predict(images[: 64 if size == 1 else None], policy, batch_size=size)

    def plain(size: int) -> Callable[[], object]:
        return lambda: forward(net, images[: 64 if size == 1 else None], size)

    routed_s, idle_64_s, plain_64_s = time_calls([run(policy, 64), run(nobody, 64), plain(64)], repeats, images.device)
    routed_1_s, idle_1_s, plain_1_s = time_calls([run(policy, 1), run(nobody, 1), plain(1)], repeats, images.device)
    predicted = times.predict(exits, policy, batch_size=64)
    return {
        "routing_errors": int(sum((one.exit != exits)[sure].sum() for one in routed.values())),
        "examples_near_a_threshold": int((~sure).sum()),
        "shares": (np.bincount(exits, minlength=4) / len(exits)).round(3).tolist(),
        "compaction_overhead": round(routed_s / predicted, 3),
        "latency_error": round(predicted / routed_s - 1, 3),
        "idle_overhead_64": round(idle_64_s / plain_64_s, 3),
        "idle_overhead_1": round(idle_1_s / plain_1_s, 3),
        "time_ratio_64": round(plain_64_s / routed_s, 3),
        "time_ratio_1": round(plain_1_s / routed_1_s, 3),
    }


def onnx(*, repeats: int) -> dict[str, Any]:
    """The exported file against the network, and how long an image takes that leaves at the first exit.

    Segment 1's share is the time of a file that holds the first stage and its head and nothing else.
    """
    images = torch.from_numpy(stream(1, "images").random((32, 3, 32, 32), np.float32))
    net = with_exits(images)
    policy = leaving(net, images)
    expected = net.predict(images, policy, batch_size=1)
    with TemporaryDirectory() as folder:
        whole, part = Path(folder, "net.onnx"), Path(folder, "part.onnx")
        export_onnx(net, whole, policy)
        exported = OnnxExits(whole)
        found = [exported.predict(image.numpy()) for image in images]
        stages = cut_into_stages(net)
        first = nn.Sequential(stages.parts[0], stages.heads[0]).eval()
        torch.onnx.export(first, (images[:1],), part, dynamo=True, verbose=False, external_data=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(part), options, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: images[:1].numpy()}
        image = images[0].numpy()
        at_once, never = np.full(3, np.inf), np.full(3, -np.inf)
        early_s, full_s, part_s = time_calls(
            [
                lambda: exported.predict(image, at_once),
                lambda: exported.predict(image, never),
                lambda: session.run(None, feed),
            ],
            repeats,
            images.device,
        )
    return {
        "onnx_error": float(
            max(abs(logits - row).max() for (logits, _), row in zip(found, expected.logits, strict=True))
        ),
        "onnx_exits_differ": int(sum(left != e for (_, left), e in zip(found, expected.exit, strict=True))),
        "onnx_exit_1_over_its_segment": round(early_s / part_s, 3),
        "onnx_full_ms": round(1e3 * full_s, 3),
        "onnx_exit_1_ms": round(1e3 * early_s, 3),
    }


def with_exits(images: Tensor) -> ExitNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = load_model("resnet20", num_classes=10, in_channels=3)
    return ExitNetwork(model, images[:5], AT).eval()


def leaving(net: ExitNetwork, images: Tensor) -> EntropyBelow:
    """Thresholds by which the shares LEAVE of those who are there leave at each exit."""
    logits = net.all_logits(images)
    there = np.ones(len(images), bool)
    thresholds = []
    for index, share in enumerate(LEAVE):
        scores = EntropyBelow(0).scores(logits[index : index + 1])
        thresholds.append(float(np.quantile(scores[there], share)))
        there &= scores >= thresholds[-1]
    return EntropyBelow(thresholds)


def forward(net: ExitNetwork, images: Tensor, size: int) -> None:
    """The plain network, given its images in the same layout."""
    with torch.no_grad():
        for part in images.split(size):
            net.model(part.contiguous(memory_format=torch.channels_last)).numpy()


def promise_broken(redraws: int) -> dict[str, float]:
    """Share of redraws in which more than 2 % are harmed, though promised with 90 %; and that of a naive choice."""
    population = made_up(40_000)
    random = stream(1, "redraws")
    broken = naive = 0
    for redraw in range(redraws):
        calibration = population.select(random.choice(len(population), 1000, replace=False))
        chosen = choose_with_guarantee(calibration, MaxProbabilityAbove(0), harm=0.02, risk=0.1, seed=redraw)
        broken += harm_of(chosen.policy, population) > 0.02
        naive += harm_of(boldest(calibration), population) > 0.02
    low, high = stats.binomtest(broken, redraws).proportion_ci(method="wilson")
    return {
        "learn_then_test": broken / redraws,
        "low_95": round(float(low), 4),
        "high_95": round(float(high), 4),
        "best_looking_threshold": naive / redraws,
    }


def made_up(count: int) -> RecordedExits:
    """Exits that know how likely they are to be right, and err on their own."""
    random = stream(0, "population")
    sure = 0.5 + 0.5 * random.random((3, count)) ** np.array([1.0, 0.6, 0.2])[:, None]
    right = random.random((3, count)) < sure
    logits = np.zeros((3, count, 2), np.float32)
    logits[:, :, 0] = np.log(sure / (1 - sure + 1e-9)) * np.where(right, 1, -1)
    costs = ExitCosts(np.array([100, 200, 400]), np.array([1, 1]))
    ids = np.arange(count).astype(str)
    return RecordedExits(logits, np.zeros(count, np.int64), ids, "validation", ("one", "two", "softmax"), costs)


def harm_of(policy: ExitPolicy, population: RecordedExits) -> float:
    _, answers = simulate(policy, population.logits)
    return float((population.plain_right & (answers.argmax(axis=1) != population.labels)).mean())


def boldest(calibration: RecordedExits) -> ExitPolicy:
    """The lowest single threshold that harms at most 2 % of the calibration examples themselves."""
    cuts = [MaxProbabilityAbove(float(cut)) for cut in np.linspace(0.5, 1, 100)]
    return next(cut for cut in cuts if harm_of(cut, calibration) <= 0.02)


def saved(run: Path, *, repeats: int) -> dict[str, Any]:
    """MACs and time cut for half a point of accuracy, the thresholds chosen for each of the three costs.

    Thresholds and policy are chosen on half of the test images, and reported on the others; times are of up to 1,024
    of these in batches, and of 128 alone.
    """
    calibration, report = split_recorded(load_recorded(run, "test"), 0.5, seed=0)
    times = load_times(run)
    source = source_of_run(run, None, seed=0, model=None, trust_code=False, may_ask=False)
    net = load_exits(run, source.model, source.data.image_shape, source.description.preprocessing)
    test = source.data.test
    reported = test.select(np.flatnonzero(np.isin(test.ids, report.ids)))
    found: dict[str, Any] = {"examples": len(report)}
    for name, size in (("mac_cut", None), ("time_cut_64", 64), ("time_cut_1", 1)):
        chosen = cheapest(calibration, None if size is None else InSeconds(times, size))
        summary = evaluate_on(report, chosen)
        images = reported.select(np.arange(min(len(reported), 1024 if size == 64 else 128)))
        cut = summary.mac_cut if size is None else time_cut(net, images, chosen.policy, size, repeats)
        found |= {
            name: round(cut, 4),
            f"{name}_gain": round(summary.gain, 4),
            f"{name}_gain_95": [round(end, 4) for end in summary.gain_interval],
            f"{name}_gain_where_chosen": round(chosen.on_calibration.gain, 4),
            f"{name}_policy": str(chosen.policy),
        }
    return found | {"plain_accuracy": round(summary.plain_accuracy, 4)}


def cheapest(calibration: RecordedExits, seconds: InSeconds | None) -> ChosenPolicy:
    """Of POLICIES, each with its cheapest thresholds that lose half a point, the cheapest: in MACs, or in time."""
    price = InMacs(calibration.costs) if seconds is None else seconds
    timed = {} if seconds is None else {"times": seconds.times, "batch_size": seconds.batch_size}
    choices = (choose_for_accuracy(calibration, policy, loss=0.005, **timed) for policy in POLICIES)
    return min(choices, key=lambda one: price.mean(one.policy, one.on_calibration.exit))


def time_cut(net: ExitNetwork, data: ImageData, policy: ExitPolicy, size: int, repeats: int) -> float:
    """Share of the plain network's time that a routed run saves, images prepared and answers given in both."""
    inputs = net.inputs(data, size)

    def plain() -> None:
        with torch.no_grad():
            for _, images in inputs.batches(size, silent, what="plain"):
                net.model(images).numpy()

    def routed() -> None:
        net.predict(data, policy, batch_size=size)

    plain_s, routed_s = time_calls([plain, routed], repeats, torch.device("cpu"))
    return 1 - routed_s / plain_s


if __name__ == "__main__":
    main()
