"""The scenario that is there from the start, and its notice."""

from importlib.resources import files
from string import Template

from faceauth.sections import ConsentSettings

LOGIN = "login"

LOGIN_TITLES = {"en": "Sign in with your face", "zh": "刷脸登录"}

# What the notice says, in its own language, where the operator set nothing.
_UNSET = {
    "en": {
        "controller": "The operator of this service",
        "controller_contact": "the support of the app or site you use",
        "storage_place": "the computers that run this service",
    },
    "zh": {
        "controller": "本服务的运营者",
        "controller_contact": "您所使用的应用或网站的客服",
        "storage_place": "运行本服务的计算机",
    },
}


def login_notices(consent: ConsentSettings, *, days: int) -> dict[str, str]:
    """Return notice 1 of `login` in each language; `days` is how long an answer counts."""
    texts = {}
    for locale, unset in _UNSET.items():
        blanks = {name: _stated(consent, name) or words for name, words in unset.items()}
        template = Template((files("faceauth.consent") / "texts" / f"{LOGIN}.{locale}.md").read_text("utf-8"))
        texts[locale] = template.substitute(blanks, days=days, minimum_age=consent.minimum_age)
    return texts


def _stated(consent: ConsentSettings, name: str) -> str:
    """Return what the operator wrote, or nothing where the setting is still the English default."""
    value = str(getattr(consent, name)).strip()
    return "" if value == ConsentSettings.model_fields[name].default else value
