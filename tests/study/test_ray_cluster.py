"""On a real Ray cluster of two nodes the numbers are the loop's, also when a node is killed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from layerwise.study.cells import Cell
from layerwise.study.engines import on_ray
from layerwise.study.engines.loop import run_in_loop
from layerwise.study.engines.on_ray import run_on_ray
from layerwise.study.engines.stacked import cut_into_stacks, run_stack
from layerwise.study.running import planned_trials
from layerwise.study.trials import Record, Trial
from study_files import small

pytestmark = pytest.mark.slow

NETWORKS = """
import os, pathlib, time
from torch import nn

def slow(num_classes):
    node, here = str(os.getppid()), pathlib.Path(__file__).parent
    with (here / "begun").open("a") as begun:
        begun.write(f"{node}\\n")
    time.sleep(60 if (here / "doomed").read_text() == node else 0.1)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))

def fatal(num_classes):
    os._exit(3)
"""


def of_network(trials: Sequence[Trial], network: str) -> list[Trial]:
    """The trials with a network of a file."""
    kept = {key: value for key, value in trials[0].cell.settings.items() if not key.startswith("model.")}
    cell = Cell({**kept, "model.name": network})
    return [Trial(cell, block) for block in range(len(trials))]


def assert_same(records: Sequence[Record], expected: Sequence[Record]) -> None:
    """All but the times and the order, to the bit."""

    def by_address(some: Sequence[Record]) -> dict[tuple[str, int], Record]:
        return {(one.cell, one.block): one for one in some}

    assert len(records) == len(expected)
    ours, theirs = by_address(records), by_address(expected)
    assert ours.keys() == theirs.keys()
    for address, one in ours.items():
        other = theirs[address]
        assert (one.status, one.error, one.measures) == (other.status, other.error, other.measures)
        assert one.series.keys() == other.series.keys()
        for name, values in one.series.items():
            np.testing.assert_array_equal(values, other.series[name])


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray, listening to this machine alone; at the end nothing of it runs."""
    before = set(psutil.Process().children(recursive=True))
    ray = pytest.importorskip("ray")
    from ray._private import ray_constants

    # Ray tells other processes of a cluster by a file in its folder; and paths of sockets have to be short.
    with (
        tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(ray_constants, "ENABLE_RAY_CLUSTER", False)
        for name, value in {"USAGE_STATS_ENABLED": "0", "AUTH_MODE": "disabled", "TMPDIR": folder}.items():
            patched.setenv(f"RAY_{name}", value)
        yield ray
        ray.shutdown()
    left = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs(left, timeout=20)
    assert not alive


@pytest.fixture(scope="module")
def cluster(ray: Any) -> Iterator[Any]:
    """Two nodes of one processor each, joined."""
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**options, "node_ip_address": "127.0.0.1"})
    cluster.add_node(**options, node_ip_address="127.0.0.1")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_ADDRESS", cluster.address)
        ray.init(log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    (tmp_path / "networks.py").write_text(NETWORKS)
    return tmp_path / "networks.py"


def test_stacks_on_two_nodes_end_as_they_do_here(cluster: Any) -> None:
    mine = psutil.Process().children(recursive=True)
    listening = [one.laddr.ip for child in mine for one in child.net_connections() if one.status == psutil.CONN_LISTEN]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::ffff:127.0.0.1"}
    trials = planned_trials(small())
    expected = [record for stack in cut_into_stacks(trials) for record in run_stack(stack)]
    assert_same(list(run_on_ray(trials)), expected)


def test_a_node_is_killed_and_the_numbers_are_the_loop_s(cluster: Any, networks: Path) -> None:
    trials = planned_trials(small())
    trials = [*of_network(trials[:5], f"{networks}:slow"), *trials]
    begun, doomed = networks.with_name("begun"), networks.with_name("doomed")
    doomed.write_text("")
    expected = list(run_in_loop(trials))
    begun.unlink()
    (second,) = cluster.worker_nodes
    doomed.write_text(str(second.all_processes["raylet"][0].process.pid))
    records = run_on_ray(trials, stacked=False)
    found = [next(records)]
    deadline = time.monotonic() + 60
    while doomed.read_text() not in begun.read_text().split() and time.monotonic() < deadline:
        time.sleep(0.05)
    cluster.remove_node(second, allow_graceful=False)
    found.extend(records)
    assert_same(found, expected)
    assert len(begun.read_text().split()) > 5  # what the node had begun was begun once more


def test_a_worker_that_dies_costs_its_trial_alone(
    cluster: Any, networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray, "RETRIES", 0)
    good = planned_trials(small())[:1]
    records = list(run_on_ray([*good, *of_network(good, f"{networks}:fatal")], stacked=False))
    assert {(one.cell, one.status) for one in records if one.status == "done"} == {(good[0].cell.address, "done")}
    (lost,) = [one for one in records if one.status != "done"]
    assert lost.status == "failed"
    assert lost.error.startswith("its worker died 1 times (")
