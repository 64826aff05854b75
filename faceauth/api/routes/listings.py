"""Pages that list what there is, made from the code: what is kept, how long, and what is put into browsers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Final, Literal

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from faceauth.api.access import Here
from faceauth.api.browser import remember
from faceauth.api.console.cookie import keep, keep_for_provider
from faceauth.api.login_texts import language_of
from faceauth.api.routes.pages import templates
from faceauth.installation import Installation
from faceauth.inventory import Language, inventory
from faceauth.schedule import schedule

router = APIRouter(prefix="/ui", include_in_schema=False)

Row = tuple[Sequence[str], ...]
"""The cells of a line, each with its own lines."""

INVENTORY: Final = {
    "en": {
        "title": "What is kept",
        "intro": "Every table and every field of this service, made from the code that uses them. Pictures "
        "are not kept: they are gone when the login is decided.",
        "headings": ("Table", "Where", "How long", "Why", "Fields"),
        "other": "中文",
    },
    "zh": {
        "title": "保存的数据",
        "intro": "本服务的每张表和每个字段，由使用它们的代码生成。照片不保存：登录判定后即消失。",
        "headings": ("表", "位置", "保存期限", "用途", "字段"),
        "other": "English",
    },
}

RETENTION: Final = {
    "en": {
        "title": "How long what is kept",
        "intro": "This page is made from the settings of this service. What is over is erased by itself.",
        "headings": ("What", "How long", "Erased sooner by"),
        "other": "中文",
    },
    "zh": {
        "title": "各类数据的保存期限",
        "intro": "本页由本服务的设置生成。到期的数据会自动删除。",
        "headings": ("内容", "保存期限", "提前删除的方式"),
        "other": "English",
    },
}

COOKIES: Final = {
    "en": {
        "title": "What is put into your browser",
        "intro": "One cookie, and only while you log in to an application through this service; administrators "
        "have others at their own pages. Each is needed for that, so nobody is asked about it. While the "
        "page with the camera is out of sight or being reloaded, what it needs to go on waits in its tab, and is "
        "gone once the page is back or the tab is closed. Nothing else is kept in the browser, and no page loads "
        "anything from elsewhere.",
        "headings": ("Name", "How long", "Why", "Protected by"),
        "why": "It is the browser that began the login that gets its answer.",
        "why_console": "Administrators stay signed in to the console, at most so long; only /ui/admin gets it.",
        "why_provider": "It is the browser that was sent to an administrator's provider that is signed in.",
        "long": "{minutes:g} minutes",
        "other": "中文",
    },
    "zh": {
        "title": "存入您浏览器的内容",
        "intro": "仅有一个 Cookie，且仅在您通过本服务登录某应用期间使用；管理员在其专用页面另有其他 Cookie。"
        "均为此所必需，因此不另行询问。摄像头页面不在前台或重新加载时，继续操作所需的内容仅暂存于该标签页，"
        "页面恢复或标签页关闭后即消失。浏览器中不保存其他内容，任何页面都不从别处加载。",
        "headings": ("名称", "期限", "用途", "保护方式"),
        "why": "确保登录结果只返回给发起登录的浏览器。",
        "why_console": "使管理员保持登录管理控制台的状态，最长为此期限；仅发送至 /ui/admin。",
        "why_provider": "确保被转到管理员身份提供方的浏览器才能登录。",
        "long": "{minutes:g} 分钟",
        "other": "English",
    },
}


@router.get("/inventory")
def show_inventory(request: Request, here: Here, lang: Literal["en", "zh"] | None = None) -> HTMLResponse:
    """Every field that is kept: its class, where it lies, how long and why."""
    language = _language(request, lang)
    rows = [
        (
            [one.table],
            [one.where],
            [one.how_long],
            [one.why],
            [f"{kind}: {', '.join(names)}" for kind, names in one.columns],
        )
        for one in inventory(here.settings, language)
    ]
    return _page(INVENTORY[language], language, rows)


@router.get("/retention")
def show_retention(request: Request, here: Here, lang: Literal["en", "zh"] | None = None) -> HTMLResponse:
    """How long what is kept: made from the settings, so that it says what the service does."""
    language = _language(request, lang)
    rows = [([one.what], [one.how_long], [one.sooner]) for one in schedule(here, language)]
    return _page(RETENTION[language], language, rows)


@router.get("/cookies")
def show_cookies(request: Request, here: Here, lang: Literal["en", "zh"] | None = None) -> HTMLResponse:
    """Every cookie there is, as it is really set."""
    language = _language(request, lang)
    texts = COOKIES[language]
    rows = [
        (
            [one.name],
            [str(texts["long"]).format(minutes=one.seconds / 60)],
            [str(texts[one.why])],
            [one.protection],
        )
        for one in cookies(here)
    ]
    return _page(texts, language, rows)


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie: what it is called, how long it is kept, what protects it, and which text says why."""

    name: str
    seconds: int
    protection: str
    why: str


def cookies(here: Installation) -> list[Cookie]:
    """Return every cookie: read from the headers that would set them."""
    login, console, provider = Response(), Response(), Response()
    remember(login, here, "0" * 64)
    keep(console, here, "0" * 64)
    keep_for_provider(provider, here, "0" * 64)
    return [
        *_set_by(login, "why"),
        *_set_by(console, "why_console"),
        *(_set_by(provider, "why_provider") if here.settings.console.openid.issuer else ()),
    ]


def _set_by(answer: Response, why: str) -> Iterator[Cookie]:
    for header in answer.headers.getlist("set-cookie"):
        for name, one in SimpleCookie(header).items():
            kept = [word for word, there in (("Secure", one["secure"]), ("HttpOnly", one["httponly"])) if there]
            protection = ", ".join([*kept, f"SameSite={one['samesite'].capitalize()}"])
            yield Cookie(name, int(one["max-age"]), protection, why)


def _language(request: Request, lang: Language | None) -> Language:
    return "zh" if (lang or language_of(request.headers.get("accept-language", ""))) == "zh" else "en"


def _page(texts: Mapping[str, object], language: Language, rows: Sequence[Row]) -> HTMLResponse:
    told = {"texts": texts, "language": language, "switch": "en" if language == "zh" else "zh", "rows": rows}
    return HTMLResponse(templates().get_template("listing.html").render(told))
