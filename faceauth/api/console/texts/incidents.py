"""The words of the pages about incidents."""

from typing import Final

from faceauth.api.console.texts import Words

COMMON: Final[Words] = {
    "incident": ("Incident", "事件"),
    "state": ("State", "状态"),
    "state_open": ("open", "未结"),
    "state_closed": ("closed", "已结"),
    "risk": ("Risk to people", "对用户的风险"),
    "risk_none": ("none", "无"),
    "risk_risk": ("a risk", "有风险"),
    "risk_high": ("high", "高"),
    "clock": ("Telling the authority", "报告监管机构"),
    "clock_none": ("not needed: no risk", "无风险，无需报告"),
    "clock_told": ("told", "已报告"),
    "clock_late": ("told, after the 72 hours", "已报告（超过 72 小时）"),
    "clock_over": ("overdue: the 72 hours are over", "已逾期：超过 72 小时"),
    "clock_left": ("{hours} hours left", "剩余 {hours} 小时"),
    "aware": ("Known since", "知悉时间"),
    "due": ("To be told until", "报告期限"),
    "nature": ("What happened", "事件性质"),
    "consequences": ("Likely consequences", "可能后果"),
    "measures": ("Measures taken", "已采取措施"),
    "reach": ("Whom it reached", "影响范围"),
    "reach_used": ("whose face was used", "期间使用过人脸的用户"),
    "reach_stored": ("whose face was stored", "期间存有人脸的用户"),
    "since": ("From (UTC)", "开始（UTC）"),
    "until": ("Until (UTC)", "结束（UTC）"),
    "scenario": ("Scenario", "用途"),
    "model_digest": ("Model's digest", "模型摘要"),
    "key_version": ("Version of the key-encryption key", "密钥加密密钥版本"),
    "narrower": ("Narrower, if more is known", "已知更多信息时可缩小范围"),
}

LIST: Final[Words] = {
    **COMMON,
    "title": ("Incidents", "安全事件"),
    "new": ("Enter an incident", "登记事件"),
    "none_yet": ("The register is empty.", "登记簿为空。"),
}

NEW: Final[Words] = {
    **COMMON,
    "title": ("Enter an incident", "登记事件"),
    "intro": (
        "The authority is to be told within 72 hours from when somebody first knew (GDPR, article 33).",
        "自首次知悉起 72 小时内须报告监管机构（GDPR 第 33 条）。",
    ),
    "name": ("Title", "标题"),
    "aware_at": ("Somebody first knew (UTC)", "首次知悉（UTC）"),
    "save": ("Enter", "登记"),
}

ONE: Final[Words] = {
    **COMMON,
    "title": ("Incident", "安全事件"),
    "authority_at": ("The authority was told (UTC)", "报告监管机构时间（UTC）"),
    "people": ("People: {count}; still with an account: {there}", "共 {count} 人；其中 {there} 人仍有账户"),
    "person": ("Account, disguised", "账户（已遮蔽）"),
    "subject": ("Pseudonym", "假名"),
    "closed_account": ("no account any more", "账户已注销"),
    "next": ("Further people", "更多用户"),
    "known": ("Write what is known better now", "更新已知情况"),
    "save": ("Save", "保存"),
    "scope_known": ("Whom it reached is known better", "更新影响范围"),
    "notices": ("What people were told", "已告知用户的内容"),
    "told_count": ("{at}, to how many: {people}", "{at}，人数：{people}"),
    "tell": ("Tell the people it reached", "告知受影响用户"),
    "text_en": ("Text in English", "英文正文"),
    "text_zh": ("Text in Chinese", "中文正文"),
    "elsewhere": ("They were told in another way; only write it down", "已通过其他方式告知，仅作记录"),
    "tell_go": ("Tell them", "告知"),
    "names": ("Take the names out", "导出名称"),
    "names_what": (
        "Who they are, in the clear. It takes two people: ask, and ask again once another approved it.",
        "以明文导出名称，用于以其他方式告知。须双人审批：先申请，他人批准后再次申请。",
    ),
    "names_go": ("Ask for the names", "申请名称"),
    "names_wait": (
        "A second person has to approve it. Then ask here again.",
        "须由第二人批准，之后请在此再次申请。",
    ),
    "names_are": ("The names, shown this once", "名称（仅显示一次）"),
    "close": ("Close it with a signed report", "以签名报告结案"),
    "conclusion": ("What came out of it", "结论"),
    "close_go": ("Close", "结案"),
    "report": ("The signed closing report (JWS)", "签名的结案报告（JWS）"),
    "done_entered": ("Entered. The clock runs.", "已登记，开始计时。"),
    "done_saved": ("Saved.", "已保存。"),
    "done_told": ("It is written down, and on its way to them.", "已记录并正在发送。"),
    "done_closed": ("Closed. The report is below.", "已结案，报告见下。"),
}
