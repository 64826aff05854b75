"""Deliveries: signed as Standard Webhooks says, to allowed places only, tried again, and given up in the end."""

import asyncio
import ssl
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Connection

from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.errors import InvalidRequest
from faceauth.outbox.delivery import FACTOR, FIRST_S, LONGEST_S, Delivery, Sent, pause, secrets_of
from faceauth.outbox.endpoints import Endpoints
from faceauth.outbox.messages import Message, Outbox
from faceauth.outbox.sending import Sender
from faceauth.outbox.signing import endpoint_secret, secret_text, signed_headers
from faceauth.outbox.targets import choose, read_target
from faceauth.sections import WebhookSettings
from tests.clocks import HandClock
from tests.databases import Databases
from tests.outbox.receiver import Receiver, receiving

KEY = b"k" * 32
HERE = WebhookSettings(allow=["127.0.0.1"], private=True, http=True, timeout_s=0.5, tries=3)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def delivery(sqlite_database: Databases, clock: HandClock, receiver: Receiver) -> Delivery:
    """A delivery with one endpoint, the receiver, and one message for it."""
    with sqlite_database.data.begin() as conn:
        ensure_tenant(conn, tenant=DEFAULT_TENANT, now=clock())
        add(conn, clock, receiver.url)
        put(conn, clock)
    return Delivery(
        data=sqlite_database.data,
        key=KEY,
        sender=Sender(HERE),
        settings=HERE,
        clock=clock,
        random=lambda count: b"\xff" * count,
    )


def add(conn: Connection, clock: HandClock, url: str) -> None:
    Endpoints().add(
        conn,
        endpoint_id="ep_1",
        tenant=DEFAULT_TENANT,
        url=url,
        salt=b"s" * 32,
        now=clock(),
    )


def put(conn: Connection, clock: HandClock, key: str = "1") -> str | None:
    return Outbox().put(
        conn,
        tenant=DEFAULT_TENANT,
        kind="consent.requested",
        key=key,
        data={"text": "人脸"},
        now=clock(),
    )


def messages(delivery: Delivery) -> tuple[Message, ...]:
    with delivery.data.read() as conn:
        return Outbox().list(conn, tenant=DEFAULT_TENANT)


