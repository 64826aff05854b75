"""Every call as a method: of the client that waits it returns the answer, of the other it is awaited."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from faceauth_client import _calls as calls
from faceauth_client._calls import Call

P = ParamSpec("P")
T = TypeVar("T")


class Waiting(Protocol):
    """A client that returns the answer."""

    def send(self, call: Call[T]) -> T:
        """Make a call."""


class Awaiting(Protocol):
    """A client whose answer is awaited."""

    def send(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        """Make a call."""


class Method(Generic[P, T]):
    """One call of a client, with the arguments that the call is made of.

    Args:
        make: Returns the call. It is also what the class itself has under the method's name.
    """

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Call[T]]: ...

    @overload
    def __get__(self, client: Waiting, owner: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Waiting | Awaiting | None, owner: type) -> Callable[P, Any]:
        if client is None:
            return self._make

        @wraps(self._make)
        def method(*args: P.args, **facts: P.kwargs) -> Any:
            return client.send(self._make(*args, **facts))

        return method


class Methods:
    """What a backend may ask, in either client."""

    scenarios = Method(calls.scenarios)
    notice = Method(calls.notice)
    put_account = Method(calls.put_account)
    account = Method(calls.account)
    close_account = Method(calls.close_account)
    export = Method(calls.export)
    receipts = Method(calls.receipts)
    activity = Method(calls.activity)
    restrict = Method(calls.restrict)
    restore_attempts = Method(calls.restore_attempts)
    privacy_link = Method(calls.privacy_link)
    answer = Method(calls.answer)
    consents = Method(calls.consents)
    withdraw = Method(calls.withdraw)
    references = Method(calls.references)
    delete_reference = Method(calls.delete_reference)
    devices = Method(calls.devices)
    device_challenge = Method(calls.device_challenge)
    bind_device = Method(calls.bind_device)
    rename_device = Method(calls.rename_device)
    revoke_device = Method(calls.revoke_device)
    links = Method(calls.links)
    link = Method(calls.link)
    put_link = Method(calls.put_link)
    delete_link = Method(calls.delete_link)
    open_session = Method(calls.open_session)
    session = Method(calls.session)
    mint_flow = Method(calls.mint_flow)
    flow = Method(calls.flow)
    introspect = Method(calls.introspect)
    revoke_token = Method(calls.revoke_token)
    jwks = Method(calls.jwks)
