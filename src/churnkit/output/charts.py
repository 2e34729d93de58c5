"""The charts of a backtest: reliability, gain, lift, money and profit, as SVG or PNG files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from churnkit.errors import ExtraMissingError, OutputError
from churnkit.output.files import check_writable, raise_named, write_bytes
from churnkit.output.safe_text import one_line
from churnkit.output.svg import Axis, Chart, Point, Role, number_axis, share_axis

ChartFormat = Literal["svg", "png"]

_PNG_ZOOM = 2
_TENTHS = range(1, 11)
_SPAN = (0.4, 10.6)  # half a tenth to either side, and a little air


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What the charts of a backtest are drawn from.

    Args:
        curves: `terms.CURVES`, a row for each model and hundredth of the list.
        reliability: `terms.RELIABILITY`.
        names: The models to draw, ours first, then the alternative, then the ceiling where there is one, and what they
            are called.
        subtitle: Of whom, and when.
        lost: What is lost with those who leave: money, or orders.
    """

    curves: pl.DataFrame
    reliability: pl.DataFrame
    names: Mapping[str, str]
    subtitle: str
    lost: str = "money"

    def of(self, model: str, column: str) -> list[Point]:
        """A curve of a model, by share of the list."""
        rows = self.curves.filter(pl.col("model") == model)
        return list(zip(rows["share"].to_list(), rows[column].to_list(), strict=True))

    def lines(self) -> list[tuple[str, str, Role]]:
        """The models, their names and how they are drawn."""
        roles: tuple[Role, ...] = ("ours", "other", "ceiling")
        return [(model, name, role) for (model, name), role in zip(self.names.items(), roles, strict=False)]


def charts_of(drawn: Drawn) -> dict[str, str]:
    """The charts as SVG, by name; those of money and profit where there is any.

    Returns:
        `reliability gain lift money profit`.
    """
    found = {"reliability": _reliability(drawn), "gain": _gain(drawn), "lift": _lift(drawn)}
    if any(height for _, height in drawn.of(next(iter(drawn.names)), "captured_money")):
        found["money"] = _money(drawn)
    if drawn.curves["profit"].null_count() < drawn.curves.height:
        found["profit"] = _profit(drawn)
    return {name: chart.svg() for name, chart in found.items()}


def _reliability(drawn: Drawn) -> Chart:
    lines = [(name, role, drawn.reliability.filter(pl.col("model") == model)) for model, name, role in drawn.lines()]
    lines = [line for line in lines if line[1] != "ceiling"]
    said = [
        f"{name}: " + ", ".join(f"{_percent(p)} foretold, {_percent(rate)} left" for p, rate in _bins(rows))
        for name, _, rows in lines
    ]
    chart = Chart(
        "Are the probabilities true?",
        drawn.subtitle,
        share_axis("churn probability, mean of a tenth of the customers"),
        share_axis("share that left"),
        f"Tenths of the customers by churn probability, beside the share that left. {'; '.join(said)}.",
    )
    chart.line([(0, 0), (1, 1)], "reference", "perfect")
    for name, role, rows in reversed(lines):
        if role == "ours":
            chart.whiskers(list(rows.select("churn_probability", "low", "high").iter_rows()), role)
        chart.line(_bins(rows), role, f"{name} (95 % intervals)" if role == "ours" else name)
        chart.marks(_bins(rows), role)
    return chart


def _bins(rows: pl.DataFrame) -> list[Point]:
    return list(rows.select("churn_probability", "churn_rate").iter_rows())


def _gain(drawn: Drawn) -> Chart:
    return _cumulated(
        drawn,
        "captured",
        "Who leaves, and how early in the list",
        "share of all who left",
        "by churn probability",
    )


def _money(drawn: Drawn) -> Chart:
    return _cumulated(
        drawn,
        "captured_money",
        f"The {drawn.lost} that is lost, and how early in the list",
        f"share of the {drawn.lost} lost",
        "by churn probability x spend if retained",
    )


def _cumulated(drawn: Drawn, column: str, title: str, y: str, ranked: str) -> Chart:
    said = [f"{name} {_told(drawn.of(model, column))}" for model, name, _ in drawn.lines()]
    chart = Chart(
        title,
        drawn.subtitle,
        share_axis(f"share of the customers, {ranked}"),
        share_axis(y),
        f"{y.capitalize()} within the top 10, 20 and 50 % of the list: {'; '.join(said)}.",
    )
    chart.line([(0, 0), (1, 1)], "reference", "by chance")
    for model, name, role in reversed(drawn.lines()):
        chart.line(drawn.of(model, column), role, name)
    return chart


