"""Look at an image classifier layer by layer and example by example.

The public names, each loaded when it is first used: `import layerwise` itself loads no torch.

    import layerwise as lw

    data = lw.load_data("shapes")
    model = lw.load_model("resnet18", num_classes=data.num_classes, in_channels=1)
    lw.train(model, data, epochs=10, seed=0, run="runs/shapes")
    hard = lw.measure_difficulty(model, data.train, data.test).table().sort_values("depth")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from layerwise._public import NAME_TO_MODULE

if TYPE_CHECKING:
    from layerwise.arrays.depth import prediction_depth
    from layerwise.arrays.intervals import wilson_interval
    from layerwise.arrays.intrinsic_dimension import levina_bickel, two_nn
    from layerwise.arrays.map_quality import MapQuality, map_quality
    from layerwise.arrays.policies import (
        EntropyBelow,
        ExitPolicy,
        GeometricEnsemble,
        LearnedGate,
        MarginAbove,
        MaxProbabilityAbove,
        Patience,
    )
    from layerwise.arrays.soft_depth import DepthOverRuns, depth_over_runs, runs_needed, soft_depth
    from layerwise.arrays.votes import nearest_rows, tie_key, vote
    from layerwise.cost import Cost, count_macs
    from layerwise.data.catalog import load_data
    from layerwise.data.edges import EdgeFactors, load_edges
    from layerwise.data.images import ImageData, LazyImages, concatenate
    from layerwise.data.label_noise import blend_images, flip_labels
    from layerwise.data.shapes import draw_shapes, load_shapes
    from layerwise.data.splits import hold_out
    from layerwise.difficulty.depths import Depths
    from layerwise.difficulty.folder import load_depths, load_difficulty, save_depths, save_difficulty
    from layerwise.difficulty.folds import FoldedDepths, measure_kinds
    from layerwise.difficulty.gradients import networks_of_epochs, variance_of_gradients
    from layerwise.difficulty.labels.errors import LabelErrors, find_label_errors
    from layerwise.difficulty.labels.evidence import Evidence, gather_evidence
    from layerwise.difficulty.labels.export import export_label_errors
    from layerwise.difficulty.measuring import measure_depths, measure_difficulty
    from layerwise.difficulty.over_runs import OverRuns, ScoresOverRuns, combine_runs
    from layerwise.difficulty.result import Difficulty
    from layerwise.difficulty.settings import ProbeSettings
    from layerwise.errors import InputError, LayerwiseError
    from layerwise.exits.budgets import choose_for_accuracy, choose_for_macs, choose_for_seconds, evaluate_on
    from layerwise.exits.comparison import Comparison, compare_with
    from layerwise.exits.evaluation import ExitCurve, ExitSummary, evaluate_exits, evaluate_policy, exit_curve
    from layerwise.exits.export import OnnxExits, export_onnx
    from layerwise.exits.gate import fit_gate
    from layerwise.exits.guarantee import choose_with_guarantee
    from layerwise.exits.latency import SegmentTimes, time_segments
    from layerwise.exits.network import ExitNetwork
    from layerwise.exits.outcome import ExitOutcome
    from layerwise.exits.placement import Placement, best_placement
    from layerwise.exits.recorded import RecordedExits, record_exits
    from layerwise.exits.smaller import SmallerNetwork, measure_smaller
    from layerwise.exits.stages import Stages, cut_into_stages
    from layerwise.exits.stream import BudgetTracker
    from layerwise.exits.training import train_exits
    from layerwise.exits.tried import ChosenPolicy
    from layerwise.inside.complexity import Complexity, measure_complexity
    from layerwise.inside.data_set import describe_data
    from layerwise.inside.embedding.folder import load_maps
    from layerwise.inside.embedding.new_images import MapPlacer
    from layerwise.inside.embedding.placing import Ground, place_points
    from layerwise.inside.embedding.result import Embedding, TapMaps
    from layerwise.inside.embedding.taps import MapSettings, embed, embed_taps
    from layerwise.inside.encoders.autoencoder import Autoencoder
    from layerwise.inside.encoders.linear import LinearAutoencoder
    from layerwise.inside.encoders.measured import EncoderReport, MeasuredEncoder, measure_encoders
    from layerwise.inside.encoders.parametric_tsne import ParametricTsne
    from layerwise.inside.feature_maps import Features, read_features, telling_examples
    from layerwise.inside.filters import Filters, find_filters
    from layerwise.inside.gradients import gradient_norms
    from layerwise.inside.units import UnitReport, measure_units
    from layerwise.models.catalog import known_models, load_model
    from layerwise.models.loading import load_weights
    from layerwise.models.narrower import narrower
    from layerwise.models.preprocessing import Preprocessing
    from layerwise.models.saved import fingerprint, read_model, save_model
    from layerwise.neighbors.found import Neighbors, merge_neighbors
    from layerwise.neighbors.search import find_neighbors
    from layerwise.neighbors.voting import find_votes
    from layerwise.recording.activations import Activations
    from layerwise.recording.description import describe_taps
    from layerwise.recording.recorder import record
    from layerwise.report.page import write_report
    from layerwise.report.study.page import write_study_report
    from layerwise.study.checks.check import Check
    from layerwise.study.checks.results import check_study
    from layerwise.study.file import Study
    from layerwise.study.named import find_studies, list_studies
    from layerwise.study.summary import StudySummary, load_study
    from layerwise.taps.finding import find_taps
    from layerwise.taps.tap import Tap, Taps
    from layerwise.training.dynamics import Dynamics, load_dynamics
    from layerwise.training.dynamics_callback import dynamics_callback
    from layerwise.training.dynamics_log import DynamicsLog
    from layerwise.training.fit import train
    from layerwise.training.history import TrainingHistory
    from layerwise.training.settings import TrainSettings
    from layerwise.views.run import RunView, read_run
    from layerwise.web.export import export_explorer
    from layerwise.web.server import Explorer, explore

__all__ = [
    "Activations",
    "Autoencoder",
    "BudgetTracker",
    "Check",
    "ChosenPolicy",
    "Comparison",
    "Complexity",
    "Cost",
    "DepthOverRuns",
    "Depths",
    "Difficulty",
    "Dynamics",
    "DynamicsLog",
    "EdgeFactors",
    "Embedding",
    "EncoderReport",
    "EntropyBelow",
    "Evidence",
    "ExitCurve",
    "ExitNetwork",
    "ExitOutcome",
    "ExitPolicy",
    "ExitSummary",
    "Explorer",
    "Features",
    "Filters",
    "FoldedDepths",
    "GeometricEnsemble",
    "Ground",
    "ImageData",
    "InputError",
    "LabelErrors",
    "LayerwiseError",
    "LazyImages",
    "LearnedGate",
    "LinearAutoencoder",
    "MapPlacer",
    "MapQuality",
    "MapSettings",
    "MarginAbove",
    "MaxProbabilityAbove",
    "MeasuredEncoder",
    "Neighbors",
    "OnnxExits",
    "OverRuns",
    "ParametricTsne",
    "Patience",
    "Placement",
    "Preprocessing",
    "ProbeSettings",
    "RecordedExits",
    "RunView",
    "ScoresOverRuns",
    "SegmentTimes",
    "SmallerNetwork",
    "Stages",
    "Study",
    "StudySummary",
    "Tap",
    "TapMaps",
    "Taps",
    "TrainSettings",
    "TrainingHistory",
    "UnitReport",
    "best_placement",
    "blend_images",
    "check_study",
    "choose_for_accuracy",
    "choose_for_macs",
    "choose_for_seconds",
    "choose_with_guarantee",
    "combine_runs",
    "compare_with",
    "concatenate",
    "count_macs",
    "cut_into_stages",
    "depth_over_runs",
    "describe_data",
    "describe_taps",
    "draw_shapes",
    "dynamics_callback",
    "embed",
    "embed_taps",
    "evaluate_exits",
    "evaluate_on",
    "evaluate_policy",
    "exit_curve",
    "explore",
    "export_explorer",
    "export_label_errors",
    "export_onnx",
    "find_filters",
    "find_label_errors",
    "find_neighbors",
    "find_studies",
    "find_taps",
    "find_votes",
    "fingerprint",
    "fit_gate",
    "flip_labels",
    "gather_evidence",
    "gradient_norms",
    "hold_out",
    "known_models",
    "levina_bickel",
    "list_studies",
    "load_data",
    "load_depths",
    "load_difficulty",
    "load_dynamics",
    "load_edges",
    "load_maps",
    "load_model",
    "load_shapes",
    "load_study",
    "load_weights",
    "map_quality",
    "measure_complexity",
    "measure_depths",
    "measure_difficulty",
    "measure_encoders",
    "measure_kinds",
    "measure_smaller",
    "measure_units",
    "merge_neighbors",
    "narrower",
    "nearest_rows",
    "networks_of_epochs",
    "place_points",
    "prediction_depth",
    "read_features",
    "read_model",
    "read_run",
    "record",
    "record_exits",
    "runs_needed",
    "save_depths",
    "save_difficulty",
    "save_model",
    "soft_depth",
    "telling_examples",
    "tie_key",
    "time_segments",
    "train",
    "train_exits",
    "two_nn",
    "variance_of_gradients",
    "vote",
    "wilson_interval",
    "write_report",
    "write_study_report",
]


def __getattr__(name: str) -> Any:
    if name not in NAME_TO_MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{NAME_TO_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
