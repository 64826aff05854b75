"""The words of the pages about campaigns."""

from typing import Final

from faceauth.api.console.texts import Words

COMMON: Final[Words] = {
    "scenario": ("Scenario", "用途"),
    "notice": ("Notice shown", "出示的告知"),
    "version": ("version", "版本"),
    "deadline": ("Deadline", "截止时间"),
    "state": ("State", "状态"),
    "state_open": ("running", "进行中"),
    "state_closed": ("closed", "已结束"),
    "state_cancelled": ("taken back", "已撤回"),
    "on_deadline": ("Who stays silent", "未答复者"),
    "on_suspend": ("is suspended until they answer", "暂停使用直至答复"),
    "on_erase": ("is erased (takes two people)", "删除人脸（须双人审批）"),
    "remind_days": ("Reminded, in days before the deadline", "截止前几天提醒"),
    "answered": ("{answered} of {chosen} answered", "{chosen} 人中 {answered} 人已答复"),
    "people": ("People", "人数"),
    "chosen": ("Chosen", "选定"),
    "asked": ("Asked", "已询问"),
    "given": ("Agreed", "同意"),
    "refused": ("Refused", "拒绝"),
    "pending": ("Not answered yet", "尚未答复"),
    "lapsed": ("Ended by another clock", "因其他期限失效"),
    "suspended": ("Suspended", "已暂停"),
    "erased": ("Erased", "已删除"),
    "waiting": ("To be asked yet", "待询问"),
    "gone": ("Closed their account", "已注销账户"),
    "undelivered": ("Silent, and the question had not reached them", "未答复且询问未送达"),
}

LIST: Final[Words] = {
    **COMMON,
    "title": ("Campaigns", "重新征求同意"),
    "intro": (
        "A campaign asks people for their consent again. Nobody answers for them, and silence is no yes.",
        "重新征求用户同意。任何人不得代为答复，沉默不视为同意。",
    ),
    "new": ("Ask people again", "发起征求"),
    "none_yet": ("There was no campaign yet.", "尚未发起过征求。"),
}

NEW: Final[Words] = {
    **COMMON,
    "title": ("Ask people again", "发起征求"),
    "whom": ("Whom to ask", "询问对象"),
    "whom_hint": (
        "Those with a live consent that fits everything given here.",
        "同意仍有效且符合以下全部条件的用户。",
    ),
    "consented_to": ("Who agreed to", "已同意的用途"),
    "the_same": ("the same scenario", "同一用途"),
    "version_below": ("Under an older notice than version", "所同意的告知早于版本"),
    "active_since": ("Last used then or after (UTC)", "最近使用不早于（UTC）"),
    "inactive_since": ("Last used before (UTC)", "最近使用早于（UTC）"),
    "deadline_at": ("Deadline (UTC)", "截止时间（UTC）"),
    "days_hint": ("Numbers of days, with commas between.", "天数，以逗号分隔。"),
    "look": ("Look whom it would ask", "预览询问对象"),
    "preview": ("How many it would ask: {people}", "将询问人数：{people}"),
    "preview_none": ("Nobody would be asked.", "无人符合条件。"),
    "agreed_to": ("Agreed to version", "所同意的版本"),
    "start": ("Ask them", "开始询问"),
    "start_what": (
        "They see version {version} of the notice. A campaign that erases waits for a second person first.",
        "将出示告知版本 {version}。含删除的征求须先经第二人审批。",
    ),
}

ONE: Final[Words] = {
    **COMMON,
    "title": ("Campaign", "征求同意"),
    "audience": ("Whom it asks", "询问对象"),
    "created": ("Begun", "发起"),
    "closed": ("Ended", "结束"),
    "by": ("by", "发起人"),
    "progress": ("Progress", "进度"),
    "report": ("Report", "报告"),
    "cancel": ("Take the question back", "撤回征求"),
    "cancel_what": (
        "What people agreed to before counts again, and the deadline does nothing.",
        "此前的同意恢复效力，截止时不再采取任何措施。",
    ),
    "sure": ("I want this question taken back.", "我确认撤回此次征求。"),
    "go": ("Take back", "撤回"),
    "done_begun": ("People are being asked.", "正在询问用户。"),
    "done_cancelled": ("The question is taken back.", "征求已撤回。"),
    "consented_to": ("agreed to", "已同意"),
    "version_below": ("under an older notice than version", "告知版本早于"),
    "active_since": ("used then or after", "最近使用不早于"),
    "inactive_since": ("used before", "最近使用早于"),
    "everyone": ("everybody who agreed to it", "所有已同意的用户"),
}
