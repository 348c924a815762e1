"""Owns which figures there are: each one is an entry here. What a ratio compares ran in turn, in the same run."""

from tests.bench.limits import Figure

_SAVES, _BUSY = "tests.bench.saves:rates", "tests.bench.busy:busy"
_OVERVIEW, _LOADING = "tests.bench.pages:overview", "tests.bench.loading:overview"
_QUERIES, _FORM = "tests.bench.pages:queries", "tests.bench.pages:form"
_RECOMPUTE, _REBUILD = "tests.bench.counts:recompute", "tests.bench.counts:rebuild"
_BY_WORKERS, _RELEASE = "tests.bench.workers:rebuild", "tests.bench.workers:release"
_FREEZE = "tests.bench.months:month"

FIGURES = (
    Figure("save.rate", ">= 0.25", ">= 0.40", _SAVES, "saves/s through the form, 4 clients : pgbench"),
    Figure("save.rate_naive", "", "", _SAVES, "saves/s of a ModelForm with a formset : pgbench"),
    Figure("save.marked", ">= 0.9", ">= 0.95", _SAVES, "saves/s with the mark : without"),
    Figure("save.p95_busy", "<= 2.0", "<= 1.3", _BUSY, "p95 of a save, 8 handlers, beside read-out and rebuild : idle"),
    Figure("save.failed_busy", "<= 0", "<= 0", _BUSY, "saves that failed meanwhile"),
    Figure("overview.whole", "<= 3", "<= 1.7", _OVERVIEW, "overview of a quarter, big : small"),
    Figure("overview.odd", "<= 4", "<= 3", _OVERVIEW, "overview of a week, big : small"),
    Figure("overview.marked", "", "", _OVERVIEW, "overview of a quarter with a marked day, big : small"),
    Figure("overview.naive", "", "", _OVERVIEW, "dashboard by the ORM, big : small"),
    Figure("overview.naive_to_ours", "", "", _OVERVIEW, "dashboard by the ORM : overview, both of a quarter in big"),
    Figure("overview.bytes", "<= 80", "<= 40", _LOADING, "kB of the overview for a browser that holds nothing of ours"),
    Figure("overview.requests", "<= 4", "<= 3", _LOADING, "requests of the same"),
    Figure("overview.bytes_warm", "", "", _LOADING, "kB of the overview for a browser that holds the start page"),
    Figure("overview.requests_warm", "", "", _LOADING, "requests of the same"),
    Figure("overview.queries", "<= 8", "<= 5", _QUERIES, "queries of the overview, log-in and all"),
    Figure("form.page", "<= 20", "<= 8", _FORM, "the empty form : a page of five bytes, time on the server"),
    Figure("form.page_naive", "", "", _FORM, "a ModelForm with a formset : a page of five bytes"),
    Figure("recompute.day", "<= 1.5", "<= 1.1", _RECOMPUTE, "recount of a day after a save, big : small"),
    Figure("rebuild.groupby", "<= 1.0", "<= 0.5", _REBUILD, "all days' recount, begun with no counts : raw GROUP BYs"),
    Figure("workers.rebuild_2", "", "", _BY_WORKERS, "all days' recount: times as fast by two workers as by one"),
    Figure("workers.rebuild_4", "", "", _BY_WORKERS, "the same by four"),
    Figure("workers.release_2", "", "", _RELEASE, "release of a year, small: times as fast by two workers as by one"),
    Figure("workers.release_4", "", "", _RELEASE, "the same by four"),
    Figure("freeze.month", "<= 1.5", "<= 1.1", _FREEZE, "freeze and tabulate a month, big : small"),
)

# What the gate asks for: counts, and ratios whose musts hold by far on few contacts too, whatever the machine does. The
# rest hangs on the disk, on cores that are busy, on a bound that is near, or, as `rebuild.groupby`, on there being more
# contacts than counts.
IN_GATE = frozenset(
    {
        *("overview.whole", "overview.odd", "overview.bytes", "overview.requests", "overview.queries", "form.page"),
    }
)
