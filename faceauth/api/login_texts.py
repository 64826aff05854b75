"""The words of the provider's pages, which need no script: English and Chinese."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Log in with your face",
        "asks": "{client} asks you to log in.",
        "learns": "It will learn the name of your account here, and that you logged in with your face.",
        "name": "The name of your account",
        "go": "To the camera",
        "no": "Cancel",
        "sorry": "This login cannot go on",
        "client": "The application that sent you here is not known to this service. Tell whoever runs it.",
        "request": "The application that sent you here made a mistake. Go back to it and start again.",
        "gone": "This login is over, or was begun in another browser. Go back to the application and start again.",
        "busy": "Too many logins are being begun right now. Wait a minute and try again.",
        "another": "Another way to log in is always there. Please use it if this one does not work.",
        "bye": "You are logged out",
        "logged_out": "The application has no login of yours from here any more. This service remembers none.",
        "nothing": "This service remembers no login, so there is nothing to end here. Log out in the application.",
        "back": "Back to the application",
    },
    "zh": {
        "title": "用人脸登录",
        "asks": "{client} 请您登录。",
        "learns": "它会得知您在此处的账户名，以及您已用人脸登录。",
        "name": "您的账户名",
        "go": "打开相机",
        "no": "取消",
        "sorry": "无法继续登录",
        "client": "本服务不认识将您转到这里的应用。请告知其运营者。",
        "request": "将您转到这里的应用出了错。请返回该应用重新开始。",
        "gone": "此次登录已结束，或是在另一个浏览器中开始的。请返回应用重新开始。",
        "busy": "目前发起的登录过多。请等待一分钟后重试。",
        "another": "您始终可以使用其他登录方式。如果这种方式不行，请改用其他方式。",
        "bye": "您已退出登录",
        "logged_out": "该应用已不再持有您在此处的登录。本服务不会记住任何登录。",
        "nothing": "本服务不会记住任何登录，因此无需在此退出。请在应用中退出登录。",
        "back": "返回应用",
    },
}


def language_of(accepted: str, wished: str = "") -> str:
    """Return `en` or `zh`: the first of either that a client wished for, then that the browser accepts."""
    for tag in [*wished.split(), *(part.partition(";")[0].strip() for part in accepted.split(","))]:
        language = tag.partition("-")[0].lower()
        if language in TEXTS:
            return language
    return "en"
