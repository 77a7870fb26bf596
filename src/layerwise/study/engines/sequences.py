"""layers_of: the layers of a plain sequence, which is what can be stacked."""

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
