"""Accounts elsewhere: linked and unlinked, one there to one here, in the export, gone with the account."""

from typing import Any

import pytest

from tests.oidc.conftest import Party

LINKS = "/v1/accounts/anna/links"
WALLET = f"{LINKS}/wallet"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_account_elsewhere_is_linked_and_unlinked(party: Party) -> None:
    """The policy's clause on accounts with other providers."""
    made = party.call("PUT", WALLET, json={"subject": "248289761001"})
    assert (made.status_code, made.json()["subject"]) == (200, "248289761001")
    assert party.call("PUT", WALLET, json={"subject": "248289761001"}).json() == made.json()
    assert party.call("GET", WALLET).json() == made.json()
    assert party.call("GET", LINKS).json() == {"links": [made.json()]}
    assert party.call("DELETE", WALLET).json() == {"links": []}
    assert code(party.call("DELETE", WALLET)) == (404, "unknown_link")
    assert code(party.call("GET", WALLET)) == (404, "unknown_link")
    with party.service.installation.data.read() as conn:
        page = party.service.installation.audit.records(conn, tenant="default", limit=100)
    words = [str(one.event) for one in page]
    assert (words.count("application:link:added"), words.count("application:link:removed")) == (1, 1)


def test_one_there_is_one_here(party: Party) -> None:
    party.service.agree("ben")
    assert party.call("PUT", WALLET, json={"subject": "1"}).status_code == 200
    assert code(party.call("PUT", WALLET, json={"subject": "2"})) == (409, "already_exists")
    bens = "/v1/accounts/ben/links"
    assert code(party.call("PUT", f"{bens}/wallet", json={"subject": "1"})) == (409, "already_exists")
    assert party.call("PUT", f"{bens}/other", json={"subject": "1"}).status_code == 200


@pytest.mark.parametrize("subject", ["", "x" * 256, "b\u00fcro", "a\nb"])
def test_a_subject_is_printable(party: Party, subject: str) -> None:
    assert code(party.call("PUT", WALLET, json={"subject": subject})) == (422, "invalid_request")


def test_of_nobody_there_are_no_links(party: Party) -> None:
    for method, body in (("GET", None), ("PUT", {"subject": "1"}), ("DELETE", None)):
        answer = party.call(method, "/v1/accounts/nobody/links/wallet", json=body)
        assert code(answer) == (404, "unknown_account")


def test_it_is_in_the_person_s_copy_and_goes_with_the_account(party: Party) -> None:
    party.call("PUT", WALLET, json={"subject": "1"})
    party.tokens()
    export = party.call("GET", "/v1/accounts/anna/export").json()["export"]
    assert [(one["provider"], one["subject"]) for one in export["links"]] == [("wallet", "1")]
    assert [(one["client"], one["scope"]) for one in export["logins"]] == [("The shop", "openid")]
    party.service.installation.lifecycle.close_account(tenant="default", account="anna", actor="test")
    party.service.agree()
    assert party.call("GET", LINKS).json() == {"links": []}


def test_clients_are_an_operator_s_matter(party: Party) -> None:
    """R53; a secret is told once."""
    body = {"name": "The app", "redirect_uris": ["com.example.app:/back"], "native": True}
    assert party.call("POST", "/v1/admin/clients", json=body).status_code == 403
    app = party.call("POST", "/v1/admin/clients", role="operator", json=body).json()
    assert (app["client_secret"], app["public"]) == (None, True)
    path = f"/v1/admin/clients/{party.client_id}"
    made = party.call("POST", f"{path}/rotate", role="operator").json()
    listed = party.call("GET", "/v1/admin/clients", role="operator").json()["clients"]
    assert [one["client_secret"] for one in listed] == [None, None]
    assert made["client_secret"] not in str(listed)
    assert code(party.call("POST", f"/v1/admin/clients/{app['client_id']}/rotate", role="operator"))[0] == 422
    assert party.call("DELETE", path, role="operator").json()["revoked_at"]
    assert code(party.call("DELETE", path, role="operator")) == (404, "unknown_client")
    assert party.authorize().status_code == 400
