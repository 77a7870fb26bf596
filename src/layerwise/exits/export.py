"""One ONNX file that truly stops: export_onnx writes it, OnnxExits runs it.

Each exit is an `If` in the file: one branch gives the answer, the other holds the rest of the network. The thresholds
are an input. Such a file takes one image at a time: the images of a batch would leave in different places. It begins
with pixels in [0, 1], preprocessing included.
"""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.arrays.policies import EntropyBelow, ExitPolicy, MarginAbove, MaxProbabilityAbove
from layerwise.errors import DataError, FileError, InputError, MissingExtraError, NonFiniteError, ShapeError
from layerwise.exits.network import ExitNetwork
from layerwise.exits.stages import Stages, cut_into_stages
from layerwise.runs import atomic_path
from layerwise.taps.borrowing import Preprocess, borrowed

__all__ = ["OnnxExits", "export_onnx"]

OPSET = 18
KEY = "layerwise.exits"


def export_onnx(
    net: ExitNetwork, path: Path | str, policy: ExitPolicy, *, class_names: Sequence[str] | None = None
) -> None:
    """Write a network with exits as one ONNX file.

    Inputs of the file: `image` (1, C, H, W) in [0, 1], and `thresholds` (E,). Outputs: `logits` (1, K) and `exit`, a
    whole number. The policy's thresholds are kept in the file's metadata with the names of exits and classes.

    Args:
        net: must be one that can be traced.
        path: the file; written whole or not at all.
        policy: `EntropyBelow`, `MaxProbabilityAbove` or `MarginAbove`, with one threshold or one for each exit.
        class_names: K names; by default numbers.

    Raises:
        MissingExtraError: onnx and onnxscript are not installed.
        InputError: another policy, thresholds by class, or another number of class names than of classes.
        FileError: `path` is a folder, or a file that is no `.onnx`, which would be lost.
        ModelError: the network cannot be cut into stages.
    """
    _need("onnxscript", "writing ONNX files")
    names = [str(number) for number in range(net.num_classes)] if class_names is None else list(class_names)
    if isinstance(class_names, str) or len(set(names)) != net.num_classes or len(names) != net.num_classes:
        raise InputError(f"{net.num_classes} classes need a list of as many different names; got {class_names!r}.")
    check_output(Path(path))
    thresholds = _thresholds(policy, len(net.heads), net.num_classes)
    with borrowed(net), _quiet():
        whole = _Stopping(cut_into_stages(net), policy, net.preprocessing).eval()
        image = torch.rand(1, *net.image_shape, generator=torch.Generator().manual_seed(0))
        program = torch.onnx.export(
            whole,
            (image, torch.from_numpy(thresholds)),
            input_names=["image", "thresholds"],
            output_names=["logits", "exit"],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    facts = {
        "exits": net.names,
        "classes": names,
        "policy": type(policy).__name__,
        "thresholds": [str(threshold) for threshold in thresholds.tolist()],
    }
    program = cast("torch.onnx.ONNXProgram", program)
    program.model.metadata_props[KEY] = json.dumps(facts)
    with atomic_path(Path(path)) as temporary:
        program.save(temporary, external_data=False)


def check_output(path: Path) -> None:
    """Refuse to write where something else would be lost.

    Raises:
        FileError: a folder, or a file that is no `.onnx`.
    """
    if not path.name or path.is_dir():
        raise FileError(f"{path} is a folder; an ONNX file is to be written. Give its name: {path / 'net.onnx'}")
    if path.exists() and path.suffix != ".onnx":
        raise FileError(f"{path} is there already, and is no .onnx file: it would be lost. Give another name.")


class OnnxExits:
    """An exported network, run by ONNX Runtime on one thread unless told otherwise.

    Attributes:
        names: of the exits.
        class_names: K names.
        thresholds: shape (E,), those of the policy with which it was exported.

    Args:
        path: a file that `export_onnx` wrote.
        class_names: what the caller takes the classes for; None to take those of the file.
        threads: of the processor.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        FileError: the file is missing, or was not written by `export_onnx`.
        InputError: the file was exported with other class names.
    """

    def __init__(self, path: Path | str, *, class_names: Sequence[str] | None = None, threads: int = 1) -> None:
        onnxruntime = _need("onnxruntime", "running ONNX files")
        if not Path(path).is_file():
            raise FileError(f"no file {path}.")
        if threads < 1:
            raise InputError(f"threads must be at least 1; got {threads}.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            facts = json.loads(self._session.get_modelmeta().custom_metadata_map[KEY])
            self.names = tuple(map(str, facts["exits"]))
            self.class_names = tuple(map(str, facts["classes"]))
            self.thresholds = np.array([float(text) for text in facts["thresholds"]], np.float32)
        except Exception as error:  # ONNX Runtime raises classes of its own for damaged files
            raise FileError(f"{path} is not a file that `layerwise exits export` wrote.") from error
        if class_names is not None and tuple(class_names) != self.class_names:
            given = ", ".join(map(str, class_names))
            raise InputError(
                f"{path} was exported with the classes {', '.join(self.class_names)}; given were {given}.\n"
                "    Give the names in the order in which the network was trained."
            )

    def predict(
        self, image: NDArray[np.floating] | NDArray[np.uint8], thresholds: NDArray[np.floating] | None = None
    ) -> tuple[NDArray[np.float32], int]:
        """The logits (K,) of one image (C, H, W), floats in [0, 1] or bytes, and the exit at which it left.

        Raises:
            DataError: the image is of another type.
            NonFiniteError: NaN or infinity in the image or in the answer, or NaN among the thresholds.
            ShapeError: another shape than the network takes, or another number of thresholds than of exits.
        """
        used = self.thresholds if thresholds is None else np.asarray(thresholds, np.float32)
        pixels = np.asarray(image)
        shape = tuple(self._session.get_inputs()[0].shape[1:])
        if pixels.shape != shape or used.shape != self.thresholds.shape:
            raise ShapeError(
                f"an image {shape} and {len(self.thresholds)} thresholds are needed; "
                f"got {pixels.shape} and {used.shape}."
            )
        if pixels.dtype != np.uint8 and pixels.dtype.kind != "f":
            raise DataError(f"an image must be floats in [0, 1] or bytes (uint8); got {pixels.dtype}.")
        if np.isnan(used).any() or not np.isfinite(pixels).all():
            raise NonFiniteError("the image holds NaN or infinity, or a threshold is NaN.")
        scaled = pixels.astype(np.float32) / (255 if pixels.dtype == np.uint8 else 1)
        logits, left = self._session.run(None, {"image": scaled[None], "thresholds": used})
        if not np.isfinite(logits).all():
            raise NonFiniteError("the network gives NaN or infinity for this image.")
        return logits[0], int(left)


class _Stopping(nn.Module):
    """A network with exits for one image, in which the way on is a branch."""

    def __init__(self, stages: Stages, policy: ExitPolicy, preprocessing: Preprocess | None) -> None:
        super().__init__()
        self.parts = nn.ModuleList(stages.parts)
        self.heads = nn.ModuleList(stages.heads)
        self._policy = policy
        self._preprocessing = preprocessing

    def forward(self, image: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
        value = image if self._preprocessing is None else self._preprocessing(image)
        return self._from(0, value, thresholds)

    def _from(self, index: int, value: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
        value = self.parts[index](value)
        if index == len(self.heads):
            return value, torch.full((), index, dtype=torch.int64)
        logits = self.heads[index](value)

        def leave(value: Tensor, logits: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG001
            return logits.clone(), torch.full((), index, dtype=torch.int64)

        def go_on(value: Tensor, logits: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG001
            return self._from(index + 1, value, thresholds)

        score = _score(self._policy, logits)
        leaves = score > thresholds[index] if self._policy.leaves_above else score < thresholds[index]
        answer: tuple[Tensor, Tensor] = torch.cond(leaves, leave, go_on, (value, logits, thresholds))
        return answer


def _score(policy: ExitPolicy, logits: Tensor) -> Tensor:
    """The policy's score of one image's logits (1, K), as `layerwise.arrays.scores` defines it."""
    logarithms = logits.log_softmax(dim=1)
    if isinstance(policy, EntropyBelow):
        return -(logarithms.exp() * logarithms).sum()
    highest = logarithms.topk(2, dim=1).values.exp()[0]
    return highest[0] - highest[1] if isinstance(policy, MarginAbove) else highest[0]


def _thresholds(policy: ExitPolicy, exits: int, classes: int) -> NDArray[np.float32]:
    if not isinstance(policy, EntropyBelow | MaxProbabilityAbove | MarginAbove):
        raise InputError(
            f"{type(policy).__name__} cannot be exported: it looks back at earlier exits.\n"
            "    Export with EntropyBelow, MaxProbabilityAbove or MarginAbove."
        )
    policy.check(exits, classes)
    if policy.thresholds.ndim > 1:
        raise InputError("thresholds for each class cannot be exported.\n    Give one for all exits, or one for each.")
    return np.broadcast_to(policy.thresholds, (exits,)).astype(np.float32)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter and its optimiser tell about their own insides."""
    teller = logging.getLogger("onnx_ir")
    level = teller.level
    teller.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        teller.setLevel(level)


def _need(package: str, purpose: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingExtraError(package, "onnx", purpose) from None
