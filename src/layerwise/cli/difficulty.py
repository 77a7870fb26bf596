"""`layerwise difficulty`: at which tap each example is decided."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from layerwise.cli.console import AsJson, bars

if TYPE_CHECKING:
    from layerwise.cli.sources import Source
    from layerwise.data.images import ImageData

SUSPECTS = 100
SPLITS = ("test", "train", "validation", "all")


def difficulty(
    run: Annotated[Path | None, typer.Argument(help="A run folder that `layerwise train` made.")] = None,
    *,
    model: Annotated[
        str | None, typer.Option(help="A network by name, or FILE.py:NAME; with a run, it takes the run's weights.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Its weights: safetensors, state dict, checkpoint.")] = None,
    data: Annotated[str | None, typer.Option(help="The images; by default those of the run.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; by default the run.")] = None,
    taps: Annotated[str, typer.Option(help="children, blocks, leaves, or names with commas between.")] = "children",
    k: Annotated[int, typer.Option(help="Neighbours in a vote.")] = 30,
    agree_with: Annotated[str, typer.Option(help="Reference class: prediction, last-probe or label.")] = "prediction",
    split: Annotated[str, typer.Option(help="What to measure: test, train (leave-one-out), validation, all.")] = "test",
    mean: Annotated[str | None, typer.Option(help="With --model: pixels minus this, as 0.5,0.5,0.5 …")] = None,
    std: Annotated[str | None, typer.Option(help="… and divided by this.")] = None,
    limit_gb: Annotated[float, typer.Option(help="The most memory for activations.")] = 4.0,
    batch_size: Annotated[int, typer.Option(help="Images in one forward pass.")] = 256,
    keep_activations: Annotated[bool, typer.Option("--keep-activations", help="Leave them as .npy files.")] = False,
    threads: Annotated[int | None, typer.Option(help="Processor threads; by default one per core.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps; by default cpu.")] = None,
    depths_only: Annotated[
        bool, typer.Option("--depths-only", help="Depths alone: sooner, but too little for a report.")
    ] = False,
    fast: Annotated[
        int | None,
        typer.Option(help="Project wider taps to so many numbers, such as 512: approximate, and it is said."),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor keep raw images' neighbours.")] = False,
    seed: Annotated[int, typer.Option(help="With --data: splits images that come in one piece.")] = 0,
    label_errors: Annotated[
        bool, typer.Option("--label-errors", help="Rank the labels trained on; the run needs `train --log-dynamics`.")
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(help="The four kinds of difficulty: train again, without one of so many parts at a time."),
    ] = None,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", help="Measured runs of other seeds, one each: the mean depth of each image over them."),
    ] = None,
    suspects: Annotated[
        int, typer.Option(help="With --label-errors: how many labels to gather evidence on.")
    ] = SUSPECTS,
    csv: Annotated[
        Path | None,
        typer.Option(help="With --label-errors: export them, those found before, too, to this new file."),
    ] = None,
    csv_for: Annotated[
        str | None, typer.Option(help="With --csv: plain, datalab (cleanlab) or fiftyone; by default plain.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Replace what was measured before.")] = False,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Run the FILE.py that the run names as its network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say of every example at which tap the network decides it.

    layerwise difficulty runs/shapes --taps blocks

    layerwise difficulty --model resnet20 --weights r20.pth --data cifar10:DIR -o runs/r20

    layerwise difficulty runs/digits --label-errors

    layerwise difficulty runs/digits --label-errors --csv labels.csv --csv-for datalab

    layerwise difficulty runs/digits --folds 5

    layerwise difficulty runs/seed0 --with runs/seed1 --with runs/seed2
    """
    from layerwise.cli.folds import check_not_folded, measure_folds
    from layerwise.cli.label_errors import check_not_ranked, export_found, rank_labels, read_csv_options
    from layerwise.cli.over_runs import combine
    from layerwise.cli.sources import source_of_names, source_of_run
    from layerwise.cli.threads import use_threads
    from layerwise.difficulty.folder import check_not_measured
    from layerwise.difficulty.input_cache import cache_folder
    from layerwise.difficulty.settings import ProbeSettings
    from layerwise.errors import InputError

    if others:
        unused = {
            "--model": model is not None, "--weights": weights is not None, "--data": data is not None,
            "-o": output is not None, "--taps": taps != "children", "--k": k != 30,
            "--agree-with": agree_with != "prediction", "--split": split != "test",
            "--keep-activations": keep_activations, "--depths-only": depths_only, "--fast": fast is not None,
            "--mean": mean is not None, "--std": std is not None, "--limit-gb": limit_gb != 4.0,
            "--batch-size": batch_size != 256, "--threads": threads is not None, "--device": device is not None,
            "--no-cache": no_cache, "--seed": seed != 0, "--label-errors": label_errors, "--folds": folds is not None,
            "--trust-code": trust_code,
            "--suspects": suspects != SUSPECTS, "--csv": csv is not None, "--csv-for": csv_for is not None,
        }  # fmt: skip
        combine(run, others, unused=unused, again=again, as_json=as_json)
        return
    if not limit_gb > 0:
        raise InputError(f"--limit-gb must be a number above 0; got {limit_gb:g}.")
    if suspects != SUSPECTS and not label_errors:
        raise InputError(
            f"--suspects {suspects} is of --label-errors, which is not asked for. Add it, or leave both out."
        )
    exported = read_csv_options(csv, csv_for, label_errors=label_errors)
    if threads is not None:
        use_threads(threads)
    folder = output or run
    of_training_images = [
        name for name, given in {"--label-errors": label_errors, "--folds": folds is not None}.items() if given
    ]
    if exported and run is not None and not again and export_found(run, exported, as_json=as_json):
        return
    if folder is not None and not again:
        check = check_not_ranked if label_errors else check_not_measured if folds is None else check_not_folded
        check(folder)
    if of_training_images:
        other = {"--split": split != "test", "--agree-with": agree_with != "prediction",
                 "--keep-activations": keep_activations, "--depths-only": depths_only}  # fmt: skip
        _refuse_what_needs_a_run(run, output, of_training_images, [name for name, given in other.items() if given])
    if run is not None and folder is not None:
        _refuse_unused({"--weights": weights, "--mean": mean, "--std": std})
        source = source_of_run(
            run, data, seed=seed, model=model, trust_code=trust_code, may_ask=not as_json,
            same_images=bool(of_training_images),
        )  # fmt: skip
    elif model is not None and data is not None and folder is not None:
        source = source_of_names(model, weights, data, mean=mean, std=std, seed=seed)
    else:
        raise InputError(
            "what to measure? Give a run folder: layerwise difficulty RUN\n"
            "    or a network and images: layerwise difficulty --model MODEL --data DATA -o RUN"
        )
    if of_training_images:
        cache = None if no_cache else cache_folder()
        settings = ProbeSettings(k, batch_size, limit_gb * 1e9, device=device, cache=cache, fast=fast)
        if folds is None:
            rank_labels(source, folder, taps=taps, suspects=suspects, settings=settings, csv=exported, as_json=as_json)
        else:
            measure_folds(source, folder, folds=folds, taps=taps, settings=settings, as_json=as_json)
        return
    measure(
        source, folder, taps=taps, k=k, agree_with=agree_with, split=split, limit_bytes=limit_gb * 1e9,
        batch_size=batch_size, keep_activations=keep_activations, device=device, depths_only=depths_only,
        fast=fast, use_cache=not no_cache, as_json=as_json,
    )  # fmt: skip


