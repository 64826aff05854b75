"""What the caller sent."""

from faceauth.errors.root import FaceauthError


class InvalidRequest(FaceauthError):
    """The request is malformed."""

    code = "invalid_request"


class InvalidImage(FaceauthError):
    """The bytes are no picture that this service reads."""

    code = "invalid_image"


class ImageTooLarge(InvalidImage):
    """The picture has more pixels or bytes than allowed; it was refused from its header (R20)."""

    code = "image_too_large"


class TooManyFrames(FaceauthError):
    """The session's cap on frames or bytes is reached."""

    code = "too_many_frames"


class InvalidTimeline(FaceauthError):
    """The timeline does not belong to the frames or to the challenge."""

    code = "invalid_timeline"


class UnknownScenario(FaceauthError):
    """No such scenario."""

    code = "unknown_scenario"


class UnknownAccount(FaceauthError):
    """No such account for this tenant."""

    code = "unknown_account"


class UnknownNotice(FaceauthError):
    """No such notice version or language."""

    code = "unknown_notice"


class UnknownDraft(FaceauthError):
    """No such draft of a scenario or a notice."""

    code = "unknown_draft"


class UnknownReference(FaceauthError):
    """No such reference."""

    code = "unknown_reference"


class UnknownDevice(FaceauthError):
    """No such device key of this account."""

    code = "unknown_device"


class UnknownSession(FaceauthError):
    """No such session for this caller."""

    code = "unknown_session"


class UnknownClient(FaceauthError):
    """No such OpenID client of this tenant."""

    code = "unknown_client"


class UnknownLink(FaceauthError):
    """The account is not linked to that provider."""

    code = "unknown_link"


class UnknownEndpoint(FaceauthError):
    """No such webhook endpoint of this tenant."""

    code = "unknown_endpoint"


class UnknownCampaign(FaceauthError):
    """No such campaign of this tenant."""

    code = "unknown_campaign"


class UnknownFlow(FaceauthError):
    """No such flow for this caller."""

    code = "unknown_flow"


class UnknownApiKey(FaceauthError):
    """No such API key."""

    code = "unknown_api_key"


class UnknownApproval(FaceauthError):
    """No such approval for this tenant."""

    code = "unknown_approval"


class UnknownIncident(FaceauthError):
    """No such incident for this tenant."""

    code = "unknown_incident"


class ApprovalRequired(FaceauthError):
    """The act needs a second person, who has not approved it, or whose approval was for something else (R52)."""

    code = "approval_required"


class FlashesNeeded(FaceauthError):
    """A session without flashing colours was asked for, and its scenario or application wants them."""

    code = "flashes_needed"


class AlreadyExists(FaceauthError):
    """A thing of that name is there already."""

    code = "already_exists"
