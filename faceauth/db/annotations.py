"""What every column holds about people, why its table is there and for how long: the data inventory is made of it.

A test fails when a table or a column has no line here, so a new one cannot be left out of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Class = Literal["biometric", "identifying", "pseudonymous", "secret", "staff", "technical"]
"""`biometric`: made from a face, always sealed. `secret`: keys, and digests of tokens. `staff`: about
administrators. `technical`: says nothing about anybody."""

Both = tuple[str, str]
"""The same in English and in Chinese."""

LONG: Final[Mapping[str, Both]] = {
    "good": ("For good", "永久保存"),
    "account": ("As long as the account", "与账户同期"),
    "consent": ("As long as the consent", "与同意同期"),
    "face": (
        "Until withdrawal, closing, or the end of the purpose; {inactivity} days after the last use at most",
        "至撤回同意、注销账户或目的终止；最长为最后一次使用后 {inactivity} 天",
    ),
    "key": ("Destroyed first in every erasure", "每次删除时最先销毁"),
    "seen": ("{seen} days", "{seen} 天"),
    "observed": ("{observed} days; written only in observe mode", "{observed} 天；仅在观察模式下写入"),
    "session": (
        "{sessions} days; the last use of a face until it is erased",
        "{sessions} 天；人脸的最后使用记录保留至删除",
    ),
    "link": (
        "{flows} day after the link's minutes, or as long as the account",
        "链接失效后 {flows} 天，或与账户同期",
    ),
    "attempts": (
        "As long as the account; {sessions} days for a name that is none",
        "与账户同期；非账户名称 {sessions} 天",
    ),
    "minutes": ("Minutes, while it is under way", "进行期间的数分钟"),
    "hour": ("An hour", "一小时"),
    "console": ("{console} hours at most, until somebody signs in", "最长 {console} 小时，至下次有人登录"),
    "failures": ("A quarter of an hour, until another fails", "一刻钟，至下次失败"),
    "grant": (
        "As long as the login it stands for, never longer than the consent",
        "与所代表的登录同期，不超过同意期限",
    ),
    "linked": ("Until unlinked, or as long as the account", "至解除关联，或与账户同期"),
    "until_used": ("Until published or thrown away", "至发布或丢弃"),
    "campaign": (
        "Until the question is closed and answered; never longer than the account",
        "至询问结束并答复；不超过账户期限",
    ),
    "delivered": (
        "{delivered} days once delivered, {dead} given up; never longer than the account",
        "送达后 {delivered} 天，放弃后 {dead} 天；不超过账户期限",
    ),
    "damaged": ("Until it opens or is erased", "至可解封或被删除"),
    "revoked": ("For good; ended ones stay marked", "永久保存；已失效的保留标记"),
}
"""How long, with the numbers that settings and code decide in braces."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One table: how long (a key of `LONG`), why in both languages, and its columns by class."""

    how_long: str
    why: Both
    columns: Mapping[Class, str]

    def class_of(self, column: str) -> Class | None:
        """Return a column's class, or None if it has no line."""
        return next((kind for kind, names in self.columns.items() if column in names.split()), None)


_PERSON: Final = "tenant account"

