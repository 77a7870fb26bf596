"""load_model: every network by name, the same weights for the same seed; known_models lists the names.

There are our own (`resnet20`, `resnet18-cifar`, `report-cnn` …), torchvision's (`resnet18`), `timm/NAME` and
`FILE.py:NAME`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerwise import _torchvision
from layerwise.errors import InputError, MissingExtraError, ModelError, UnknownNameError, did_you_mean
from layerwise.models.from_file import is_file_spec, load_from_file
from layerwise.models.loading import load_weights
from layerwise.models.mnist1d import Mnist1dCNN, Mnist1dMLP
from layerwise.models.resnet import CifarResNet, resnet18_cifar
from layerwise.models.small import POOLS, ReportCNN, SmallCNN, SmallMLP
from layerwise.seeds import stream_seed
from layerwise.spec import below_one, flag, list_of, one_of, parse_spec, positive, read_options

__all__ = ["known_models", "load_model"]

_CNNS = {"simple-cnn": (3, 3), "wider-cnn": (6, 6), "deeper-cnn": (3, 3, 3, 3), "three-layer-cnn": (64, 128)}
_MLPS = {"two-layer-mlp": (10,), "three-layer-mlp": (50, 10)}

_OWN: Mapping[str, Callable[..., nn.Module]] = {
    "resnet18-cifar": resnet18_cifar,
    **{f"resnet{depth}": partial(CifarResNet, depth) for depth in (8, 14, 20, 56, 110)},
    "report-cnn": ReportCNN,
    **{name: partial(SmallCNN, filters=filters) for name, filters in _CNNS.items()},
    **{name: partial(SmallMLP, hidden=hidden) for name, hidden in _MLPS.items()},
    "mnist1d-cnn": Mnist1dCNN,
    "mnist1d-mlp": Mnist1dMLP,
}

_BOTH: dict[str, Callable[[str, str], Any]] = {"batch_norm": flag, "dropout": below_one}
_OPTIONS: Mapping[str, Mapping[str, Callable[[str, str], Any]]] = {
    **{name: {"kernel": positive, "pool": one_of(*POOLS), "filters": list_of(positive)} | _BOTH for name in _CNNS},
    **{name: {"hidden": list_of(positive), "side": positive} | _BOTH for name in _MLPS},
}
"""How the options of our own networks are read: "simple-cnn?kernel=3"."""

# With auxiliary heads these two give a tuple while they train; and without init_weights they warn.
_TORCHVISION_OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}


def known_models() -> tuple[str, ...]:
    """Our own names, then torchvision's; beside them there are `timm/NAME` and `FILE.py:NAME`."""
    return (*_OWN, *(name for name in _torchvision_names() if name not in _OWN))


def load_model(
    name: str, *, num_classes: int, in_channels: int = 3, weights: Path | str | None = None, seed: int = 0
) -> nn.Module:
    """A network by name, in training mode, on the CPU.

    Args:
        name: one of `known_models()`, `timm/NAME`, or `FILE.py:NAME`; some of our own take options:
            "simple-cnn?kernel=3".
        num_classes: K, the width of the last layer.
        in_channels: C of the images. A torchvision network is made for 3: for any other number its first convolution
            is replaced by one that takes C. A `FILE.py:NAME` is given it if it takes an argument of that name.
        weights: a file (path or string) for `load_weights`; without it the weights are drawn.
        seed: draws the weights; torch's global generator is left as it was.

    Raises:
        UnknownNameError: no network, or no option of it, has this name.
        OptionError: an option is not what is expected.
        ModelError: the network cannot be made, or the weights do not fit it.
        FileError: a file is missing or cannot be read.
        MissingExtraError: `timm/NAME` without timm.

    Warns:
        UserWarning: something in the file of weights was left out.

    >>> load_model("resnet20", num_classes=10).linear
    Linear(in_features=64, out_features=10, bias=True)
    >>> load_model("simple-cnn?kernel=3", num_classes=10, in_channels=1).conv2.kernel_size
    (3, 3)
    """
    for option, value in (("num_classes", num_classes), ("in_channels", in_channels)):
        if value < 1:
            raise InputError(f"{option} must be at least 1; got {value}.")
    with seeded(stream_seed(seed, "init")):
        model = _make(name, num_classes=num_classes, in_channels=in_channels)
    if weights is not None:
        left_out = load_weights(model, weights).describe()
        if left_out:
            warnings.warn(left_out, stacklevel=2)
    return model


