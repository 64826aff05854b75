"""The export as one page to read and to keep: no script, nothing from elsewhere, every text escaped."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES: Final = Path(__file__).resolve().parents[1] / "web" / "templates"

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "What this service keeps about you",
        "made": "Made",
        "account": "Your account",
        "consents": "What you answered",
        "references": "Face templates",
        "devices": "Your devices",
        "activity": "What was done with your face",
        "none": "Nothing.",
        "when": "When",
        "what": "What",
        "purpose": "Purpose",
        "answer": "Answer",
        "notice": "Notice",
        "until": "Until",
        "no_pictures": "Pictures are not kept. A template is sealed numbers that cannot be shown; none is here.",
        "receipts": "The signed receipts are in the machine-readable export, and can be checked by anyone.",
    },
    "zh": {
        "title": "本服务保存的关于您的数据",
        "made": "生成时间",
        "account": "您的账户",
        "consents": "您的答复",
        "references": "面部模板",
        "devices": "您的设备",
        "activity": "对您面部数据的使用",
        "none": "无。",
        "when": "时间",
        "what": "事项",
        "purpose": "用途",
        "answer": "答复",
        "notice": "告知书",
        "until": "有效期至",
        "no_pictures": "图片不会保存。模板是加密存放的数字，无法展示，本页也不包含。",
        "receipts": "签名回执在机器可读的导出文件中，任何人都可以核验。",
    },
}


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)


def export_page(export: Mapping[str, Any]) -> str:
    """Return the page, in the account's language where there is one, and else in English."""
    locale = str(export["account"]["locale"] or "en")
    language = locale.split("-", maxsplit=1)[0]
    words = _WORDS.get(language, _WORDS["en"])
    consents = [one["record"] for one in export["consents"]]
    page = _templates().get_template("export.html")
    return page.render(
        language=language if language in _WORDS else "en", words=words, export=export, consents=consents
    )
