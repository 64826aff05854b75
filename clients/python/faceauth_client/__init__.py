"""A typed client for a faceauth service: `Faceauth`, and `AsyncFaceauth` with the same methods to await."""

from faceauth_client.answers import (
    Account,
    Activity,
    ConsentLine,
    ConsentRecorded,
    Device,
    DeviceChallenge,
    Flow,
    Link,
    MintedFlow,
    NoticeVersion,
    OpenedSession,
    PrivacyLink,
    Receipts,
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
    "Device",
    "DeviceChallenge",
    "Faceauth",
    "Flow",
    "Link",
    "MintedFlow",
    "NoticeVersion",
    "OpenedSession",
    "PrivacyLink",
    "Problem",
    "Receipts",
    "Reference",
    "Scenario",
    "SessionState",
    "Standing",
    "UntrustedWebhook",
    "check_webhook",
]
