"""The public schedule of how long what is kept: made from the settings and the scenarios, in two languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from faceauth.capture.flow import KEPT as FLOWS
from faceauth.capture.seen_frames import KEPT as SEEN
from faceauth.capture.seen_views import KEPT as VIEWED
from faceauth.consent.scenarios import Scenario
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import Installation
from faceauth.outbox.messages import KEPT_DEAD, KEPT_DELIVERED
from faceauth.settings import Settings

Language = Literal["en", "zh"]

_NO_FACE: Final = ("For good; there is nothing of your face in it", "永久保存；其中不含任何面部信息")
_CLOSING: Final = ("Closing the account.", "注销账户。")
_ERASED: Final = (
    "Withdrawing the consent, closing the account, or the end of the purpose.",
    "撤回同意、注销账户或目的终止。",
)
_ACCOUNT: Final = ("As long as the account", "与账户同期")
_NOTHING: Final = ("", "")

_FACE: Final = (
    (
        "Face templates for {title}",
        "{term} after you last agreed, and {inactivity} after the last use, whichever comes first",
        _ERASED[0],
    ),
    ("用于“{title}”的面部模板", "最后一次同意后 {term}，或最后一次使用后 {inactivity}，以先到者为准", _ERASED[1]),
)

_LINES: Final = (
    (
        ("Camera pictures", "摄像头照片"),
        ("Not kept: they are gone when the login is decided", "不保存：登录判定后即消失"),
        _NOTHING,
    ),
    (
        ("Marks of pictures already used, which show nothing", "已用照片的标记，不显示任何内容"),
        ("{seen}", "{seen}"),
        _NOTHING,
    ),
    (
        ("Sealed fingerprints of how pictures looked, against replays", "照片外观的密封指纹，用于防止重放"),
        ("{viewed}", "{viewed}"),
        _ERASED,
    ),
    (
        ("Records of sessions, without pictures", "会话记录，不含照片"),
        ("{sessions}; the last use of a face until it is erased", "{sessions}；人脸的最后使用记录保留至删除"),
        _NOTHING,
    ),
    (
        ("Links to the page before the camera", "进入拍摄前页面的链接"),
        ("{flows} after their minutes", "链接失效后 {flows}"),
        _CLOSING,
    ),
    (
        ("Which applications were told of a login", "获知您登录的应用"),
        (
            "{minutes} minutes, or {refresh} where the application may ask again",
            "{minutes} 分钟；应用可再次询问时为 {refresh}",
        ),
        ("Logging out, withdrawing the consent, closing the account.", "退出登录、撤回同意或注销账户。"),
    ),
    (
        ("Accounts of yours elsewhere, as the application told them", "应用告知的您在别处的账户"),
        _ACCOUNT,
        ("Unlinking it, closing the account.", "解除关联或注销账户。"),
    ),
    (
        ("Public keys of your devices, and what you call them", "您设备的公钥及您起的名称"),
        _ACCOUNT,
        ("Revoking them, closing the account.", "移除设备或注销账户。"),
    ),
    (("Counts of failed attempts", "失败尝试的次数"), _ACCOUNT, _CLOSING),
    (
        ("Messages to the application about you", "发给应用的与您有关的消息"),
        ("{delivered} once delivered, {dead} once given up", "送达后 {delivered}，放弃后 {dead}"),
        _CLOSING,
    ),
    (
        ("That you were asked again, and have not answered", "再次征求您同意而您尚未答复的记录"),
        ("Until the question is closed and answered", "至询问结束并答复"),
        _CLOSING,
    ),
    (("What you agreed to and when, as proof", "您同意的内容和时间，作为证明"), _NO_FACE, _NOTHING),
    (("The audit log, under pseudonyms", "审计日志，使用假名"), _NO_FACE, _NOTHING),
)
"""What is kept, how long, and what ends it earlier, each in both languages."""


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the schedule: what is kept, for how long, and what ends it earlier."""

    what: str
    how_long: str
    sooner: str


def schedule(installation: Installation, language: Language = "en") -> tuple[Term, ...]:
    """Return how long what is kept, as the settings and the first tenant's scenarios have it now."""
    settings = installation.settings
    with installation.data.read() as conn:
        scenarios = [one for one in installation.scenarios.list(conn, DEFAULT_TENANT) if one.state == "active"]
    which, numbers = 0 if language == "en" else 1, _numbers(settings, language)
    first, *others = (Term(*(text[which].format(**numbers) for text in line)) for line in _LINES)
    return first, *(_face(one, settings, language, numbers) for one in scenarios), *others


def _face(one: Scenario, settings: Settings, language: Language, numbers: Mapping[str, str]) -> Term:
    term = _days(min(one.retention_days, settings.consent.validity_days), language)
    title = one.titles.get(language) or one.titles.get("en") or one.scenario
    texts = _FACE[0 if language == "en" else 1]
    return Term(*(text.format(**numbers, title=title, term=term) for text in texts))


def _numbers(settings: Settings, language: Language) -> dict[str, str]:
    days = {
        "inactivity": settings.retention.inactivity_days,
        "sessions": settings.retention.sessions_days,
        "refresh": settings.openid.refresh_days,
        "seen": SEEN.days,
        "viewed": VIEWED.days,
        "flows": FLOWS.days,
        "delivered": KEPT_DELIVERED.days,
        "dead": KEPT_DEAD.days,
    }
    minutes = (settings.openid.code_s + settings.openid.token_s) // 60
    return {name: _days(number, language) for name, number in days.items()} | {"minutes": str(minutes)}


def _days(days: int, language: Language) -> str:
    if language == "zh":
        return f"{days} 天"
    return "1 day" if days == 1 else f"{days} days"
