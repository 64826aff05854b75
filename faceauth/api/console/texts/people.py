"""The words of the pages about people."""

from typing import Final

from faceauth.api.console.texts import Words

COMMON: Final[Words] = {
    "name": ("Name, disguised", "名称（已隐去）"),
    "mark": ("Pseudonym", "假名"),
    "state": ("State", "状态"),
    "state_open": ("in use", "正常"),
    "state_suspended": ("suspended", "已暂停"),
    "created": ("Known since", "创建时间"),
    "references": ("References", "人脸模板数"),
    "since": ("Since", "起始"),
    "until": ("Until", "截止"),
    "failures": ("Failures in all", "失败总数"),
    "another_factor": ("another way to log in was used", "使用其他登录方式后"),
    "open_with_flash": ("levels with the flash are open", "带闪光检测的级别仍可用"),
}

LIST: Final[Words] = {
    **COMMON,
    "title": ("Accounts", "账户"),
    "intro": (
        "Names are disguised: one letter, and of a mail address its domain. The pseudonym is the audit log's.",
        "名称已隐去：仅显示首字母，邮箱另显示域名。假名与审计日志一致。",
    ),
    "search": ("The application's own name, exactly", "应用中的完整名称"),
    "search_hint": (
        "A part of it finds nobody. That you looked for it goes on record.",
        "须完整匹配。查询会被记录。",
    ),
    "search_go": ("Find", "查找"),
    "no_name": ("No account can be called so.", "不存在这样的账户名称。"),
    "nobody": ("Nobody yet.", "暂无账户。"),
    "page": ("Page {page}", "第 {page} 页"),
    "before": ("Before", "上一页"),
    "next": ("Next", "下一页"),
}

ONE: Final[Words] = {
    **COMMON,
    "title": ("An account", "账户详情"),
    "on_record": ("That you looked at this page is on record.", "查看本页已被记录。"),
    "suspended": ("Suspended since", "暂停时间"),
    "consents": ("Consents", "同意情况"),
    "scenario": ("Scenario", "用途"),
    "version": ("Notice", "告知版本"),
    "valid": ("Holds until", "有效期至"),
    "stale": ("to be asked again", "须重新征求"),
    "consent_given": ("agreed", "已同意"),
    "consent_renewed": ("agreed", "已同意"),
    "consent_refused": ("refused", "已拒绝"),
    "consent_withdrawn": ("withdrawn", "已撤回"),
    "consent_expired": ("expired", "已到期"),
    "consent_requested": ("asked", "已询问"),
    "devices": ("Devices", "设备"),
    "device": ("Kind of key", "密钥类型"),
    "hardware": ("in hardware", "硬件密钥"),
    "bound": ("Bound", "绑定时间"),
    "used": ("Last used", "最后使用"),
    "attempts": ("Attempts", "尝试次数"),
    "not_locked": ("The face may be tried.", "可以使用人脸登录。"),
    "locked": ("Face login is locked; nothing else is.", "仅人脸登录被锁定，其他方式不受影响。"),
    "unlock": ("Unlock", "解锁"),
    "unlock_what": (
        (
            "Starts the counters again from nothing. Only when you have just made sure by another factor that it "
            "is this person."
        ),
        "将计数清零。仅可在您刚刚通过其他方式核实本人身份之后进行。",
    ),
    "unlock_sure": ("I have just seen another proof of who it is.", "我刚刚已通过其他方式核实其身份。"),
    "suspend": ("Suspend every use of the face", "暂停使用人脸"),
    "resume": ("Allow the use of the face again", "恢复使用人脸"),
    "suspend_what": (
        "Nothing is erased. The person asked for it, or it has to be found out whether the data is right.",
        "不会删除任何数据。适用于本人要求，或需核实数据准确性的情形。",
    ),
    "close": ("Close the account", "注销账户"),
    "close_what": (
        (
            "Erases every reference, its keys and the account, for good. What stays is the proof that was agreed "
            "and erased."
        ),
        "永久删除全部人脸模板、密钥和账户，仅保留同意与删除的凭证。",
    ),
    "close_sure": ("The person asked for it. It cannot be undone.", "本人已提出要求。此操作无法撤销。"),
    "closed": ("The account is closed and everything of the face is erased.", "账户已注销，人脸数据已全部删除。"),
    "receipt": ("The signed receipt, for the person", "签名删除回执（交给本人）"),
    "to_list": ("To the accounts", "返回账户列表"),
    "done_unlocked": ("The counters start again from nothing.", "计数已清零。"),
    "done_suspended": ("Every use of the face is suspended.", "已暂停使用人脸。"),
    "done_resumed": ("The face may be used again.", "已恢复使用人脸。"),
}

LOCKS: Final[Words] = {
    **COMMON,
    "title": ("Attempts and lockouts", "尝试与锁定"),
    "intro": (
        "Who may not try their face now. Other ways to log in are open to all of them.",
        "当前不能使用人脸登录的对象。其他登录方式均不受影响。",
    ),
    "people": ("By the limit of an account", "账户限额"),
    "people_none": ("Nobody is locked out.", "无人被锁定。"),
    "at_most": ("The last {most} are shown.", "仅显示最近 {most} 条。"),
    "no_account": ("no account of this name", "无此账户"),
    "places": ("By the limit of a device or network", "设备或网络限额"),
    "places_none": ("No device and no network is locked out.", "无设备或网络被锁定。"),
    "places_what": (
        (
            "Counted for an hour from the first failure, under a mark that says nothing of the address. They "
            "open by themselves."
        ),
        "自首次失败起按小时计数，以不含地址信息的标记记录，到期自动解除。",
    ),
    "kind": ("Limit", "限额"),
    "kind_device": ("device", "设备"),
    "kind_network": ("network", "网络"),
    "searching": ("searches", "检索"),
    "verifying": ("logins", "登录"),
    "place": ("Mark", "标记"),
    "tries": ("Failures", "失败次数"),
}
