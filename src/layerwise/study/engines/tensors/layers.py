"""Layers of many networks at once: StackedLinear, StackedBatchNorm, StackedDropout, StackedPool, StackedFlatten.

Features are (M, B, F) for M networks and batches of B. Images lie by rows, (M, B, H, C, W), which is how convolutions
give them. What one network computes never touches another's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class StackedLayer(nn.Module):
    """One layer of all networks: its parameters and buffers have the names they have there, and are (M, …).

    Args:
        modules: one of each network.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.register_parameter("bias", None)
        for name, _ in modules[0].named_parameters():
            values: list[Tensor] = [module.get_parameter(name) for module in modules]
            trained = any(value.requires_grad for value in values)
            self.register_parameter(name, nn.Parameter(torch.stack(values).detach(), requires_grad=trained))
        for name, _ in modules[0].named_buffers():
            self.register_buffer(name, torch.stack([module.get_buffer(name) for module in modules]))


class StackedLinear(StackedLayer):
    """Linear layers."""

    def forward(self, features: Tensor) -> Tensor:
        """Features (M, B, F) to (M, B, outputs)."""
        # The weights come first: so their gradient lies in memory as they do, and the step of SGD is twice as fast.
        columns = features.transpose(1, 2)
        if self.bias is None:
            return torch.bmm(self.weight, columns).transpose(1, 2)
        return torch.baddbmm(self.bias[:, :, None], self.weight, columns).transpose(1, 2)


class StackedBatchNorm(StackedLayer):
    """Batch norm with statistics of each network's own batch, and running ones of each network's own."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, modules: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]) -> None:
        super().__init__(modules)
        self.momentum, self.eps = modules[0].momentum or 0.0, modules[0].eps

    def forward(self, values: Tensor) -> Tensor:
        """Features or images; the channels of all networks are the channels of one."""
        images = values if values.dim() == 5 else values[:, :, None, :, None]
        by_channel = images.permute(1, 2, 0, 3, 4)  # (B, H, M, C, W)
        if self.training:
            self.num_batches_tracked += 1
        found = functional.batch_norm(
            by_channel.flatten(2, 3).flatten(0, 1),  # (B · H, M · C, W)
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.view(-1),
            None if self.bias is None else self.bias.view(-1),
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )
        return found.view(by_channel.shape).permute(2, 0, 1, 3, 4).reshape(values.shape)


class StackedDropout(nn.Module):
    """Dropout from a generator for each network, so that what it drops depends on that one's seed alone.

    It draws as torch does: with the seed that torch's own generator has in the loop, it drops the same features.

    Args:
        share: that is dropped, from 0 to 1.
        generators: of the networks.
    """

    def __init__(self, share: float, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.share, self.generators = share, generators

    def forward(self, values: Tensor) -> Tensor:
        """Features or images; what is kept is divided by the share that is kept."""
        if not self.training or not self.share:
            return values
        kept = torch.empty(values.shape)
        for own, generator in zip(kept, self.generators, strict=True):
            own.bernoulli_(1 - self.share, generator=generator)
        return values * (kept.div_(1 - self.share) if self.share < 1 else kept)


class StackedPool(nn.Module):
    """Pooling, which has no parameters: the images of all networks are one batch."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, images: Tensor) -> Tensor:
        """Images (M, B, H, C, W) to smaller ones."""
        pooled = self.pool(images.flatten(0, 1).transpose(1, 2)).transpose(1, 2)
        return torch.unflatten(pooled, 0, images.shape[:2])


class StackedFlatten(nn.Module):
    """Images to features, in torch's order of them."""

    def forward(self, values: Tensor) -> Tensor:
        """Images (M, B, H, C, W) to (M, B, C · H · W); features stay as they are."""
        return values if values.dim() == 3 else values.transpose(2, 3).flatten(2)
