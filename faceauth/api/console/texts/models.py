"""The words of the page about models."""

from typing import Final

from faceauth.api.console.texts import Words

MODELS: Final[Words] = {
    "title": ("Models and operating points", "模型与判定点"),
    "decides": ("What the packs decide by was accepted.", "当前判定参数已获确认。"),
    "waits": (
        (
            "The packs decide by other thresholds than those that were accepted, so every comparison is denied "
            "until a second person approves them: faceauth models thresholds"
        ),
        "判定阈值与已确认的不同，第二人批准之前所有比对均被拒绝：faceauth models thresholds",
    ),
    "moving": ("A change of model", "更换模型的进度"),
    "moving_what": (
        (
            "{before} still compares who was enrolled with it; each login that is sure moves one person to "
            "{now}, under the same consent."
        ),
        "{before} 仍用于比对以其登记的用户；每次确信的登录会在同一同意下将一人迁移到 {now}。",
    ),
    "moved": ("moved", "已迁移"),
    "left": ("left", "未迁移"),
    "few": ("fewer than {minimum}", "少于 {minimum}"),
    "serves_now": ("in use", "使用中"),
    "serves_before": ("only for people of before", "仅用于原有用户"),
    "state_installed": ("installed", "已安装"),
    "state_missing": ("not installed", "未安装"),
    "state_not_installable": ("cannot be installed yet", "暂不可安装"),
    "kind": ("Kind", "类型"),
    "kind_embedder": ("finds and compares faces", "检测与比对人脸"),
    "kind_passive": ("looks for pictures of pictures", "识别翻拍"),
    "licence": ("Licence", "许可"),
    "digest": ("Digest of the pack", "模型包摘要"),
    "model": ("Digest of the model", "模型摘要"),
    "points": ("Operating points", "判定点"),
    "point": ("Point", "判定点"),
    "fmr": ("FMR", "误识率（FMR）"),
    "fmr_told": ("{lower} to {upper} (95 %), n = {n}", "{lower} 至 {upper}（95%），n = {n}"),
    "fnmr": ("FNMR", "拒识率（FNMR）"),
    "fnmr_told": ("{rate} [{low}, {high}], n = {n}", "{rate} [{low}, {high}]，n = {n}"),
    "source": ("Measured on", "测量数据"),
    "points_none": ("Nothing was measured with it, so it decides nothing.", "未经测量，不用于判定。"),
    "enrolled": ("Enrolled with it", "以其登记"),
    "enrolled_none": ("Nobody is enrolled with it.", "无人以其登记。"),
    "scenario": ("Scenario", "用途"),
    "people": ("People", "人数"),
    "references": ("References", "人脸模板数"),
    "others": ("Other packs", "其他模型包"),
    "elsewhere": ("Enrolled with a model that is no pack of this version", "以本版本之外的模型登记"),
}
