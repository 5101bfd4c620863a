"""Plots as SVG, with a text alternative. They use no colour alone: each line has its own dashes and its name. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from services.registry.reports.incidence import Point

_WIDTH, _HEIGHT = 720, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 40, 200, 56
_PLOT_WIDTH: Final = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT: Final = _HEIGHT - _TOP - _BOTTOM
# Colours that people with colour blindness can distinguish (Okabe and Ito), with the dashes of each line.
_LINES: Final = (
    ("#0072B2", ""),
    ("#D55E00", "8 4"),
    ("#009E73", "2 3"),
    ("#CC79A7", "12 3 2 3"),
    ("#56B4E9", "4 2"),
    ("#E69F00", "1 4"),
)
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1a1a1a}.title{font-size:16px;font-weight:600}"
    ".axis{stroke:#595959;fill:none}.grid{stroke:#d9d9d9;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#f2f2f2}.axis{stroke:#bfbfbf}.grid{stroke:#404040}}"
)


def incidence_plot(
    title: str, axis: str, description: str, curves: Mapping[str, Sequence[Point]], last_day: int
) -> str:
    """Return curves of cumulative incidence from day 0 to ``last_day``. ``axis``: the label of the days."""
    last_day = max(1, last_day)
    parts = [_frame(axis, last_day)]
    for number, (name, curve) in enumerate(curves.items()):
        colour, dashes = _LINES[number % len(_LINES)]
        stroke = f'stroke="{colour}" stroke-width="2.5" fill="none"' + (
            f' stroke-dasharray="{dashes}"' if dashes else ""
        )
        parts.append(f'<path d="{_steps(curve, last_day)}" {stroke}/>')
        y = _TOP + 10 + 22 * number
        x = _LEFT + _PLOT_WIDTH + 16
        parts.append(f'<path d="M{x} {y}h28" {stroke}/><text x="{x + 36}" y="{y + 4}">{escape(name)}</text>')
    return _picture(title, description, "".join(parts))


def _steps(curve: Sequence[Point], last_day: int) -> str:
    path = f"M{_x(0, last_day)} {_y(0)}"
    for point in curve:
        if point.day > last_day:
            break
        path += f"H{_x(point.day, last_day)}V{_y(point.share)}"
    return f"{path}H{_x(last_day, last_day)}"


def _frame(axis: str, last_day: int) -> str:
    parts = []
    for percent in range(0, 101, 25):
        y = _y(percent / 100)
        parts.append(f'<path class="grid" d="M{_LEFT} {y}h{_PLOT_WIDTH}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{percent} %</text>')
    for quarter in range(5):
        day = round(last_day * quarter / 4)
        x = _x(day, last_day)
        parts.append(f'<text x="{x}" y="{_TOP + _PLOT_HEIGHT + 20}" text-anchor="middle">{day}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}v{_PLOT_HEIGHT}h{_PLOT_WIDTH}"/>')
    middle = _LEFT + _PLOT_WIDTH / 2
    parts.append(f'<text x="{middle:g}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(axis)}</text>')
    return "".join(parts)


def _picture(title: str, description: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-labelledby="title description"><title id="title">{escape(title)}</title>'
        f'<desc id="description">{escape(description)}</desc><style>{_STYLE}</style>'
        f'<text class="title" x="{_LEFT}" y="22">{escape(title)}</text>{content}</svg>'
    )


def _x(day: int, last_day: int) -> float:
    return round(_LEFT + _PLOT_WIDTH * day / last_day, 1)


def _y(share: float) -> float:
    return round(_TOP + _PLOT_HEIGHT * (1 - share), 1)