TABLES: Final[Mapping[str, Annotation]] = {
    "biometric_references": Annotation(
        "face",
        ("To compare a face with", "用于人脸比对"),
        {
            "biometric": "sealed",
            "identifying": "reference_id tenant account scenario consent_id created_at",
            "technical": "model_digest data_key_id",
        },
    ),
    "seen_views": Annotation(
        "seen",
        ("Against replays that were compressed again", "防止重新压缩后的重放"),
        {"biometric": "sealed", "identifying": "session_id tenant account scenario consent_id seen_at"},
    ),
    "seen_frames": Annotation(
        "seen", ("Against replays", "防止重放"), {"pseudonymous": "mac session_id", "technical": "seen_at"}
    ),
    "gate_observations": Annotation(
        "observed",
        ("To tune liveness", "用于调整活体检测"),
        {"technical": "observation_id burst profile outcome gate name value day"},
    ),
    "accounts": Annotation(
        "account",
        ("To know whose consent it is, and who is a child", "确认同意的归属与未成年人"),
        {"identifying": f"{_PERSON} locale birth_date contact guardian created_at restricted_at"},
    ),
    "consent_events": Annotation(
        "good",
        ("Proof of what was agreed to, and when it ended", "证明同意的内容及其终止"),
        {
            "identifying": (
                f"event_id consent_id {_PERSON} scenario state locale event_at valid_until record receipt"
            ),
            "technical": "seq notice_version notice_sha256",
        },
    ),
    "live_consents": Annotation(
        "consent",
        ("The database refuses a face without it", "数据库据此拒绝无同意的人脸"),
        {"identifying": f"{_PERSON} scenario consent_id valid_until granted_at", "technical": "notice_version"},
    ),
    "tombstones": Annotation(
        "good",
        ("Proof of erasures, repeated after a restore", "证明删除，恢复备份后重做"),
        {
            "identifying": (
                f"tombstone_id {_PERSON} scenario reference_id reason requested_at finished_at doomed receipt"
            ),
            "technical": "state",
        },
    ),
    "erasures": Annotation(
        "good",
        ("The same, beside the keys", "同上，与密钥同处"),
        {
            "identifying": f"tombstone_id {_PERSON} scenario reference_id reason requested_at",
            "technical": "data_keys",
        },
    ),
    "data_keys": Annotation(
        "key",
        ("To seal each account's faces", "用于密封各账户的人脸"),
        {"secret": "wrapped", "identifying": _PERSON, "technical": "data_key_id generation created_at"},
    ),
    "sessions": Annotation(
        "session",
        ("To answer the application; unused faces are counted from it", "答复应用；据此计算未使用的人脸"),
        {
            "identifying": (
                f"session_id {_PERSON} purpose scenario state reason matched_account reference_id created_at "
                "capture_started_at decided_at device_id transaction_text transaction_locale withheld"
            ),
            "secret": "token_digest challenge",
            "technical": "posts judging expires_at streamed device_strength veiled token_revoked_at",
        },
    ),
    "attempts": Annotation(
        "attempts",
        ("To stop guessing", "阻止猜测"),
        {"identifying": f"{_PERSON} consecutive total last_at disabled_at"},
    ),
    "place_attempts": Annotation(
        "hour",
        ("To stop guessing at many accounts", "阻止对多个账户的猜测"),
        {"pseudonymous": "mark", "technical": "since tries counts"},
    ),
    "session_places": Annotation(
        "minutes", ("The same", "同上"), {"pseudonymous": "session_id network device", "technical": "expires_at"}
    ),
    "flows": Annotation(
        "link",
        ("To bring the person back to the application", "引导用户返回应用"),
        {
            "identifying": (
                f"flow_id {_PERSON} scenario purpose return_url "
                "locale reauthenticated_at state reason session_id created_at"
            ),
            "secret": "token_digest",
            "technical": "expires_at",
        },
    ),
    "privacy_links": Annotation(
        "minutes",
        ("To let people act on their own face", "让用户管理自己的人脸"),
        {"secret": "token_digest", "identifying": _PERSON, "technical": "opened expires_at"},
    ),
    "console_sessions": Annotation(
        "console",
        ("Who is signed in to the console", "谁登录了管理控制台"),
        {
            "staff": "key_id subject role language opened_at seen_at",
            "technical": "tenant expires_at",
            "secret": "token_digest",
        },
    ),
    "console_logins": Annotation(
        "minutes",
        ("An administrator is signing in elsewhere", "管理员正在外部登录"),
        {"secret": "state_digest browser_digest nonce verifier", "technical": "language expires_at"},
    ),
    "console_failures": Annotation(
        "failures",
        ("No key is guessed", "防止猜测密钥"),
        {"pseudonymous": "mark", "technical": "failure_id at"},
    ),
    "device_keys": Annotation(
        "linked",
        ("A second factor", "第二认证因素"),
        {
            "identifying": f"device_id {_PERSON} label created_at last_used_at",
            "technical": "kind key_digest key_name public_key sign_count attestation hardware",
        },
    ),
    "device_challenges": Annotation(
        "minutes",
        ("No binding is repeated", "防止重复绑定"),
        {"identifying": _PERSON, "secret": "challenge", "technical": "expires_at"},
    ),
    "openid_clients": Annotation(
        "revoked",
        ("Who may ask for a login", "可请求登录的应用"),
        {
            "secret": "secret_digest",
            "technical": (
                "client_id tenant name native scenario "
                "redirect_uris post_logout_redirect_uris offline created_at revoked_at"
            ),
        },
    ),
    "openid_requests": Annotation(
        "minutes",
        ("A login under way", "进行中的登录"),
        {
            "identifying": "request_id asked session_id created_at",
            "secret": "browser",
            "technical": "client_id expires_at",
        },
    ),
    "openid_grants": Annotation(
        "grant",
        ("Which application was told of a login", "被告知登录的应用"),
        {
            "identifying": f"grant_id {_PERSON} scenario consent_id auth_time",
            "technical": "client_id scope nonce acr amr expires_at",
        },
    ),
    "openid_codes": Annotation(
        "grant",
        ("To know a code again, once", "识别一次性代码"),
        {"secret": "digest code_challenge", "technical": "grant_id redirect_uri expires_at used_at"},
    ),
    "openid_tokens": Annotation(
        "grant",
        ("To know a token again", "识别令牌"),
        {"secret": "digest", "technical": "grant_id kind scope expires_at used_at"},
    ),
    "account_links": Annotation(
        "linked",
        ("One login for accounts that belong together", "关联账户统一登录"),
        {"identifying": f"{_PERSON} provider subject linked_at"},
    ),
    "campaigns": Annotation(
        "good",
        ("To show that people were asked", "证明已征求意见"),
        {
            "staff": "created_by",
            "technical": (
                "campaign_id tenant scenario notice_version audience "
                "chosen deadline on_deadline remind_days state "
                "created_at closed_at report"
            ),
        },
    ),
    "campaign_members": Annotation(
        "campaign",
        ("To ask, and to remind", "用于询问与提醒"),
        {"identifying": f"campaign_id {_PERSON} scenario state reminded asked_at", "technical": "after_seq"},
    ),
    "drafts": Annotation(
        "until_used",
        ("To write before showing", "发布前的草稿"),
        {"staff": "created_by", "technical": "draft_id tenant kind scenario content created_at changed_at"},
    ),
    "webhook_endpoints": Annotation(
        "revoked",
        ("Where messages go", "消息的去向"),
        {"secret": "salt old_salt", "technical": "endpoint_id tenant url old_until created_at removed_at"},
    ),
    "outbox": Annotation(
        "delivered",
        ("To tell the application", "通知应用"),
        {
            "identifying": f"message_id {_PERSON} kind body created_at",
            "technical": "endpoint_id state tries due_at finished_at problem",
        },
    ),
    "incidents": Annotation(
        "good",
        ("The register of incidents, without names", "事件登记册，不含姓名"),
        {
            "staff": "created_by",
            "technical": (
                "incident_id tenant title nature consequences measures "
                "risk scope state aware_at authority_at created_at "
                "closed_at report"
            ),
        },
    ),
    "incident_notices": Annotation(
        "good",
        ("What people were told about an incident", "就事件告知用户的内容"),
        {"staff": "sent_by", "technical": "notice_id incident_id texts people sent_at"},
    ),
    "audit_log": Annotation(
        "good",
        ("To show what happened", "记录所发生的事"),
        {"pseudonymous": "subject details", "staff": "actor", "technical": "seq at event tenant previous digest"},
    ),
    "audit_head": Annotation(
        "good", ("To find an altered log", "发现被篡改的日志"), {"technical": "id seq digest"}
    ),
    "audit_nodes": Annotation("good", ("The same", "同上"), {"technical": "level position hash"}),
    "audit_checkpoints": Annotation("good", ("The same", "同上"), {"technical": "size root note at"}),
    "approvals": Annotation(
        "good",
        ("Two people, neither alone", "需两人，不可单独进行"),
        {
            "staff": "requested_by requested_at decided_by decided_at used_by used_at",
            "technical": "approval_id tenant kind details digest state expires_at",
        },
    ),
    "api_keys": Annotation(
        "revoked",
        ("Who may call", "可调用者"),
        {"secret": "digest", "staff": "label", "technical": "key_id tenant role created_at expires_at revoked_at"},
    ),
    "quarantine": Annotation(
        "damaged",
        ("Damage is seen and nothing is lost", "发现损坏而不丢失"),
        {"pseudonymous": "reference_id", "technical": "code found_at"},
    ),
    "installation": Annotation(
        "good",
        ("Which keyring belongs to it, which thresholds were accepted", "所属的密钥环，已接受的阈值"),
        {"technical": "key value"},
    ),
    "tenants": Annotation("good", ("Who uses the service", "服务的使用方"), {"technical": "tenant created_at"}),
    "scenarios": Annotation(
        "good",
        ("The purposes", "各项目的"),
        {
            "technical": (
                "tenant scenario mode titles retention_days "
                "liveness_profile state created_at stream_only device_key "
                "flash_choice"
            )
        },
    ),
    "notices": Annotation(
        "good",
        ("Every text that was shown", "所有展示过的文本"),
        {
            "technical": (
                "tenant scenario version locale text sha256 material effective_at created_at substance because"
            )
        },
    ),
}
