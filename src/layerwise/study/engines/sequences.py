"""layers_of: the layers of a plain sequence, which is what can be stacked; keeps_size: the convolutions that can be."""

from __future__ import annotations

from torch import nn

KNOWN = (
    nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout, nn.ReLU,
    nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten,
)  # fmt: skip


def layers_of(model: nn.Module) -> list[tuple[str, nn.Module]] | None:
    """Names and layers in the order of execution, or None if it is more than a sequence of layers of torch.

    >>> layers_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    [('0', Flatten(start_dim=1, end_dim=-1)), ('1', Linear(in_features=4, out_features=2, bias=True))]
    >>> layers_of(nn.Linear(4, 2)) is None
    True
    """
    if not isinstance(model, nn.Sequential) or type(model).forward is not nn.Sequential.forward:
        return None
    layers = list(model._modules.items())  # named_children would leave out a layer's second place
    names = list(model.named_parameters(remove_duplicate=False))
    shared = len(names) != len(list(model.parameters()))
    # Subclasses compute something else; that goes for parametrised layers too.
    if shared or not all(type(module) in KNOWN for _, module in layers):
        return None
    return [(name, module) for name, module in layers if module is not None]


def keeps_size(convolution: nn.Conv2d) -> bool:
    """Whether its kernels are square, its stride is 1, and the padding reflects and keeps the size of the images."""
    reflects = convolution.padding == "same" and convolution.padding_mode == "reflect"
    square = convolution.kernel_size[0] == convolution.kernel_size[1]
    return reflects and square and convolution.stride == convolution.dilation == (1, 1) and convolution.groups == 1
