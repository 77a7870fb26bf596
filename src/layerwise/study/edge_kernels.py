"""set_edge_kernels: convolutions set to edge detectors and kept, so that only the last layer learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerwise.errors import ModelError


def edge_kernel(side: int) -> Tensor:
    """A detector of horizontal edges, shape (side, side); its transpose detects vertical ones.

    Side 2: ones over minus ones. Side 7: a row of ones over a row of minus ones in the middle. Other odd sides: each
    weight is its height above the middle over its squared distance to it, which is Sobel's for side 3.

    >>> edge_kernel(3)
    tensor([[ 0.5000,  1.0000,  0.5000],
            [ 0.0000,  0.0000,  0.0000],
            [-0.5000, -1.0000, -0.5000]])
    """
    kernel = torch.zeros(side, side)
    if side == 2 or side == 7:
        upper = (side - 1) // 2 - (side == 7)
        kernel[upper], kernel[upper + 1] = 1.0, -1.0
        return kernel
    steps = torch.arange(side) - (side - 1) / 2
    height, aside = torch.meshgrid(-steps, steps, indexing="ij")
    squared = height.square() + aside.square()
    # Adding 0 makes minus zeros plain ones.
    return torch.where(squared > 0, height / squared.clamp(min=1e-12), torch.zeros(())) + 0.0


def set_edge_kernels(model: nn.Module) -> None:
    """Set the first two filters of every convolution to edge detectors over all their channels; keep all of them.

    Further filters stay as they were drawn, biases become 0, and no convolution is trained.

    Raises:
        ModelError: there is no convolution, or one is not square.
    """
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    if not convolutions:
        raise ModelError(f"{type(model).__name__} has no convolution whose kernels could be edge detectors.")
    for convolution in convolutions:
        height, width = convolution.kernel_size
        if height != width:
            raise ModelError(f"kernels of {height} × {width} are not square; edge detectors need that.")
        kernel = edge_kernel(height)
        with torch.no_grad():
            for place, one in zip(range(convolution.out_channels), (kernel, kernel.T), strict=False):
                convolution.weight[place] = one
            if convolution.bias is not None:
                convolution.bias.zero_()
        convolution.requires_grad_(requires_grad=False)
