"""The words around every page."""

from typing import Final

from faceauth.api.console.texts import Words

SHELL: Final[Words] = {
    "console": ("faceauth console", "faceauth 管理控制台"),
    "menu": ("Pages", "页面"),
    "skip": ("Skip to the content", "跳到正文"),
    "sign_out": ("Sign out", "退出登录"),
    "switch": ("中文", "English"),
    "signed_in_as": ("Signed in as", "当前身份"),
    "sorry": ("That did not work", "操作未成功"),
    "back_home": ("To the first page", "返回首页"),
    "none": ("None.", "无。"),
    "utc": ("All times are UTC.", "所有时间均为 UTC。"),
    "not_sure": ("Tick the box to say that you are sure.", "请勾选以确认。"),
    "more": ("More", "更多"),
    "role_operator": ("operator", "运维人员"),
    "role_privacy": ("privacy officer", "隐私专员"),
    "role_auditor": ("auditor", "审计员"),
    "menu_home": ("Home", "首页"),
    "menu_scenarios": ("Scenarios and notices", "用途与告知"),
    "menu_campaigns": ("Campaigns", "重新征求同意"),
    "menu_approvals": ("Approvals", "双人审批"),
    "menu_incidents": ("Incidents", "安全事件"),
    "menu_accounts": ("Accounts", "账户"),
    "menu_attempts": ("Lockouts", "锁定"),
    "menu_models": ("Models", "模型"),
    "menu_keys": ("Keys", "密钥"),
    "menu_audit": ("Audit log", "审计日志"),
    "menu_statistics": ("Statistics", "使用统计"),
    "menu_health": ("Health", "运行状况"),
    "status_403": ("This is not for your role", "您的角色无权访问"),
    "status_404": ("There is nothing here", "此处没有内容"),
}

SIGN_IN: Final[Words] = {
    "title": ("Sign in to the console", "登录管理控制台"),
    "intro": (
        "With an API key of the role operator, privacy or auditor. It is checked, and kept in no page or browser.",
        "使用角色为 operator、privacy 或 auditor 的 API 密钥登录。密钥仅用于核验，页面和浏览器均不保存。",
    ),
    "key": ("API key", "API 密钥"),
    "go": ("Sign in", "登录"),
    "ends": (
        "You are signed out after {idle} minutes without doing anything, and after {longest} hours.",
        "{idle} 分钟无操作或登录满 {longest} 小时后将自动退出。",
    ),
    "or": ("Or", "或者"),
    "provider": ("Sign in with your organisation", "使用组织账户登录"),
    "openid_failed": (
        "Signing in with your organisation did not work. Begin again; the service's log says why.",
        "组织账户登录未成功，请重试。原因见服务日志。",
    ),
    "openid_no_role": (
        "You are signed in with your organisation, but have no role here. Ask whoever runs the service.",
        "您已通过组织账户登录，但在此没有任何角色。请联系服务运营者。",
    ),
    "back": ("You are signed in", "登录成功"),
    "go_on": ("Go on", "继续"),
    "done_out": ("You are signed out.", "您已退出登录。"),
    "not_authenticated": ("This key is not valid.", "该密钥无效。"),
    "not_allowed": (
        "This is an application's key. The console takes an administrator's.",
        "这是应用的密钥。控制台只接受管理员的密钥。",
    ),
    "locked": (
        "Too many sign-ins failed from this network. Wait a quarter of an hour.",
        "该网络登录失败次数过多，请一刻钟后再试。",
    ),
    "invalid_request": ("The form was not understood.", "无法识别提交的表单。"),
}