def _refuse_what_needs_a_run(run: Path | None, output: Path | None, asked: list[str], other: list[str]) -> None:
    """Refuse what is of a run's training images without a run, or with options that say something else."""
    from layerwise.errors import InputError

    option = asked[0]
    if asked[1:] or other:
        raise InputError(
            f"{option} cannot be used together with {', '.join([*asked[1:], *other])}.\n"
            "    Give one command after the other."
        )
    if run is None or output is not None:
        raise InputError(
            f"{option} is of the images that a run was trained on, and writes into it.\n"
            f"    Give the run, without -o: layerwise difficulty RUN {option} …\n"
            "    Make one: layerwise train MODEL DATA -o RUN --log-dynamics"
        )


def _refuse_unused(option_to_value: Mapping[str, object]) -> None:
    from layerwise.errors import InputError

    given = [option for option, value in option_to_value.items() if value is not None]
    if given:
        raise InputError(
            f"{', '.join(given)} cannot be used together with a run folder: its network has them already.\n"
            "    Leave them out, or leave the run folder out and give --model, --data and -o."
        )


def measure(
    source: Source, folder: Path, *, taps: str, k: int, agree_with: str, split: str, limit_bytes: float,
    batch_size: int, keep_activations: bool, device: str | None, depths_only: bool, fast: int | None,
    use_cache: bool, as_json: bool,
) -> None:  # fmt: skip
    """Measure, save into the folder, and print what came out."""
    from layerwise.arrays.depth import Reference
    from layerwise.cli.difficulty_words import print_depths, print_difficulty, say_where_time_went
    from layerwise.cli.sources import read_place
    from layerwise.difficulty.depths import Depths
    from layerwise.difficulty.folder import check_same_network, save_depths, save_difficulty
    from layerwise.difficulty.input_cache import cache_folder
    from layerwise.difficulty.measuring import measure_depths, measure_difficulty
    from layerwise.difficulty.settings import ProbeSettings
    from layerwise.models.saved import fingerprint, save_model
    from layerwise.recording.description import describe_taps

    check_same_network(folder, fingerprint(source.model))
    train, examples = source.data.train, examples_of(source.data, split)
    keep = folder / "activations" if keep_activations else None
    cache = cache_folder() if use_cache else None
    settings = ProbeSettings(k, batch_size, limit_bytes, keep=keep, device=device, cache=cache, fast=fast)
    place, partial = read_place(taps), folder / "partial"
    preprocessing = source.description.preprocessing
    started = time.perf_counter()
    with _advice_in_options():
        measured = (measure_depths if depths_only else measure_difficulty)(
            source.model,
            train,
            examples,
            place=place,
            agree_with=cast(Reference, agree_with),
            preprocessing=preprocessing,
            settings=settings,
            partial=partial,
            progress=bars,
        )
    described = describe_taps(source.model, train.select(slice(0, 1)), place, preprocessing=preprocessing)
    if not (folder / "model.json").exists():
        save_model(folder, source.model, source.description)
    facts = {**source.facts, "data_fingerprint": source.data.fingerprint, "split": split, "placement": taps}
    if isinstance(measured, Depths):
        save_depths(folder, measured, taps=described, facts=facts)
    else:
        save_difficulty(folder, measured, train, examples, taps=described, facts=facts)
    shutil.rmtree(partial, ignore_errors=True)
    seconds = time.perf_counter() - started
    if not as_json:
        say_where_time_went(measured.provenance["seconds"], seconds)
    if isinstance(measured, Depths):
        print_depths(folder, measured, seconds, as_json=as_json)
    else:
        print_difficulty(folder, seconds, as_json=as_json)


@contextmanager
def _advice_in_options() -> Iterator[None]:
    """A recording that is too large is refused with advice for Python; some of it no command can follow."""
    from layerwise.errors import ActivationsTooLargeError

    try:
        yield
    except ActivationsTooLargeError as error:
        fact, _, advice = str(error).partition("\n")
        if "limit_bytes=" not in advice:
            raise
        raise ActivationsTooLargeError(
            f"{fact}\n    Use a smaller --batch-size, fewer --taps, or a higher --limit-gb."
        ) from error


def examples_of(data: ImageData, split: str) -> ImageData:
    """The images of a split, or of all.

    Raises:
        UnknownNameError: there is no such split.
    """
    from layerwise.errors import UnknownNameError, did_you_mean

    if split not in SPLITS:
        raise UnknownNameError(
            f'no split is named "{split}".{did_you_mean(split, SPLITS)}\n    Choose one of: {", ".join(SPLITS)}.'
        )
    return data if split == "all" else data.split(split)
