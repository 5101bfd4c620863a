from services.registry.reports.access import Paths
from services.registry.reports.report import Figures, Measure, counts_of, measures_of

Row = tuple[tuple[int | None, ...], str | None, int | None, bool, bool, bool | None]


def path(
    delivery: str | None = "in_vivo",
    *reached: int | None,
    ended: int | None = None,
    screen_failed: bool = False,
    minor: bool = False,
    late: bool | None = None,
) -> Row:
    """``reached``: answer, visit, consent, inclusion, collection, dosing."""
    return (*reached, *[None] * (6 - len(reached))), delivery, ended, screen_failed, minor, late


def figures(rows: list[Row]) -> Figures:
    reached, deliveries, ended, failed, minor, late = zip(*rows, strict=True)
    kinds = list(zip(deliveries, minor, strict=True))
    return Figures(Paths(kinds, [176] * len(rows), [*zip(*reached, strict=True)], ended, failed, late))


def measure(found: list[Measure], step: str, group: str = "all") -> Measure:
    return next(one for one in found if (one.step, one.group) == (step, group))


def test_access_counts_the_dead_and_the_waiting() -> None:
    """Ten treated after 100 days, five died after 30, five wait: the share of treated after 100 days is not all."""
    paths = [
        *[path("in_vivo", 5, 12, 20, 40, None, 100)] * 10,
        *[path("in_vivo", 5, ended=30)] * 5,
        *[path()] * 5,
    ]
    found = measures_of(figures(paths), suppress=False)
    dosing = measure(found, "dosing")
    assert (dosing.cases, dosing.ended, dosing.otherwise, dosing.open, dosing.median) == (20, 10, 5, 5, 100)
    assert measure(found, "answer").within_target == 0.75
    assert measure(found, "dosing", "ex_vivo").cases == 0


def test_what_is_below_eleven_is_hidden_and_cannot_be_subtracted() -> None:
    paths = [*[path("in_vivo")] * 30, *[path("ex_vivo", 3)] * 20, *[path(None, 3)] * 4]
    found = measures_of(figures(paths), suppress=True)
    assert measure(found, "answer").cases == 54
    assert measure(found, "answer", "not_known").suppressed
    assert measure(found, "answer", "ex_vivo").suppressed  # else 54 - 30 - 20 reveals the 4
    assert measure(found, "answer", "in_vivo").cases == 30
    assert all(one.cases is None or one.cases >= 11 for one in found if not one.suppressed and one.cases)


def test_a_screen_failure_exists_only_after_consent() -> None:
    paths = [
        path("in_vivo", 1, 3, ended=3),
        path("in_vivo", 1, 3, 4, ended=9, screen_failed=True),
        path("in_vivo", 1, 3, 4),
    ]
    found = {(one.code, one.group): one.count for one in counts_of(figures(paths), suppress=False)}
    assert found["screening", "consented"] == 2
    assert found["screening", "screen_failure"] == 1


def test_minors_and_adults_are_apart_and_none_of_them_can_be_subtracted() -> None:
    paths = [*[path("in_vivo", 3)] * 30, *[path("ex_vivo", 3, minor=True)] * 4]
    found = measures_of(figures(paths), suppress=False)
    assert (measure(found, "answer", "child").cases, measure(found, "answer", "adult").cases) == (4, 30)
    hidden = measures_of(figures(paths), suppress=True)
    assert measure(hidden, "answer").cases == 34
    assert measure(hidden, "answer", "child").suppressed
    assert measure(hidden, "answer", "adult").suppressed


def test_a_referral_without_a_last_month_is_neither_in_time_nor_late() -> None:
    paths = [path(late=True), path(late=False), path(late=False), path()]
    found = {(one.code, one.group): one.count for one in counts_of(figures(paths), suppress=False)}
    assert (found["referred", "in_time"], found["referred", "too_late"]) == (2, 1)
