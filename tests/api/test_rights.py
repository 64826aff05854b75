"""A person's rights, each in one call: a page to read, every receipt, and a pause without erasure."""

from html.parser import HTMLParser

from joserfc import jws
from joserfc.jwk import KeySet

from faceauth.api.export_page import PARTS
from faceauth.api.export_words import HEADINGS, WORDS
from faceauth.audit.events import CONCERNS_FACE
from tests.api.conftest import Service
from tests.api.test_routes import code


class Reader(HTMLParser):
    """Collects what a page shows and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value for name, value in attrs if name in {"src", "href"} and value]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_export_is_a_page_too(service: Service) -> None:
    """Nothing of it runs or comes from elsewhere, and what people call themselves stays text."""
    odd = "<script>alert(1)</script>"
    path = service.account()
    service.call("PUT", path, json={"contact": odd})
    service.consent()
    answer = service.call("GET", f"{path}/export?form=html")
    assert answer.headers["content-type"].startswith("text/html")
    page = Reader()
    page.feed(answer.text)
    assert "script" not in page.tags
    assert all(one.startswith("/ui/static/") for one in page.loads)
    shown = " ".join(page.text)
    assert odd in shown
    assert "Sign in with your face" in shown
    assert "You agreed" in shown


def test_the_page_speaks_the_persons_language(service: Service) -> None:
    path = service.account()
    service.call("PUT", path, json={"locale": "zh-Hans"})
    assert '<html lang="zh">' in service.call("GET", f"{path}/export?form=html").text
    service.call("PUT", path, json={"locale": "fr"})
    assert '<html lang="en">' in service.call("GET", f"{path}/export?form=html").text


def test_the_page_has_all_of_the_export_in_words(service: Service) -> None:
    """What is added to the export is shown too, and every act has its words in both languages."""
    path = service.account()
    export = service.call("GET", f"{path}/export").json()["export"]
    assert set(export) - {"schema", "exported_at", "account", "consents", "activity"} == set(PARTS)
    for language, words in WORDS.items():
        assert set(words) == set(WORDS["en"])
        assert {str(event) for event in CONCERNS_FACE} <= set(words)
        assert set(export["account"]) <= set(words)
        assert set(HEADINGS[language]) == set(HEADINGS["en"]) > set(PARTS)


def test_all_receipts_go_along_with_what_checks_them(service: Service) -> None:
    """R28, R44: consent and deletion, checked by another library with nothing but the answer."""
    path = service.account()
    service.consent()
    service.call("DELETE", f"{path}/consents/login")
    bundle = service.call("GET", f"{path}/receipts").json()
    keys = KeySet.import_key_set(bundle["jwks"])
    kinds = [
        jws.deserialize_compact(one, keys, algorithms=["ES256"]).headers()["typ"] for one in bundle["receipts"]
    ]
    assert kinds == ["consent-receipt+jwt", "consent-receipt+jwt", "deletion-receipt+jwt"]


def test_a_face_is_suspended_without_being_erased(service: Service) -> None:
    """The gate denies from that moment on; allowed again, everything is as it was."""
    path = service.account()
    service.consent()
    body = {
        "purpose": "enrol",
        "scenario": "login",
        "account_id": "anna",
        "reauthenticated_at": service.clock().isoformat(),
    }
    assert service.call("POST", "/v1/sessions", json=body).status_code == 201
    answer = service.call("PUT", f"{path}/restriction", json={"restricted": True}).json()
    assert answer["restricted_at"] is not None
    again = service.call("PUT", f"{path}/restriction", json={"restricted": True}).json()
    assert again["restricted_at"] == answer["restricted_at"]
    assert code(service.call("POST", "/v1/sessions", json=body)) == "consent_required"
    (line,) = service.call("GET", f"{path}/consents").json()["consents"]
    assert line["state"] == "given"
    assert service.call("PUT", f"{path}/restriction", json={"restricted": False}).json()["restricted_at"] is None
    assert service.call("POST", "/v1/sessions", json=body).status_code == 201
    events = [one["event"] for one in service.call("GET", f"{path}/activity").json()["activity"]]
    assert [one for one in events if "processing" in one] == [
        "person:processing:restricted",
        "person:processing:resumed",
    ]


def test_odd_restrictions_are_refused(service: Service) -> None:
    path = service.account()
    for body in ({}, {"restricted": "yes"}, {"restricted": True, "more": 1}):
        assert code(service.call("PUT", f"{path}/restriction", json=body)) == "invalid_request"
    answer = service.call("PUT", "/v1/accounts/nobody/restriction", json={"restricted": True})
    assert code(answer) == "unknown_account"
