"""The words of the page about the audit log."""

from typing import Final

from faceauth.api.console.texts import Words

AUDIT: Final[Words] = {
    "title": ("Audit log", "审计日志"),
    "intro": (
        "Every record fits the one before it. People are pseudonyms: the same person has the same one.",
        "每条记录都与前一条相连。人员以假名显示：同一人的假名相同。",
    ),
    "event": ("Event", "事件"),
    "every_event": ("every event", "全部事件"),
    "day": ("Day (UTC)", "日期（UTC）"),
    "show": ("Show", "显示"),
    "records": ("Records, the newest first", "记录（最新在前）"),
    "number": ("Number", "编号"),
    "at": ("When", "时间"),
    "who": ("By", "操作者"),
    "subject": ("About", "涉及"),
    "details": ("Details", "详情"),
    "older": ("Older records", "更早的记录"),
    "nothing": ("No record of this kind.", "没有此类记录。"),
    "check": ("Is it whole?", "完整性校验"),
    "check_what": (
        (
            "Walks through every record and holds each against the one before it, the tree and the checkpoints. "
            "It goes on when you leave this page."
        ),
        "逐条检查所有记录，并与前一条记录、哈希树及检查点核对。离开本页后仍会继续。",
    ),
    "check_go": ("Verify the log", "校验日志"),
    "kept": ("A checkpoint that was kept elsewhere", "保存在别处的检查点"),
    "kept_hint": (
        "Not needed, but only this tells a log that was written anew as a whole.",
        "可不填；但只有它能发现整个日志被重写。",
    ),
    "check_never": ("Not verified since the service started.", "服务启动后尚未校验。"),
    "check_running": ("Verifying: {done} of {of} records.", "正在校验：{done} / {of} 条。"),
    "check_intact": ("Whole: {done} records, each fits the one before it.", "完整：共 {done} 条记录，逐条相连。"),
    "check_broken": (
        (
            "Record {first_bad} was altered, moved or removed. Keep a copy of the database as it is, and compare "
            "it with a backup."
        ),
        "第 {first_bad} 条记录被篡改、移动或删除。请保留数据库现状的副本，并与备份比较。",
    ),
    "check_rewritten": (
        (
            "The log is not the one that was signed when it had {checkpoint} records: record {first_bad} or a "
            "later one was altered or removed, and those after it written anew."
        ),
        (
            "日志与其有 {checkpoint} 条记录时的签名不符：第 {first_bad} 条或其后的记录被篡改或删除，之后的记录系"
            "重写。"
        ),
    ),
    "check_failed": (
        "The walk did not come to its end ({code}); nothing is known. Verify again.",
        "校验未能完成（{code}），结果未知。请重新校验。",
    ),
    "checkpoint": ("Checkpoint", "检查点"),
    "checkpoint_what": (
        (
            "A signature over everything that is in the log now. Keep it where nobody who runs this service can "
            "change it."
        ),
        "对当前全部日志内容的签名。请保存在本服务运营者无法更改的地方。",
    ),
    "checkpoint_go": ("Sign a checkpoint", "签署检查点"),
    "checkpoint_of": ("Signed: {size} records", "已签署：{size} 条记录"),
    "verifier": ("What checks it", "校验公钥"),
}
