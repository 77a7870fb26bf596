"""The callback notes what Lightning's Trainer trains on, and goes on from Lightning's checkpoints."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from layerwise._torchvision import torchvision  # noqa: F401 - Lightning imports it
from layerwise.seeds import stream
from layerwise.training.dynamics_callback import dynamics_callback
from layerwise.training.dynamics_log import DynamicsLog

lightning = pytest.importorskip("lightning.pytorch")


def read(outputs: Any, batch: Any) -> Any:
    return batch[0], outputs["logits"], batch[2]


def module() -> Any:
    class Line(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.line = nn.Linear(3, 2)
            self.seen: list[torch.Tensor] = []

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            logits = self.line(batch[1])
            self.seen.append(logits.detach())
            return {"loss": functional.cross_entropy(logits, batch[2]), "logits": logits}

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.5)

    return Line()


def fit(log: DynamicsLog, epochs: int, folder: Path, *, go_on: Path | None = None) -> Any:
    generator = stream(0, "data")
    images = torch.as_tensor(generator.normal(size=(10, 3)), dtype=torch.float32)
    labels = torch.as_tensor(generator.integers(0, 2, 10))
    loader = DataLoader(TensorDataset(torch.arange(10), images, labels), batch_size=4)
    trained = module()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
            callbacks=[dynamics_callback(log, read)],
        )
        trainer.fit(trained, loader, ckpt_path=go_on, weights_only=True)
        trainer.save_checkpoint(folder / "last.ckpt")
    return trained


def test_every_batch_of_the_trainer_is_noted(tmp_path: Path) -> None:
    log = DynamicsLog(10, 2)
    trained = fit(log, 2, tmp_path)
    logits = torch.cat(trained.seen).reshape(2, 10, 2).double().softmax(dim=2).numpy()
    found = log.result()
    assert log.epochs == 2
    label = logits[:, np.arange(10), found.labels]
    np.testing.assert_allclose(found.scores["confidence"], label.mean(axis=0), atol=1e-7)


def test_the_log_goes_on_with_lightnings_checkpoint(tmp_path: Path) -> None:
    whole, begun, gone_on = (DynamicsLog(10, 2) for _ in range(3))
    fit(whole, 3, tmp_path / "whole")
    fit(begun, 1, tmp_path / "begun")
    fit(gone_on, 3, tmp_path / "gone_on", go_on=tmp_path / "begun" / "last.ckpt")
    assert gone_on.epochs == 3
    assert gone_on.result().table().equals(whole.result().table())