def opens(secret: bytes, headers: dict[str, str], body: bytes) -> list[bool]:
    """Say of each signature whether it is this secret's, as a receiver would find out."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    own = hmac.HMAC(secret, hashes.SHA256())
    own.update(content)
    expected = own.finalize()
    return [b64decode(one.removeprefix("v1,")) == expected for one in headers["webhook-signature"].split()]


def test_the_signature_is_that_of_the_specification() -> None:
    """The expected one was made by the package standardwebhooks 1.1.0 from the same secret, id, time and body."""
    at = datetime.fromtimestamp(1772366400, UTC)
    secret = bytes(range(32))
    headers = signed_headers(b'{"type":"consent.requested"}', message_id="msg_1", at=at, secrets=[secret])
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1772366400",
        "webhook-signature": "v1,y44Y5OVKHJRditScQbynnORh1mZ9j9CMLd3mnrgTEWU=",
    }
    assert secret_text(secret) == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_each_endpoint_has_its_own_secret() -> None:
    made = {
        endpoint_secret(key, endpoint_id=name, salt=salt)
        for key in (KEY, b"l" * 32)
        for name in ("ep_1", "ep_2")
        for salt in (b"s" * 32, b"t" * 32)
    }
    assert len(made) == 8
    assert {len(one) for one in made} == {32}


def test_a_message_arrives_signed(delivery: Delivery, receiver: Receiver) -> None:
    (before,) = messages(delivery)
    assert delivery.run() == Sent(delivered=1)
    ((headers, body),) = receiver.got
    assert body == before.body.encode()
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["webhook-id"] == before.message_id
    assert opens(endpoint_secret(KEY, endpoint_id="ep_1", salt=b"s" * 32), headers, body) == [True]
    assert opens(bytes(32), headers, body) == [False]
    assert [one.state for one in messages(delivery)] == ["delivered"]
    assert delivery.run() == Sent()


def test_after_a_change_both_secrets_sign_for_a_while(
    delivery: Delivery, receiver: Receiver, clock: HandClock
) -> None:
    with delivery.data.begin() as conn:
        until = clock() + timedelta(hours=24)
        changed = Endpoints().rotate(conn, "ep_1", tenant=DEFAULT_TENANT, salt=b"t" * 32, until=until)
    delivery.run()
    ((headers, body),) = receiver.got
    new, old = (endpoint_secret(KEY, endpoint_id="ep_1", salt=salt) for salt in (b"t" * 32, b"s" * 32))
    assert opens(new, headers, body) == [True, False]
    assert opens(old, headers, body) == [False, True]
    assert secrets_of(changed, KEY, until) == [new]


def test_a_failure_is_tried_again_under_the_same_id_and_given_up_in_the_end(
    delivery: Delivery, receiver: Receiver, clock: HandClock
) -> None:
    receiver.answers += [500, 429, 503]
    assert delivery.run() == Sent(again=1)
    assert delivery.run() == Sent(), "not before its time"
    clock.forward(FIRST_S)
    assert delivery.run() == Sent(again=1)
    clock.forward(FIRST_S)
    assert delivery.run() == Sent(), "the second wait is longer"
    clock.forward(FIRST_S * FACTOR)
    assert delivery.run() == Sent(dead=1)
    (one,) = messages(delivery)
    assert (one.state, one.tries, one.problem) == ("dead", 3, "http_503")
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {one.message_id}
    with delivery.data.begin() as conn:
        assert Outbox().replay(conn, tenant=DEFAULT_TENANT, now=clock()) == 1
    assert delivery.run() == Sent(delivered=1)


def test_the_waits_grow_and_are_spread() -> None:
    assert [pause(tries, b"\xff" * 8).total_seconds() for tries in (1, 2, 3)] == pytest.approx([15, 60, 240])
    assert pause(1, bytes(8)).total_seconds() == FIRST_S / 2
    assert pause(30, b"\xff" * 8).total_seconds() == pytest.approx(LONGEST_S)


def test_who_is_gone_is_not_asked_again(delivery: Delivery, receiver: Receiver) -> None:
    receiver.answers += [410]
    assert delivery.run() == Sent(dead=1)


def test_a_redirect_is_not_followed(delivery: Delivery, receiver: Receiver) -> None:
    """R26."""
    receiver.answers += [302]
    assert delivery.run() == Sent(again=1)
    assert (messages(delivery)[0].problem, receiver.paths) == ("http_302", ["/hook"])


def test_a_silent_receiver_costs_no_more_than_the_time_allowed(delivery: Delivery, receiver: Receiver) -> None:
    receiver.silent = True
    assert delivery.run() == Sent(again=1)
    assert messages(delivery)[0].problem == "timeout"


def test_an_endpoint_that_was_removed_gets_nothing(
    delivery: Delivery, receiver: Receiver, clock: HandClock
) -> None:
    with delivery.data.begin() as conn:
        Endpoints().remove(conn, "ep_1", tenant=DEFAULT_TENANT, now=clock())
    assert delivery.run() == Sent(dead=1)
    assert receiver.got == []


def test_a_host_taken_off_the_list_gets_nothing(delivery: Delivery, receiver: Receiver) -> None:
    """R26: what was allowed when the endpoint was added counts no more."""
    object.__setattr__(delivery, "sender", Sender(HERE.model_copy(update={"allow": []})))
    assert delivery.run() == Sent(again=1)
    assert (messages(delivery)[0].problem, receiver.got) == ("not_allowed", [])


def send(sender: Sender, url: str) -> str | None:
    return asyncio.run(sender.send(url, b"{}", {})).problem


def test_the_address_that_was_judged_is_the_one_connected_to(receiver: Receiver) -> None:
    """R26: a name that answers differently the second time is never asked a second time."""
    asked = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    sender = Sender(HERE.model_copy(update={"allow": ["Shop.Example"]}), rebinding)
    assert send(sender, f"http://shop.example:{receiver.port}/hook?a=1") is None
    assert asked == [("shop.example", receiver.port)]
    assert receiver.got[0][0]["host"] == f"shop.example:{receiver.port}"
    assert receiver.paths == ["/hook?a=1"]


def test_a_name_that_leads_inside_is_refused(receiver: Receiver) -> None:
    """R26: also where only one of its addresses does."""

    async def inside(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8", "127.0.0.1"]

    strict = HERE.model_copy(update={"private": False, "allow": ["shop.example"]})
    assert send(Sender(strict, inside), f"http://shop.example:{receiver.port}/") == "address_refused"
    assert receiver.got == []


def test_nobody_there() -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError

    assert send(Sender(HERE, nowhere), "http://127.0.0.1/") == "not_found"
    with receiving() as gone:
        pass
    assert send(Sender(HERE), gone.url) == "not_reached"


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate for a name, and put it into one file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(issuer, issuer, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


def test_the_certificate_is_asked_for_by_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    file = certificate(tmp_path, "shop.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cafile=str(file))

    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    settings = HERE.model_copy(update={"http": False, "allow": ["shop.example", "other.example"]})
    with receiving(server) as receiver:
        assert send(Sender(settings, here, client), f"https://shop.example:{receiver.port}/") is None
        assert send(Sender(settings, here, client), f"https://other.example:{receiver.port}/") == "tls"
        assert send(Sender(settings, here), f"https://shop.example:{receiver.port}/") == "tls"
        assert len(receiver.got) == 1


STRICT = WebhookSettings(allow=["shop.example", "::1"])


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "https://shop.example.evil.example/",
        "https://evil.example/?shop.example",
        "https://shop.example@evil.example/",
        "https://user@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:99999/",
        "https://shop.example\\@evil.example/",
        "https://shop.example /",
        "https://shöp.example/",
        "ftp://shop.example/",
        "shop.example/hook",
        "https:///hook",
        "https://127.0.0.1/",
        "https://shop.example/" + "a" * 2000,
        "https://[::1/",
    ],
)
def test_addresses_that_no_message_goes_to(url: str) -> None:
    """R26."""
    with pytest.raises(InvalidRequest):
        read_target(url, STRICT)


def test_addresses_that_messages_go_to() -> None:
    target = read_target("https://SHOP.example./hook?a=b", STRICT)
    assert (target.host, target.port, target.path, target.authority) == (
        "shop.example",
        443,
        "/hook?a=b",
        "shop.example",
    )
    assert read_target("https://[::1]:8443", STRICT).authority == "[::1]:8443"


INSIDE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104  an address to refuse
    *("224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_known(address: str) -> None:
    """R26."""
    assert choose([address], private=False) is None
    assert choose([address], private=True) is not None


def test_addresses_outside_are_known() -> None:
    for address in ("8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"):
        assert choose([address], private=False) == address
    assert choose([], private=True) is None
    assert choose(["fe80::1%eth0"], private=True) == "fe80::1"
