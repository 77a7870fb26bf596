"""ExitNetwork: a network with a head at each of some taps; the network's own output is the last exit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.arrays.policies import ExitPolicy
from layerwise.errors import InputError, ModelError
from layerwise.exits.cuts import clean_cuts, clean_names, refuse_unclean, rewritten_in_place
from layerwise.exits.heads import make_head
from layerwise.exits.inputs import Inputs
from layerwise.exits.outcome import ExitOutcome
from layerwise.exits.routing import Routing, refuse_non_finite
from layerwise.models.catalog import seeded
from layerwise.models.layout import fast_layout
from layerwise.progress import Progress, silent
from layerwise.seeds import stream_seed
from layerwise.taps import INPUT, SOFTMAX, find_taps
from layerwise.taps.borrowing import Preprocess, borrowed, device_of, dtype_of, prepare
from layerwise.taps.finding import Images, as_pixels
from layerwise.taps.readers import Forward

__all__ = ["ExitNetwork"]


class ExitNetwork(nn.Module):
    """A network that can be left early.

    Called like any module, it gives the logits of all exits, for training. `predict` stops: an example that may leave
    at an exit takes no part in what comes later.

    Attributes:
        model: the network, not copied.
        heads: a classifier for each exit but the last, in order of execution.
        names: of all exits; the last is "softmax", the network's own output.
        designs: of the heads.
        num_classes: K.
        image_shape: (C, H, W).
        preprocessing: what the network expects to be done to pixels in [0, 1].

    Args:
        model: from images to logits.
        images: a few of the kind that the network takes, or a data set: the network is run on them to find the taps,
            and to prove that it can be left there.
        at: names of taps; or a placement ("blocks", "children", "leaves"), of which those are taken where it can.
        heads: a design of `HEADS`, or one for each exit.
        preprocessing: as `find_taps` takes it.
        seed: of the heads' first weights.

    Raises:
        ModelError: the network cannot be left at one of the taps; says why, and the nearest where it can.
        UnknownNameError: there is no such tap or design.
        InputError: another number of designs than of exits.

    >>> import torch
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
    >>> net = ExitNetwork(model, torch.rand(5, 1, 4, 4), ["1"])
    >>> net.names, [logits.shape for logits in net(torch.rand(2, 1, 4, 4))]
    (('1', 'softmax'), [torch.Size([2, 3]), torch.Size([2, 3])])
    """

    def __init__(
        self,
        model: nn.Module,
        images: Images,
        at: str | Sequence[str],
        *,
        heads: str | Sequence[str] = "pooled",
        preprocessing: Preprocess | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if isinstance(at, str):
            found = find_taps(model, images, at, preprocessing=preprocessing)
            clean = clean_names(clean_cuts(model, found, images, preprocessing=preprocessing), at)
            taps = find_taps(model, images, clean, preprocessing=preprocessing)
        else:
            taps = find_taps(model, images, _names_of_exits(at), preprocessing=preprocessing)
            refuse_unclean(model, taps, images, preprocessing=preprocessing)
        self.model = model
        self._frozen = False
        self.taps = taps
        self.names = taps.names[1:]
        self.preprocessing = preprocessing
        self._rewritten = rewritten_in_place(model, taps, images, preprocessing=preprocessing)
        self._layout = fast_layout(model, prepare(as_pixels(images), model, preprocessing))
        (self.num_classes,) = taps[SOFTMAX].shape
        self.image_shape = taps[0].shape
        self.designs = _one_for_each(heads, len(self.names) - 1)
        self.heads = nn.ModuleList(self._make_heads(seed)).to(device_of(model), dtype_of(model))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The logits of all exits, (B, K) each, for preprocessed images (B, C, H, W)."""
        logits: dict[str, Tensor] = {}
        heads = self.heads_by_name

        def read(tap: str, value: Tensor) -> None:
            logits[tap] = heads[tap](value.clone() if tap in self._rewritten else value)

        with self.taps.reader.open(self.model) as forward:
            last = forward(images, read)
        return (*(logits[name] for name in self.names[:-1]), last)

    def freeze(self) -> None:
        """Leave the network as it is from here on: only heads are trained, and batch norms keep their statistics."""
        self.model.requires_grad_(False)
        self._frozen = True
        self.train(self.training)

    def train(self, mode: bool = True) -> ExitNetwork:
        """As for any module; a frozen network stays in evaluation mode."""
        super().train(mode)
        if self._frozen:
            self.model.eval()
        return self

    def predict(
        self,
        images: Images,
        policy: ExitPolicy,
        *,
        batch_size: int = 64,
        forward: Forward | None = None,
        progress: Progress = silent,
    ) -> ExitOutcome:
        """Classify images, and let each one leave as soon as the policy lets it.

        Inside a batch, those that go on are gathered into a smaller one, and a batch that is left by all ends there.

        Args:
            images: N pixels (N, C, H, W), floats in [0, 1] or bytes, or a data set.
            policy: who leaves.
            batch_size: images that start together.
            forward: how the network is run; by default its own forward function with hooks, or a replay of its graph.
                `cut_into_stages(net).compiled().forward` runs it part by part, compiled.
            progress: is shown the batches.

        Raises:
            ModelError: the network is in training mode.
            ShapeError: the policy has thresholds for another number of exits or classes.
            NonFiniteError: an exit gives NaN or infinity.
            NotEnoughExamplesError: there is no image.
            InputError: the batch size is below 1.
        """
        policy.check(len(self.heads), self.num_classes)
        inputs = self.inputs(images, batch_size)
        parts = []
        opened = self.taps.reader.open(self.model) if forward is None else nullcontext(forward)
        with borrowed(self), opened as run:
            routing = Routing(run, self.heads_by_name, policy, self.num_classes)
            for rows, batch in inputs.batches(batch_size, progress, what="Routing"):
                parts.append(routing.route(batch, first_row=rows.start))
        logits, exits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return ExitOutcome(logits=logits, exit=exits, names=self.names)

    def all_logits(self, images: Images, *, batch_size: int = 256, progress: Progress = silent) -> NDArray[np.float32]:
        """The logits of all exits for all images, without stopping: (E + 1, N, K).

        Args and raises: as `predict`.
        """
        inputs = self.inputs(images, batch_size)
        logits = np.empty((len(self.names), len(inputs), self.num_classes), np.float32)
        with borrowed(self):
            for rows, batch in inputs.batches(batch_size, progress, what=f"Running {len(self.names)} exits"):
                for index, values in enumerate(self(batch)):
                    logits[index, rows] = values.float().cpu().numpy()
                refuse_non_finite(logits[:, rows], self.names, first_row=rows.start)
        return logits

    @property
    def heads_by_name(self) -> dict[str, nn.Module]:
        """The name of each exit but the last to its head, in order of execution."""
        return dict(zip(self.names[:-1], self.heads, strict=True))

    def inputs(self, images: Images, batch_size: int) -> Inputs:
        """The images as the network takes them, in the layout in which it is fastest.

        Raises: as `predict`.
        """
        if any(module.training for module in self.modules()):
            raise ModelError(
                "the network is in training mode, in which an answer depends on the other images of its batch.\n"
                "    Call net.eval() first."
            )
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1; got {batch_size}.")
        return Inputs(self.model, images, self.image_shape, preprocessing=self.preprocessing, layout=self._layout)

    def _make_heads(self, seed: int) -> list[nn.Module]:
        made: list[nn.Module] = []
        for name, design in zip(self.names, self.designs, strict=False):
            with seeded(stream_seed(seed, "head", name)):
                shape = self.taps[name].shape
                made.append(make_head(design, shape, num_classes=self.num_classes, image_shape=self.image_shape))
        return made


def _one_for_each(heads: str | Sequence[str], exits: int) -> tuple[str, ...]:
    designs = (heads,) * exits if isinstance(heads, str) else tuple(heads)
    if len(designs) != exits:
        raise InputError(
            f"{len(designs)} designs of heads for {exits} exits before the last.\n"
            "    Give one design for all, or one for each."
        )
    return designs


def _names_of_exits(at: Sequence[str]) -> list[str]:
    """The asked names, each once.

    Raises:
        ModelError: there is none, or one is the input or the softmax.
    """
    names = list(dict.fromkeys(at))
    wrong = [name for name in names if name in (INPUT, SOFTMAX)]
    if wrong or not names:
        given = f'got "{wrong[0]}"' if wrong else "got none"
        raise ModelError(
            f"an exit needs a tap between the input and the softmax; {given}.\n"
            "    The network's own output is always the last exit."
        )
    return names
