"""The words of the pages about scenarios, notices and drafts."""

from typing import Final

from faceauth.api.console.texts import Words

COMMON: Final[Words] = {
    "scenario": ("Scenario", "用途"),
    "version": ("Version", "版本"),
    "state": ("State", "状态"),
    "languages": ("Languages", "语言"),
    "since": ("In force from", "生效时间"),
    "kind": ("Kind", "性质"),
    "state_scheduled": ("scheduled", "待生效"),
    "state_active": ("in force", "生效中"),
    "state_superseded": ("superseded", "已被取代"),
    "state_retired": ("retired", "已停用"),
    "material": ("material: asks again", "重大变更：重新征求同意"),
    "editorial": ("editorial", "文字修订"),
    "controller": ("Controller", "数据控制者"),
    "recipients": ("Recipients", "接收方"),
    "purpose": ("Purpose", "目的"),
    "method": ("Method", "处理方式"),
    "retention_days": ("Kept, in days", "保存天数"),
    "storage_place": ("Kept where", "存储地点"),
    "unrecorded": ("what it promised before was not written down", "先前的承诺未作记录"),
    "mode": ("Mode", "模式"),
    "mode_verify": ("verify: is it this person?", "核验：是否本人"),
    "mode_identify": ("identify: who is it?", "辨认：是何人"),
    "level": ("Liveness level", "活体检测级别"),
    "flash_choice": ("May answer without flashing colours", "可不使用闪光作答"),
    "device_key": ("Device key", "设备密钥"),
    "device_required": ("required", "必需"),
    "device_preferred": ("used if there is one", "有则使用"),
    "device_none": ("not used", "不使用"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
}

LIST: Final[Words] = {
    **COMMON,
    "title": ("Scenarios and notices", "用途与告知"),
    "notice": ("Notice", "告知"),
    "no_notice": ("none in force", "无生效版本"),
    "drafts": ("Drafts", "草稿"),
    "drafts_none": ("There is no draft.", "没有草稿。"),
    "draft": ("Draft", "草稿"),
    "draft_scenario": ("new scenario", "新用途"),
    "draft_notice": ("next notice", "新版告知"),
    "changed": ("Changed", "修改时间"),
    "by": ("By", "作者"),
    "new": ("Draft a new scenario", "起草新用途"),
    "done_deleted": ("The draft is gone.", "草稿已删除。"),
}

ONE: Final[Words] = {
    **COMMON,
    "title": ("Scenario", "用途"),
    "versions": ("Notices", "告知版本"),
    "read": ("Read", "查看"),
    "compare": ("Compare two versions", "比较两个版本"),
    "older": ("From version", "旧版本"),
    "newer": ("To version", "新版本"),
    "go": ("Compare", "比较"),
    "write": ("Draft the next notice", "起草新版告知"),
    "settings": ("Settings that ask nobody again", "无需重新征求同意的设置"),
    "save": ("Save", "保存"),
    "retire": ("Retire this scenario", "停用此用途"),
    "retire_what": (
        (
            "It allows nothing from then on, and the faces kept for it are erased. Where they are those of many, "
            "a second person has to approve it; then do the same again."
        ),
        "停用后不可恢复，不再允许任何使用，为其保存的人脸将被删除。涉及多人时须由第二人审批，批准后再次执行。",
    ),
    "retire_sure": ("I want this scenario closed for good.", "我确认永久停用此用途。"),
    "retire_go": ("Retire", "停用"),
    "done_saved": ("Saved.", "已保存。"),
    "done_published": ("Published.", "已发布。"),
    "done_retired": ("The scenario is retired.", "用途已停用。"),
}

NOTICE: Final[Words] = {
    **COMMON,
    "title": ("Notice", "告知"),
    "text": ("Text", "正文"),
    "sha256": ("SHA-256 of the exact text", "原文的 SHA-256"),
    "promises": ("What it promises", "承诺内容"),
}

COMPARE: Final[Words] = {
    **COMMON,
    "title": ("Versions compared", "版本比较"),
    "same": ("Nothing changed in what is promised.", "承诺内容无变化。"),
    "promises": ("What is promised otherwise", "承诺内容的变化"),
    "what": ("What", "项目"),
    "before": ("Before", "之前"),
    "after": ("After", "之后"),
    "text": ("Text", "正文"),
    "text_same": ("The text is the same.", "正文相同。"),
    "gone": ("removed", "删除"),
    "new": ("added", "新增"),
}

DRAFT: Final[Words] = {
    **COMMON,
    "title": ("Draft", "草稿"),
    "kind_scenario": ("A new scenario; nobody has agreed to it yet.", "新用途；尚无人同意。"),
    "kind_notice": ("The next notice of an existing scenario.", "现有用途的新版告知。"),
    "name": ("Name, in lower-case letters", "名称（小写字母）"),
    "title_en": ("Purpose in English", "目的（英文）"),
    "title_zh": ("Purpose in Chinese", "目的（中文）"),
    "recipients_hint": ("One on each line.", "每行一个。"),
    "stays": ("Left empty, it stays as the version before has it.", "留空则与上一版本相同。"),
    "effective_at": ("In force from (UTC)", "生效时间（UTC）"),
    "at_once": ("Left empty: when it is published.", "留空：发布时生效。"),
    "material_box": ("Material: everybody is asked again", "重大变更：重新征求所有人同意"),
    "material_rule": (
        "A change of controller, recipients, purpose, method, retention or storage place is material by rule.",
        "控制者、接收方、目的、方式、保存期限或存储地点的变化一律视为重大变更。",
    ),
    "stream_only": ("Over the stream only", "仅限视频流"),
    "text_in": ("Text in {locale}", "正文（{locale}）"),
    "other_locale": ("Another language (tag)", "其他语言（标签）"),
    "other_text": ("Its text", "该语言正文"),
    "save": ("Save the draft", "保存草稿"),
    "against": ("What it changes", "将产生的变化"),
    "publish": ("Publish", "发布"),
    "publish_what": (
        "It cannot be changed or taken back once it is published. Save what you typed first.",
        "发布后不可更改或撤回。请先保存已输入的内容。",
    ),
    "publish_sure": ("I have read it, and it shall be published.", "我已阅读并确认发布。"),
    "delete": ("Throw away", "丢弃"),
    "text_same": ("The text is the same.", "正文相同。"),
    "gone": ("removed", "删除"),
    "new": ("added", "新增"),
    "done_saved": ("Saved. Nobody is shown it yet.", "已保存。尚未向任何人展示。"),
}
