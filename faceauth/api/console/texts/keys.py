"""The words of the page about keys."""

from typing import Final

from faceauth.api.console.texts import Words

KEYS: Final[Words] = {
    "title": ("Keys", "密钥"),
    "api_keys": ("API keys", "API 密钥"),
    "key": ("Key", "密钥"),
    "role": ("Role", "角色"),
    "label": ("Whose", "持有者"),
    "created": ("Made", "创建时间"),
    "expires": ("Ends", "到期时间"),
    "never": ("never", "永不"),
    "acts": ("Acts", "操作"),
    "you": ("yours", "您的"),
    "role_application": ("application", "应用"),
    "ended_keys": ("Keys that ended", "已失效的密钥"),
    "revoked": ("revoked", "已吊销"),
    "expired": ("expired", "已过期"),
    "exchange": ("Exchange", "轮换"),
    "exchange_what": ("A new key in its place. Both work so many hours:", "以新密钥替换。两者并行的小时数："),
    "exchange_go": ("Make the new key", "生成新密钥"),
    "revoke": ("Revoke", "吊销"),
    "revoke_sure": ("Whoever uses it is refused from now on.", "使用者将立即被拒绝。"),
    "new": ("A new key", "新建密钥"),
    "new_what": (
        (
            "An application's key is made at once. A key of an administrator's role takes a second person: it is "
            "made when you ask for the same again after that."
        ),
        "应用密钥立即生成。管理员角色的密钥须第二人批准，批准后再次以相同内容申请即可生成。",
    ),
    "label_hint": ("For this list; nothing secret.", "用于本列表，请勿填写机密。"),
    "days": ("Days until it ends; empty for never", "有效天数；留空表示永不"),
    "new_go": ("Make the key", "生成密钥"),
    "made": ("The new key", "新密钥"),
    "made_what": (
        "This is {key_id}. It is shown this once: keep it where secrets are kept.",
        "密钥编号 {key_id}。仅显示这一次，请妥善保存。",
    ),
    "done_revoked": ("The key opens nothing any more.", "该密钥已失效。"),
    "wrapping": ("Key-encryption keys", "密钥加密密钥"),
    "wrapping_what": (
        (
            "Each person's data key is wrapped under a version of this key. A new version wraps all of them "
            "anew; no face is opened for it."
        ),
        "每人的数据密钥由此密钥的某一版本加密。生成新版本时会重新加密全部数据密钥，不会打开任何人脸数据。",
    ),
    "provider": ("Held by", "持有方"),
    "version": ("Version", "版本"),
    "state": ("State", "状态"),
    "data_keys": ("Data keys under it", "其下的数据密钥"),
    "state_active": ("wraps what is new", "用于新数据"),
    "state_older": ("still opens", "仍可打开"),
    "state_refused": ("refused", "已拒用"),
    "state_destroyed": ("destroyed", "已销毁"),
    "rotating": (
        "A rotation was begun and is not finished. Begin it again, and it goes on.",
        "有一次轮换尚未完成。再次执行即可继续。",
    ),
    "wrap": ("Make a new version", "生成新版本"),
    "wrap_retire": ("Then refuse what is wrapped under older versions", "之后拒用旧版本加密的内容"),
    "wrapped": (
        (
            "Version {version} wraps everything now: {rewrapped} data keys were wrapped anew, {unreadable} did "
            "not open. Make a new copy of the keyring now."
        ),
        (
            "现由版本 {version} 加密：重新加密 {rewrapped} 个数据密钥，{unreadable} 个无法打开。请立即重新备份密"
            "钥环。"
        ),
    ),
    "destroy": ("Destroy version {version}", "销毁版本 {version}"),
    "destroy_what": (
        (
            "Nothing is wrapped under it any more. Older copies of the key database open no more after this. It "
            "takes a second person."
        ),
        "其下已无任何数据密钥。销毁后，密钥库的旧副本将无法打开。须第二人批准。",
    ),
    "destroy_sure": ("It cannot be made again.", "无法恢复。"),
    "destroyed": ("Version {version} is destroyed. {left}", "版本 {version} 已销毁。{left}"),
    "signing": ("Signing keys", "签名密钥"),
    "signing_what": (
        "They sign tokens and receipts. A new one is made on the command line: faceauth keys rotate-signing",
        "用于签署令牌和回执。在命令行生成新密钥：faceauth keys rotate-signing",
    ),
    "signs": ("signs", "用于签名"),
    "checks": ("only checks", "仅用于验证"),
}
