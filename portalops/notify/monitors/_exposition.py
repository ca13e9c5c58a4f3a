"""Figures as Prometheus reads them: the text exposition format, version 0.0.4.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/. Of it only what is needed here: gauges, and no times of
samples, which the textfile collector of node_exporter refuses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_SAMPLES = 2000
"""Of one metric: what a configuration can name stays far below it; more would be a fault, and costs whoever stores it."""
MAX_LABEL = 100
"""Longest value of a label, in characters."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class MetricSample:
    """One figure."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Metric:
    """Figures of one name; without samples it is left out."""

    name: str
    help: str
    samples: tuple[MetricSample, ...]


def expose(metrics: Iterable[Metric]) -> str:
    """Return metrics as text; each name once, its samples in the order of their labels.

    Raises:
        ValueError: a name is none, or there are more samples than `MAX_SAMPLES`.
    """
    lines: list[str] = []
    for metric in metrics:
        if not metric.samples:
            continue
        if not _NAME.fullmatch(metric.name) or len(metric.samples) > MAX_SAMPLES:
            raise ValueError(f"not a metric: {metric.name[:100]}, {len(metric.samples)} samples")
        lines.append(f"# HELP {metric.name} {_escaped(metric.help)}")
        lines.append(f"# TYPE {metric.name} gauge")
        lines += sorted({_line(metric.name, sample) for sample in metric.samples})
    return "".join(f"{line}\n" for line in lines)


def number(value: float) -> str:
    """Return a figure as Prometheus writes it: seconds to the millisecond, no exponent.

    >>> number(1764122520.25), number(3)
    ('1764122520.25', '3')
    """
    if not math.isfinite(value):
        return "NaN"
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _line(name: str, sample: MetricSample) -> str:
    labels = []
    for label, value in sorted(sample.labels.items()):
        if not _NAME.fullmatch(label):
            raise ValueError(f"not a label: {label[:100]}")
        text = _escaped(value[:MAX_LABEL]).replace('"', r"\"")
        labels.append(f'{label}="{text}"')
    return f"{name}{{{','.join(labels)}}} {number(sample.value)}"


def _escaped(text: str) -> str:
    """Escape what would end a line; other control characters and lone surrogates become `?`."""
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return "".join(sign if sign.isprintable() else "?" for sign in text)