def check_model_spec(name: str) -> None:
    """Refuse a name that no network has, or options that it does not take, without making it.

    Raises:
        UnknownNameError, OptionError: as `load_model`; the names of `FILE.py` and timm are not looked at.
    """
    own = name.partition("?")[0]
    if own in _OWN:
        read_options(parse_spec(name).options, _OPTIONS.get(own, {}), of=own)
    elif not (is_file_spec(name) or name.startswith("timm/") or name in _torchvision_names()):
        raise _unknown(name)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the CPU's global generator start from `seed`, and put it back; others are not touched."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _make(name: str, *, num_classes: int, in_channels: int) -> nn.Module:
    if is_file_spec(name):
        return load_from_file(name, num_classes=num_classes, in_channels=in_channels)
    own = name.partition("?")[0]
    if own in _OWN:
        options = read_options(parse_spec(name).options, _OPTIONS.get(own, {}), of=own)
        return _OWN[own](num_classes=num_classes, in_channels=in_channels, **options)
    if name.startswith("timm/"):
        return _make_timm(name.removeprefix("timm/"), num_classes=num_classes, in_channels=in_channels)
    if name in _torchvision_names():
        return _make_torchvision(name, num_classes=num_classes, in_channels=in_channels)
    raise _unknown(name)


def _unknown(name: str) -> UnknownNameError:
    return UnknownNameError(
        f'no network named "{name}".{did_you_mean(name, known_models())}\n'
        f"    Give one of {', '.join(_OWN)}, a name of torchvision (resnet18), timm/NAME, or FILE.py:NAME."
    )


def _torchvision_names() -> list[str]:
    names: list[str] = _torchvision.torchvision.models.list_models(module=_torchvision.torchvision.models)
    return names


def _make_torchvision(name: str, *, num_classes: int, in_channels: int) -> nn.Module:
    options = _TORCHVISION_OPTIONS.get(name, {})
    model: nn.Module = _torchvision.torchvision.models.get_model(name, weights=None, num_classes=num_classes, **options)
    if in_channels != 3:
        _replace_first_convolution(model, name, in_channels=in_channels)
    return model


def _replace_first_convolution(model: nn.Module, name: str, *, in_channels: int) -> None:
    convolutions = ((place, module) for place, module in model.named_modules() if isinstance(module, nn.Conv2d))
    place, first = next(convolutions, ("", None))
    if first is None or first.in_channels != 3:
        raise ModelError(
            f"{name} has no first convolution of 3 channels to replace by one of {in_channels}.\n"
            "    Give it images of 3 channels, or a network of your own: FILE.py:NAME."
        )
    model.set_submodule(place, _convolution_like(first, in_channels=in_channels))


def _convolution_like(convolution: nn.Conv2d, *, in_channels: int) -> nn.Conv2d:
    made = nn.Conv2d(
        in_channels,
        convolution.out_channels,
        convolution.kernel_size,  # type: ignore[arg-type]
        stride=convolution.stride,  # type: ignore[arg-type]
        padding=convolution.padding,  # type: ignore[arg-type]
        dilation=convolution.dilation,  # type: ignore[arg-type]
        groups=convolution.groups,
        bias=convolution.bias is not None,
        padding_mode=convolution.padding_mode,
    )
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    return made


def _make_timm(name: str, *, num_classes: int, in_channels: int) -> nn.Module:
    _torchvision.ensure_importable()  # timm imports it
    try:
        import timm
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        raise MissingExtraError("timm", "timm", f"the network timm/{name}") from None
    known = timm.list_models()
    if name.partition(".")[0] not in known:
        raise UnknownNameError(f'timm has no network named "{name}".{did_you_mean(name, known)}')
    try:
        model: nn.Module = timm.create_model(name, pretrained=False, num_classes=num_classes, in_chans=in_channels)
    except Exception as error:
        raise ModelError(
            f"timm cannot make {name} for {num_classes} classes and {in_channels} channels: "
            f"{type(error).__name__}: {error}"
        ) from error
    return model
