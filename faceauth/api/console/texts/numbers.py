"""The words of the pages of numbers."""

from typing import Final

from faceauth.api.console.texts import Words

USAGE: Final[Words] = {
    "day": ("Day (UTC)", "日期（UTC）"),
    "scenario": ("Scenario", "用途"),
    "together": ("several, each with few people", "多个用途（各自人数较少）"),
    "people": ("People", "人数"),
    "accepted": ("Accepted", "通过"),
    "denied": ("Denied", "拒绝"),
    "outcomes": ("Logins decided a day", "每日登录判定"),
    "outcomes_say": (
        "Bars, one a day from {since}: accepted logins below, denied ones above. The table has the numbers.",
        "自 {since} 起每日一条：下方为通过，上方为拒绝。数字见下表。",
    ),
    "withheld": (
        "Days and scenarios with fewer than {minimum} people are not told.",
        "人数少于 {minimum} 的日期与用途不予显示。",
    ),
    "nothing": ("Nothing that may be told in these days.", "这些日期没有可显示的数据。"),
}

STATISTICS: Final[Words] = {
    **USAGE,
    "title": ("Statistics", "使用统计"),
    "intro": (
        (
            "Whole days that are over, counted from the audit log. Groups of fewer than {minimum} people are not "
            "told; the small ones of a day are put together where that makes them enough."
        ),
        (
            "仅统计已结束的整日，数据来自审计日志。人数少于 {minimum} 的组不予显示；同一天的小组合并后人数足够时"
            "才显示。"
        ),
    ),
    "since": ("From", "开始日期"),
    "until": ("Until, not counted itself", "结束日期（不含）"),
    "show": ("Show", "显示"),
}

HEALTH: Final[Words] = {
    **USAGE,
    "title": ("Health", "运行状况"),
    "ready": ("The service can serve.", "服务可以正常工作。"),
    "not_ready": ("The service cannot serve now.", "服务目前无法工作。"),
    "parts": ("Parts", "组成部分"),
    "part": ("Part", "部分"),
    "state": ("State", "状态"),
    "works": ("works", "正常"),
    "fails": ("does not work", "异常"),
    "part_data": ("The database: read and written", "数据库：可读写"),
    "part_keys": ("The key database: read and written", "密钥库：可读写"),
    "part_index": ("The index of faces: filled", "人脸索引：已加载"),
    "enrolled": ("People enrolled", "已登记人数"),
    "enrolled_of": ("A filing is due from {alert} on", "达到 {alert} 人须备案"),
    "not_counted": ("not counted yet", "尚未统计"),
    "judging": ("Posts judged now or waiting", "正在判定或等待的提交"),
    "streams": ("People before a camera now", "当前采集中的会话"),
    "at_most": ("of {most} at most", "上限 {most}"),
    "shed": ("Turned away because it was full", "因繁忙被拒的提交"),
    "erasures": ("Erasures not finished", "未完成的删除"),
    "messages": ("Messages to the application", "发往应用的消息"),
    "messages_pending": ("waiting", "等待发送"),
    "messages_delivered": ("delivered", "已送达"),
    "messages_dead": ("given up", "已放弃"),
    "now": ("Now", "当前"),
    "since_start": ("These numbers are of this process, since it started.", "以下数字为本进程启动以来的统计。"),
    "posts": ("Judged posts", "已判定的提交"),
    "latency": ("How long answers took", "响应时间"),
    "latency_chart": ("Answers, by the longest they took", "响应数（按最长耗时分段）"),
    "latency_says": (
        "Bars, one for each step of time, with how many answers took that long. The table has the numbers.",
        "每个时间段一条，表示耗时在该段内的响应数。数字见下表。",
    ),
    "answers": ("Answers", "响应数"),
    "took": ("Took", "耗时"),
    "up_to": ("up to {seconds} s", "不超过 {seconds} 秒"),
    "longer": ("longer", "更长"),
    "logins": ("Logins of the last two weeks", "最近两周的登录"),
}
