"""A typed client for a faceauth service: `Faceauth`, and `AsyncFaceauth` with the same methods to await."""

from faceauth_client.answers import (
    Account,
    Activity,
    ConsentLine,
    ConsentRecorded,
    Flow,
    MintedFlow,
    NoticeVersion,
    OpenedSession,
    PrivacyLink,
    Reference,
    Scenario,
    SessionState,
    Standing,
)
from faceauth_client.awaiting import AsyncFaceauth
from faceauth_client.client import Faceauth
from faceauth_client.transport import Problem
from faceauth_client.webhooks import UntrustedWebhook, check_webhook

__all__ = [
    "Account",
    "Activity",
    "AsyncFaceauth",
    "ConsentLine",
    "ConsentRecorded",
    "Faceauth",
    "Flow",
    "MintedFlow",
    "NoticeVersion",
    "OpenedSession",
    "PrivacyLink",
    "Problem",
    "Reference",
    "Scenario",
    "SessionState",
    "Standing",
    "UntrustedWebhook",
    "check_webhook",
]