def _told(points: Sequence[Point]) -> str:
    return ", ".join(_percent(points[hundredth][1]) for hundredth in (10, 20, 50))


def _lift(drawn: Drawn) -> Chart:
    lifts = {model: _lifts(drawn.of(model, "captured")) for model, _, _ in drawn.lines()}
    said = [f"{name}: {', '.join(f'{y:.2f}' for _, y in lifts[model])}" for model, name, _ in drawn.lines()]
    top = max(y for points in lifts.values() for _, y in points)
    chart = Chart(
        "How much more often they leave than the average",
        drawn.subtitle,
        Axis("tenth of the list, by churn probability", *_SPAN, [(k, str(k)) for k in _TENTHS]),
        number_axis("lift", 0, top),
        f"Share that left in each tenth of the list, over that of all, from the top. {'; '.join(said)}.",
    )
    for model, name, role in drawn.lines():
        if role == "ours":
            chart.bars(lifts[model], 0.32, role, name)
        elif role == "other":
            chart.line(lifts[model], role, name)
            chart.marks(lifts[model], role)
    chart.line([(end, 1.0) for end in _SPAN], "reference", "average")
    return chart


def _lifts(points: Sequence[Point]) -> list[Point]:
    return [(k, 10 * (points[10 * k][1] - points[10 * k - 10][1])) for k in _TENTHS]


def _profit(drawn: Drawn) -> Chart:
    curves = {model: drawn.of(model, "profit") for model, _, _ in drawn.lines()}
    best = {model: max(points, key=lambda point: point[1]) for model, points in curves.items()}
    said = [
        f"{name}: at most {best[model][1]:,.0f}, with {_percent(best[model][0])} contacted"
        for model, name, _ in drawn.lines()
    ]
    top = max(point[1] for point in best.values())
    least = min(y for points in curves.values() for _, y in points)
    low = max(least, -2 * top) if top > 0 else least  # far below nobody reads it, and the rest would be flat
    chart = Chart(
        "What a campaign would have earned",
        drawn.subtitle,
        share_axis("share of the customers contacted, by expected profit"),
        number_axis("profit for each horizon", low, top),
        f"Profit by the share of customers contacted. {'; '.join(said)}.",
    )
    for model, name, role in reversed(drawn.lines()):
        chart.line([point for point in curves[model] if point[1] >= chart.y.low], role, name)
    ours = best[next(iter(drawn.names))]
    chart.marks([ours], "ours")
    chart.note(ours, f"{ours[1]:,.0f} with {_percent(ours[0])} contacted")
    return chart


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def check_folder(folder: str, format: ChartFormat) -> None:
    """Refuses a folder that cannot be written to, and a format that cannot be drawn, before the expensive work.

    Raises:
        OutputError: The folder is a file, or cannot be made.
        ExtraMissingError: PNG was asked for, and the library that draws it is not installed.
    """
    if Path(folder).is_dir():
        check_writable(str(Path(folder) / "chart"))
    elif Path(folder).exists():
        raise OutputError(
            f"cannot write charts to {one_line(folder)}: it is a file", hint="name a folder: --charts DIR"
        )
    else:
        check_writable(folder)
    _converter(format)


def write_charts(folder: str, charts: Mapping[str, str], format: ChartFormat) -> list[str]:
    """Writes each chart into a folder, which is made where it is missing.

    Returns:
        The names of the files.

    Raises:
        OutputError: The folder cannot be made, or not be written to.
        ReadWriteError: Writing failed half-way.
        ExtraMissingError: As in `check_folder`.
    """
    convert = _converter(format)
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise_named(error, f"making the folder {folder}")
    for name, svg in charts.items():
        _write(str(Path(folder) / f"{name}.{format}"), convert(svg))
    return [f"{name}.{format}" for name in charts]


def _write(path: str, content: bytes) -> None:
    write_bytes(path, lambda stream: stream.write(content))


def _converter(format: ChartFormat) -> Callable[[str], bytes]:
    """What makes a file of an SVG text."""
    if format == "svg":
        return lambda svg: svg.encode()
    try:
        import resvg_py
    except ImportError:
        raise ExtraMissingError(
            "drawing .png needs an optional part",
            hint='install the extra png: pip install ".[png]" in the checkout; .svg needs nothing: --chart-format svg',
        ) from None
    return lambda svg: bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_PNG_ZOOM))
