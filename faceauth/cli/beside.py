"""What runs beside the requests while the service serves: retention, campaigns, deliveries; a thread each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import structlog

from faceauth import asking, retention
from faceauth.asking import Asking
from faceauth.installation import Installation
from faceauth.outbox import delivery
from faceauth.outbox.delivery import Delivery
from faceauth.outbox.sending import Sender
from faceauth.retention import Retention

log = structlog.get_logger(__name__)


@contextmanager
def beside(installation: Installation) -> Iterator[None]:
    """Run them all while the block runs; at its end each finishes what it is at."""
    loops = {"retention": _clear_out, "campaigns": _ask, "deliveries": _deliver}
    with ExitStack() as stack:
        for name, loop in loops.items():
            stack.enter_context(_thread(name, installation, loop))
        yield


@contextmanager
def _thread(name: str, installation: Installation, loop: Callable[[Installation, Event], None]) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=loop, args=(installation, stop), name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _clear_out(installation: Installation, stop: Event) -> None:
    """Erase what may be kept no longer (R39)."""
    for done in retention.repeat(Retention.of(installation), stop):
        log.info("retention.run", erased=len(done.erased), failed=len(done.failed), sessions=done.sessions)


def _ask(installation: Installation, stop: Event) -> None:
    """Carry campaigns on (R34)."""
    for done in asking.repeat(Asking.of(installation), stop):
        log.info(
            "campaigns.run",
            asked=done.asked,
            reminded=done.reminded,
            suspended=done.suspended,
            erased=done.erased,
            failed=done.failed,
            closed=len(done.closed),
        )


def _deliver(installation: Installation, stop: Event) -> None:
    """Deliver what is in the outbox (R26)."""
    settings = installation.settings.webhooks
    delivering = Delivery(
        data=installation.data,
        key=installation.keyring.pseudonym_key,
        sender=Sender(settings),
        settings=settings,
        clock=installation.clock,
    )
    for done in delivery.repeat(delivering, stop):
        log.info("deliveries.run", delivered=done.delivered, again=done.again, dead=done.dead)
