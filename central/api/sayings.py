"""What a problem document says in Chinese: one title a status, and one sentence that tells what to do.

English is what the error itself says, exactly; a program reads that. The rule that must not be broken: a reader gets
one language, so the English sentence stands in a member of its own when Chinese was asked for.
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from starlette.datastructures import Headers

LANGUAGES_READ_MAX = 10


class Language(StrEnum):
    """Languages a problem is told in."""

    EN = "en"
    ZH = "zh"


IN_CHINESE: Mapping[int, tuple[str, str]] = {
    400: ("请求无法读取", "请求的格式不对，请按接口说明改正后重发。"),
    401: ("尚未登录", "请先登录，或使用仍然有效的令牌。"),
    403: ("没有权限", "您没有这项权限，请联系账号管理员。"),
    404: ("找不到", "没有这个对象，或它不在您可以查看的库房内，请核对编号。"),
    405: ("方法不允许", "这个地址不接受该方法，Allow 响应头列出了可用的方法。"),
    406: ("格式不支持", "请求的响应格式不支持，请改用 application/json。"),
    409: ("状态不允许", "它现在的状态不允许这样做，请刷新后再看。"),
    412: ("已被更改", "在您查看之后它已被他人更改，请重新读取后再决定。"),
    413: ("内容过大", "提交的内容太大，请减小后重发。"),
    415: ("内容类型不支持", "请以 application/json 提交。"),
    421: (
        "服务器名称不符",
        "本服务器不使用这个名称，请用正确的地址访问，或由管理员在 central.toml 的 [http] names 中加入该名称。",
    ),
    422: ("内容有误", "提交的内容与要求不符，english 一项逐条说明了哪里不对，请改正后重发。"),
    429: ("请求过多", "请求太频繁，请等待 Retry-After 所示的秒数后再试。"),
    500: ("服务器出错", "服务器自身出错，日志中有详细记录，请联系管理员。"),
    503: ("暂不可用", "服务暂时不可用，请稍后再试。"),
}
"""By status: its title, and what to do."""

OTHERWISE = ("出错", "请求没有完成，english 一项说明了原因。")


def told(status: int, detail: str, language: Language) -> tuple[str, str]:
    """Return title and detail of a problem in a language."""
    if language is Language.ZH:
        return IN_CHINESE.get(status, OTHERWISE)
    return HTTPStatus(status).phrase, detail


def language_of(headers: Headers) -> Language:
    """Return the language asked for by Accept-Language (RFC 9110 section 12.5.4); English where none of ours is."""
    found: dict[Language, float] = {}
    for part in headers.get("accept-language", "").split(",")[:LANGUAGES_READ_MAX]:
        name, _, weight = part.strip().lower().partition(";q=")
        short = name.partition("-")[0]
        if short in set(Language):
            found.setdefault(Language(short), _weight(weight))
    best = max(found, key=lambda one: found[one], default=Language.EN)
    return best if found.get(best, 1.0) > 0 else Language.EN


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
