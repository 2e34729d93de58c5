"""The charts: well-formed, harmless, readable without eyes, and with the right numbers in the right places."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import polars as pl
import pytest

from churnkit.errors import ExtraMissingError, OutputError
from churnkit.output.charts import Drawn, charts_of, check_folder, write_charts
from churnkit.output.svg import HEIGHT, WIDTH, Chart, number_axis, share_axis

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*, profit: bool = True, money: bool = True, name: str = "RFM & <b>rules</b>") -> Drawn:
    shares = [k / 100 for k in range(101)]
    bend = {"churnkit": 3.0, "rfm_score": 2.0, "ceiling": 4.0}
    curves = [
        {
            "model": model,
            "share": share,
            "captured": 1 - (1 - share) ** power,
            "captured_money": (1 - (1 - share) ** power) if money else 0.0,
            "profit": 1_000 * (1 - (1 - share) ** power) - 900 * share if profit else None,
        }
        for model, power in bend.items()
        for share in shares
    ]
    bins = [
        {"model": model, "customers": 50, "churn_probability": p, "churn_rate": p**2, "low": p**2 / 2, "high": p}
        for model in bend
        for p in (0.05, 0.35, 0.65, 0.95)
    ]
    return Drawn(
        curves=pl.DataFrame(curves, schema_overrides={"profit": pl.Float64}),
        reliability=pl.DataFrame(bins),
        names={"churnkit": "churnkit", "rfm_score": name, "ceiling": "ceiling"},
        subtitle="No order within 60 days · 200 customers",
    )


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_there_is_a_chart_of_everything_that_there_is() -> None:
    assert list(charts_of(drawn())) == ["reliability", "gain", "lift", "money", "profit"]
    assert list(charts_of(drawn(profit=False, money=False))) == ["reliability", "gain", "lift"]


@pytest.mark.parametrize("name", ["reliability", "gain", "lift", "money", "profit"])
def test_a_chart_is_well_formed_and_says_in_words_what_it_shows(name: str) -> None:
    root = parsed(charts_of(drawn())[name])
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text
    assert "RFM & <b>rules</b>" in (description.text or "")
    assert "churnkit" in (description.text or "")
    assert re.search(r"\d", description.text or "")


@pytest.mark.parametrize("hostile", ["</svg><script>alert(1)</script>", "a\x1b[2Jb\x00", '"><image href="http://x"/>'])
def test_a_chart_holds_no_script_and_loads_nothing(hostile: str) -> None:
    allowed = {f"{SVG}{tag}" for tag in ("svg", "title", "desc", "rect", "line", "path", "circle", "text")}
    for svg in charts_of(drawn(name=hostile)).values():
        elements = list(parsed(svg).iter())
        assert {element.tag for element in elements} <= allowed
        assert not [key for element in elements for key in element.attrib if key.startswith("on") or "href" in key]
        assert "\x1b" not in svg


def test_everything_drawn_lies_within_the_picture() -> None:
    for svg in charts_of(drawn()).values():
        for element in parsed(svg).iter(f"{SVG}path"):
            for x, y in points(element.get("d", "")):
                assert 0 <= x <= WIDTH
                assert 0 <= y <= HEIGHT


def test_a_point_stands_where_the_axes_say() -> None:
    chart = Chart("t", "s", share_axis("x"), number_axis("y", 0, 100), "d")
    chart.line([(0.0, 0.0), (0.5, 50.0), (1.0, 100.0)], "ours", "line")
    root = parsed(chart.svg())
    ticks = {element.text: element for element in root.iter(f"{SVG}text")}
    (x0, y0), (x1, y1), (x2, y2) = points(next(root.iter(f"{SVG}path")).get("d", ""))
    assert float(ticks["0%"].get("x", "")) == x0
    assert float(ticks["100%"].get("x", "")) == x2
    assert float(ticks["100"].get("y", "")) == pytest.approx(y2 + 4)
    assert (x1, y1) == pytest.approx(((x0 + x2) / 2, (y0 + y2) / 2), abs=0.1)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 1e-4), (-3, 7), (-5_000, -10), (0, 123_456.7), (-1, 1e9)])
def test_a_number_axis_holds_both_ends_and_zero_with_few_ticks(low: float, high: float) -> None:
    axis = number_axis("y", low, high)
    assert axis.low <= min(low, 0)
    assert max(high, 0) <= axis.high
    assert axis.low < axis.high
    assert 2 <= len(axis.ticks) <= 8
    labels = [label for _, label in axis.ticks]
    assert len(set(labels)) == len(labels)
    assert any(float(label.replace(",", "")) == 0 for label in labels)


def test_the_best_of_the_profit_curve_is_marked_with_its_amount() -> None:
    root = parsed(charts_of(drawn())["profit"])
    best = max((1_000 * (1 - (1 - k / 100) ** 3) - 9 * k, k) for k in range(101))
    assert f"{best[0]:,.0f} with {best[1]} % contacted" in {element.text for element in root.iter(f"{SVG}text")}


def test_the_charts_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "charts"
    check_folder(str(folder), "svg")
    charts = charts_of(drawn())
    assert write_charts(str(folder), charts, "svg") == [f"{name}.svg" for name in charts]
    assert (folder / "gain.svg").read_text(encoding="utf-8") == charts["gain"]
    assert write_charts(str(folder), charts, "svg"), "a second time they are replaced"


def test_a_folder_that_cannot_be_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "none" / "charts"):
        with pytest.raises(OutputError):
            check_folder(str(wrong), "svg")


def test_png_is_drawn_where_the_extra_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="the extra png is not installed")
    write_charts(str(tmp_path), charts_of(drawn()), "png")
    content = (tmp_path / "lift.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 2 * WIDTH


def test_without_the_extra_png_is_refused_with_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ExtraMissingError) as caught:
        check_folder(str(tmp_path), "png")
    assert "--chart-format svg" in caught.value.hint
