"""Counters for the operator: routes and outcomes, never a score or an identifier (R24)."""

from math import inf
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from faceauth.statistics import Watched

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds; too coarse to tell one person's answer from another's."""


class Metrics:
    """The counters of one app, in a registry of its own, so that two apps in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "faceauth_http_requests", "Answers.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "faceauth_http_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=self._registry
        )
        self._posts = Counter(
            "faceauth_session_posts", "Judged posts by their outcome.", ["state"], registry=self._registry
        )
        self._shed = Counter(
            "faceauth_shed", "Posts turned away because the queue was full.", registry=self._registry
        )
        self._taken = Gauge("faceauth_work_taken", "Posts judged now or waiting.", registry=self._registry)

        self.people: int | None = None
        """Accounts with a face when somebody looked last; None before."""
        self._people = Gauge("faceauth_people_enrolled", "Accounts with a face (R55).", registry=self._registry)
        self._incidents = Gauge(
            "faceauth_incidents_open", "Incidents that wait for somebody.", registry=self._registry
        )
        self._overdue = Gauge(
            "faceauth_incidents_overdue",
            "Incidents the authority was not told of within 72 hours (R54).",
            registry=self._registry,
        )
        self._usage = Gauge(
            "faceauth_usage_people",
            "People of yesterday (UTC) by scenario; groups that are too small are left out.",
            ["scenario"],
            registry=self._registry,
        )

    def watched(self, found: Watched) -> None:
        """Set what is looked at now and then."""
        self.people = found.people
        self._people.set(found.people)
        self._incidents.set(found.incidents_open)
        self._overdue.set(found.incidents_overdue)
        self._usage.clear()
        for group in found.yesterday:
            self._usage.labels(group.scenario or "others").set(group.people)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the template, without anyone's name in it."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def judged(self, state: str) -> None:
        """Count one judged post."""
        self._posts.labels(state).inc()

    def shed(self) -> None:
        """Count one post that was turned away."""
        self._shed.inc()

    def watch_queue(self, taken: int) -> None:
        """Set how many posts are in the queue."""
        self._taken.set(taken)

    def judged_so_far(self) -> dict[str, int]:
        """Return the judged posts of this process by their outcome."""
        found = (sample for metric in self._posts.collect() for sample in metric.samples)
        return {one.labels["state"]: int(one.value) for one in found if one.name.endswith("_total")}

    def shed_so_far(self) -> int:
        """Return how many posts this process turned away."""
        found = (sample for metric in self._shed.collect() for sample in metric.samples)
        return sum(int(one.value) for one in found if one.name.endswith("_total"))

    def latencies(self) -> tuple[tuple[float | None, int], ...]:
        """Return how many answers took up to so many seconds and longer than the step before; None has no end."""
        up_to = dict.fromkeys((*BUCKETS, inf), 0)
        for metric in self._seconds.collect():
            for sample in metric.samples:
                if sample.name.endswith("_bucket"):
                    up_to[float(sample.labels["le"])] += int(sample.value)
        steps = zip(up_to.items(), (0, *up_to.values()), strict=False)
        return tuple((None if end == inf else end, count - before) for (end, count), before in steps)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
