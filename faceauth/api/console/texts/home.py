"""The words of the first page."""

from typing import Final

from faceauth.api.console.texts import Words

HOME: Final[Words] = {
    "title": ("Home", "首页"),
    "approvals": ("Approvals waiting", "等待审批"),
    "approvals_none": ("Nothing waits for a second person.", "没有等待第二人确认的操作。"),
    "campaigns": ("Running campaigns", "进行中的征求"),
    "campaigns_none": ("Nobody is being asked.", "当前没有进行中的征求。"),
    "answered": (
        "{answered} of {chosen} answered, until {deadline}",
        "{chosen} 人中 {answered} 人已答复，截止 {deadline}",
    ),
    "incidents": ("Open incidents", "未结安全事件"),
    "incidents_none": ("No incident is open.", "没有未结的安全事件。"),
    "overdue": ("the 72 hours are over", "已超过 72 小时"),
    "due": ("tell the authority by {due}", "须在 {due} 前报告监管机构"),
    "told": ("the authority was told", "已报告监管机构"),
    "no_risk": ("no risk: nobody has to be told", "无风险：无需报告"),
    "pages": ("What you may do here", "您可以进行的操作"),
}
