"""The one import of torchvision: `_torchvision.torchvision`, and `_torchvision.feature_extraction`.

A torchvision that was built for CUDA cannot be imported beside a torch for CPUs: its Python code gives fake kernels to
two operators that only its compiled library declares. When that very error is met the two operators are declared here
and the import is tried again; models, transforms, data sets and feature extraction use neither of them.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import torch

_MODULES = {"torchvision": "torchvision", "feature_extraction": "torchvision.models.feature_extraction"}

_MISSING_OPERATOR = "operator torchvision::nms does not exist"
_SCHEMAS = tuple(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms"))

# The declarations live as long as the Library object does.
_declared: list[torch.library.Library] = []


def __getattr__(name: str) -> ModuleType:
    """Import torchvision when it is first asked for, so that importing this module is cheap."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    ensure_importable()
    module = importlib.import_module(_MODULES[name])
    globals()[name] = module
    return module


def ensure_importable() -> None:
    """Import torchvision, so that other packages which import it can do so too."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _declared or _MISSING_OPERATOR not in str(error):
            raise
        _declared.append(_declare_operators())


def _declare_operators() -> torch.library.Library:
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library
