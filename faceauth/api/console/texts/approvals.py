"""The words of the page of what takes two people."""

from typing import Final

from faceauth.api.console.texts import Words

APPROVALS: Final[Words] = {
    "title": ("Approvals", "双人审批"),
    "intro": (
        "What takes two people: one asks, another approves, and then who asked does it, within a day.",
        "须由两人完成的操作：一人申请，另一人批准，申请人随后在一天内执行。",
    ),
    "waiting": ("Waiting for a second person", "等待第二人"),
    "waiting_none": ("Nothing waits.", "无待审批事项。"),
    "decided": ("Decided, and over", "已处理或已过期"),
    "what": ("What", "事项"),
    "asked_by": ("Asked for by", "申请人"),
    "until": ("Until", "有效期至"),
    "state": ("State", "状态"),
    "decided_by": ("Decided by", "审批人"),
    "state_requested": ("waiting", "等待中"),
    "state_approved": ("approved, not done yet", "已批准，未执行"),
    "state_rejected": ("refused", "已拒绝"),
    "state_used": ("done", "已执行"),
    "state_expired": ("expired", "已过期"),
    "kind_key_destroy": ("Destroy a version of the key-encryption key", "销毁密钥加密密钥的一个版本"),
    "kind_model_retire": ("Erase what a replaced model made", "删除被替换模型生成的数据"),
    "kind_campaign_erase": ("A campaign that erases who stays silent", "对未答复者执行删除的征求"),
    "kind_scenario_retire": ("Retire a scenario", "停用用途"),
    "kind_incident_export": ("Take the names of an incident's people out", "导出安全事件涉及的用户名称"),
    "approve": ("Approve", "批准"),
    "reject": ("Refuse", "拒绝"),
    "own": ("You asked for it: another person has to approve it.", "由您申请：须由他人批准。"),
    "go_on": ("Do it now", "立即执行"),
    "done_approve": ("Approved. Who asked for it can do it now.", "已批准。申请人现在可以执行。"),
    "done_reject": ("Refused.", "已拒绝。"),
    "done_asked": (
        "A second person has to approve it. Then do it from here, within a day.",
        "须由第二人批准，之后请在一天内于此处执行。",
    ),
    "detail_version": ("version", "版本"),
    "detail_scenario": ("scenario", "用途"),
    "detail_incident_id": ("incident", "事件"),
    "detail_audience": ("audience", "对象"),
    "detail_deadline": ("deadline", "截止"),
    "detail_remind_days": ("reminded", "提醒"),
}
