"""Exact addresses, and the one thing about a native app's loopback that may differ."""

import pytest

from faceauth.errors import InvalidRequest
from faceauth.oidc.redirects import LONGEST, MOST, check_addresses, fits

WEB = "https://shop.example/callback?from=face"
LOOP = "http://127.0.0.1/back"
APP = "com.example.app:/back"


@pytest.mark.parametrize(
    "uri",
    [
        "https://shop.example/callback",
        "https://shop.example/callback?from=face&x=1",
        "https://shop.example/callback/",
        "https://shop.example/callback?from=face#x",
        "https://SHOP.example/callback?from=face",
        "https://shop.example:443/callback?from=face",
        "https://shop.example.evil.example/callback?from=face",
        "https://shop.example@evil.example/callback?from=face",
        "https://shop.example/./callback?from=face",
        "https://shop.example/%63allback?from=face",
        "http://shop.example/callback?from=face",
        "//shop.example/callback?from=face",
        "",
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_nothing_that_only_looks_like_it_fits(uri: str, native: bool) -> None:
    """oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added, oidcc-ensure-registered-redirect-uri."""
    assert fits(WEB, [WEB], native=native)
    assert not fits(uri, [WEB], native=native)


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        (LOOP, True),
        ("http://127.0.0.1:49152/back", True),
        ("http://[::1]:49152/back", False),
        ("http://localhost:49152/back", False),
        ("http://127.0.0.1:49152/back?x", False),
        ("http://127.0.0.1:49152/other", False),
        ("https://127.0.0.1:49152/back", False),
        ("http://127.0.0.1:49152@evil.example/back", False),
        ("http://evil.example@127.0.0.1:49152/back", False),
        ("http://127.0.0.1:4915\t2/back", False),
        ("http://127.0.0.1:99999/back", False),
        ("http://127.0.0.1.evil.example/back", False),
    ],
)
def test_a_native_app_takes_any_port_on_this_machine(uri: str, good: bool) -> None:
    """RFC 8252, 7.3; other clients' loopback addresses are exact like all others."""
    assert fits(uri, [LOOP], native=True) is good
    assert fits(uri, [LOOP], native=False) is (uri == LOOP)


@pytest.mark.parametrize(
    "uri",
    [
        "http://shop.example/callback",
        "http://localhost/back",
        "https:///callback",
        "https://*.shop.example/callback",
        "https://shop.example/callback#x",
        "https://shop.example/callback#",
        "https://anna@shop.example/callback",
        "https://shop.example/call back",
        "https://shop.example/b\u00fcro",
        "https://shop.example/\ncallback",
        "https://shop.example:x/callback",
        "https://shop.example\\callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "callback",
        "https://shop.example/" + "x" * LONGEST,
    ],
)
def test_what_may_not_be_registered(uri: str) -> None:
    for native in (False, True):
        with pytest.raises(InvalidRequest):
            check_addresses([uri], native=native)


def test_a_scheme_of_its_own_is_an_app_s_alone() -> None:
    assert check_addresses([APP, LOOP, WEB], native=True) == (APP, LOOP, WEB)
    for refused in ("app:/back", "com.example.app:"):
        with pytest.raises(InvalidRequest):
            check_addresses([refused], native=True)
    with pytest.raises(InvalidRequest):
        check_addresses([APP], native=False)
    with pytest.raises(InvalidRequest):
        check_addresses([f"{WEB}{number}" for number in range(MOST + 1)], native=False)
