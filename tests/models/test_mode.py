import pytest
from torch import nn

from layerwise.models.mode import evaluating


def test_each_module_gets_its_own_mode_back_even_after_an_error():
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout())
    network[0].eval()
    seen = []

    def fail(*_):
        seen.extend(module.training for module in network.modules())
        raise KeyError

    with pytest.raises(KeyError), evaluating(network):
        fail()
    assert seen == [False, False, False]
    assert [module.training for module in network.modules()] == [True, False, True]
