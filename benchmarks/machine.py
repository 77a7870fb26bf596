"""What a timing depends on, kept beside it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

import torch


def describe_machine() -> dict[str, Any]:
    """Processor, versions and date."""
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
