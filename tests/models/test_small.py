import torch

from layerwise.models.small import ReportCNN


def test_the_report_cnn_has_the_layers_of_the_report():
    network = ReportCNN(num_classes=10)
    assert sum(p.numel() for p in network.parameters()) == (
        (64 * 75 + 64) + 2 * 64 + (32 * 1600 + 32) + 2 * 32 + (800 * 64 + 64) + (64 * 32 + 32) + (32 * 10 + 10)
    )
    assert [name for name, _ in network.named_children()] == [
        *("conv1", "bn1", "relu1", "pool1", "conv2", "bn2", "relu2", "pool2", "flatten"),
        *("fc1", "relu3", "dropout1", "fc2", "relu4", "dropout2", "fc3"),
    ]
    assert (network.dropout1.p, network.dropout2.p) == (0.2, 0.2)


def test_the_report_cnn_takes_grey_images_of_a_batch_of_one():
    network = ReportCNN(num_classes=6, in_channels=1).eval()
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 6)
