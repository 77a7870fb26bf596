"""The variance of gradients is what brute force in float64 gives, whatever the batches, and moves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from torch import nn

from layerwise.data.images import ImageData
from layerwise.difficulty.gradients import networks_of_epochs, variance_of_gradients
from layerwise.errors import InputError, ModelError, NonFiniteError, NotEnoughExamplesError, RunError
from layerwise.models.preprocessing import Preprocessing
from layerwise.training.fit import train

PIXELS = Preprocessing((0.41, 0.503, 0.607), (0.2, 0.3, 0.4))


def make_images(count: int = 11) -> ImageData:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, 3, 6, 6), dtype=np.uint8)
    return ImageData.create(images, np.arange(count) % 4, class_names=("a", "b", "c", "d"))


def make_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.ReLU(inplace=True), nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Tanh(), nn.Flatten(), nn.Linear(80, 4)
    )


def brute_force(
    networks: list[nn.Module], data: ImageData, of: str, pixels: Preprocessing | None
) -> NDArray[np.float64]:
    """The whole Jacobian of each image alone, in float64."""
    scores = []
    for row in range(len(data)):
        image = torch.from_numpy(data.batch(slice(row, row + 1))).double()
        gradients = []
        for network in networks:
            exact = make_network(0).double().eval()
            exact.load_state_dict({name: value.double() for name, value in network.state_dict().items()})

            def logits(image: torch.Tensor, exact: nn.Module = exact) -> torch.Tensor:
                given = image if pixels is None else pixels(image)
                return exact(given.clone())[0]

            jacobian = torch.autograd.functional.jacobian(logits, image)[:, 0]  # (K, C, H, W)
            own = int(logits(image).argmax()) if of == "prediction" else int(data.labels[row])
            gradients.append(jacobian[own].numpy().mean(axis=0))
        scores.append(np.std(gradients, axis=0).mean())
    return np.array(scores)


@pytest.mark.parametrize("of", ["label", "prediction"])
@pytest.mark.parametrize("preprocessing", [None, PIXELS])
def test_it_is_the_deviation_of_the_jacobian_in_float64(
    of: Literal["label", "prediction"], preprocessing: Preprocessing | None
) -> None:
    data, networks = make_images(), [make_network(seed) for seed in range(4)]
    found = variance_of_gradients(networks, data, of=of, preprocessing=preprocessing, batch_size=4)
    assert_allclose(found, brute_force(networks, data, of, preprocessing), rtol=1e-4)


def test_of_linear_networks_it_is_known_and_does_not_depend_on_the_batches() -> None:
    data, networks = make_images(), [nn.Sequential(nn.Flatten(), nn.Linear(108, 4)) for _ in range(2)]
    for sign, network in zip((1.0, -1.0), networks, strict=True):
        nn.init.constant_(network[1].weight, sign)
    assert_allclose(variance_of_gradients(networks, data, batch_size=3), np.ones(11))
    assert_allclose(variance_of_gradients(networks[:1] * 3, data), np.zeros(11))


def test_networks_are_left_as_they_were() -> None:
    network = make_network(0).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    variance_of_gradients([network, network], make_images())
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


def test_what_it_is_of_is_told() -> None:
    names: list[str] = []

    def noted(items: list[slice], *, total: int, what: str) -> Iterator[slice]:
        names.append(f"{what}, {total}")
        yield from items

    variance_of_gradients([make_network(0), make_network(1)], make_images(), batch_size=6, progress=noted)  # type: ignore[arg-type]
    assert names == ["gradients of state 1, 2", "gradients of state 2, 2"]


def test_too_little_or_nonsense_is_refused() -> None:
    data, network = make_images(), make_network(0)
    with pytest.raises(NotEnoughExamplesError) as few:
        variance_of_gradients([network], data)
    assert str(few.value) == (
        "the variance of gradients needs at least two states of a network; got 1.\n"
        "    Keep them while training: layerwise train MODEL DATA -o RUN --keep-weights"
    )
    with pytest.raises(NotEnoughExamplesError, match=r"needs at least one image; got none\.$"):
        variance_of_gradients([network, network], data.select(slice(0, 0)))
    with pytest.raises(InputError) as other:
        variance_of_gradients([network, network], data, of="labels")  # type: ignore[arg-type]
    assert str(other.value) == 'of = "labels" is neither "label" nor "prediction". Did you mean "label"?'
    nn.init.constant_(network[5].weight, float("nan"))  # type: ignore[index]
    with pytest.raises(NonFiniteError, match=r"^a gradient for the pixels is NaN or infinite in state 1\.$"):
        variance_of_gradients([network, network], data)


def test_a_run_that_kept_its_weights_gives_the_network_of_each_epoch(tmp_path: Path) -> None:
    data, network = make_images(16), make_network(0)
    train(network, data, epochs=3, batch_size=8, run=tmp_path, keep_weights=True)
    last = {name: value.clone() for name, value in network.state_dict().items()}
    other = make_network(1)
    weights = [state[5].weight.detach().clone() for state in networks_of_epochs(tmp_path, other)]  # type: ignore[index]
    assert len(weights) == 3
    assert not torch.equal(weights[0], weights[1])
    assert all(torch.equal(last[name], value) for name, value in other.state_dict().items())
    assert (variance_of_gradients(networks_of_epochs(tmp_path, other), data) > 0).all()


def test_a_run_that_kept_none_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(RunError) as none:
        networks_of_epochs(tmp_path, make_network(0))
    assert str(none.value) == (
        f"{tmp_path} kept no weights of its epochs.\n"
        "    Keep them while training: layerwise train MODEL DATA -o RUN --keep-weights\n"
        "    or lw.train(model, data, run=RUN, keep_weights=True)."
    )
    with pytest.raises(InputError, match=r"^keep_weights needs a run folder to keep them in\. Give one: run=FOLDER\.$"):
        train(make_network(0), make_images(), epochs=1, keep_weights=True)


def test_odd_batches_one_network_and_networks_of_other_classes_are_refused() -> None:
    data, networks = make_images(), [make_network(0), make_network(1)]
    for size in (0, -1):
        with pytest.raises(InputError, match=f"^batch_size must be at least 1; got {size}\\.$"):
            variance_of_gradients(networks, data, batch_size=size)
    with pytest.raises(InputError) as one:
        variance_of_gradients(make_network(0), data)  # type: ignore[arg-type]
    assert str(one.value) == (
        "the variance of gradients is of several states of a network, and one network was given.\n"
        "    Give a list of them, or networks_of_epochs(RUN, MODEL)."
    )
    with pytest.raises(ModelError) as narrow:
        variance_of_gradients([nn.Sequential(nn.Flatten(), nn.Linear(108, 3))], data)
    assert str(narrow.value) == (
        f"each network must give logits of shape (11, 4), one for each class of {data.name}; got (11, 3)."
    )
    with pytest.raises(InputError, match='of = "None" is neither'):
        variance_of_gradients(networks, data, of=None)  # type: ignore[arg-type]
