"""The sentences that sources ask to be translated, and those that lie bare in templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.utils.translation.template import templatize

Message = tuple[str, str, str]
"""Context, singular, plural; "" for what there is not."""

CALL = re.compile(r"(?<![\w.])(n?p?gettext(?:_lazy|_noop)?|_)\(")
# What has no words of a language: names of the product, of keys, formats and signs.
WORDLESS = re.compile(
    r"Image Gallery|SHA-256|JPEG|Esc|Ctrl|Home|End|Enter|Shift|JavaScript|&\w+;|\b\w\b"
)
SPOKEN = {"alt", "aria-label", "aria-roledescription", "placeholder", "title"}
ATTRIBUTES = re.compile(r"{%\s*block main_attributes.*?endblock\s*%}", re.DOTALL)
BLOCK = re.compile(r"{%\s*blocktrans.*?{%\s*endblocktrans\w*\s*%}", re.DOTALL)
COMMENT = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
GIVEN = re.compile(r"""{%\s*include[^%]*?\s\w+="([A-Z][^"]* [^"]*)\"""")
SCRIPT_CALL = re.compile(r'\bgettext\(\s*("(?:[^"\\]|\\.)*")')
SCRIPT_COUNT = re.compile(r'\bngettext\(\s*("(?:[^"\\]|\\.)*"),\s*("(?:[^"\\]|\\.)*")')


def of_python(text: str) -> Iterator[Message]:
    """All messages of a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from _message(node.func.id, node.args)


def of_template(text: str) -> Iterator[Message]:
    """All messages of a template."""
    source = templatize(text)
    for call in CALL.finditer(source):
        for end in re.finditer(r"\)", source[call.end() :]):
            try:
                parsed = ast.parse(source[call.start(1) : call.end() + end.end()], mode="eval")
            except SyntaxError:
                continue
            assert isinstance(parsed.body, ast.Call)
            yield from _message(call[1], parsed.body.args)
            break


def of_script(text: str) -> Iterator[Message]:
    """All messages of a JavaScript module."""
    for call in SCRIPT_CALL.finditer(text):
        yield "", ast.literal_eval(call[1]), ""
    for call in SCRIPT_COUNT.finditer(text):
        yield "", ast.literal_eval(call[1]), ast.literal_eval(call[2])


def bare_texts(template: Path) -> list[str]:
    """What a template says in one language only."""
    text = ATTRIBUTES.sub("", COMMENT.sub("", template.read_text()))
    given = GIVEN.findall(text)
    reader = _Reader()
    reader.feed(TAG.sub("", BLOCK.sub("", text)))
    reader.close()
    return [each for each in (*given, *reader.texts) if _has_words(each)]


class _Reader(HTMLParser):
    """Collects what people read or hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value or "" for name, value in attrs if name in SPOKEN]


def _has_words(text: str) -> bool:
    return bool(re.search("[A-Za-z]", WORDLESS.sub("", text)))


def _message(name: str, args: list[ast.expr]) -> Iterator[Message]:
    literals = [each.value for each in args if isinstance(each, ast.Constant)]
    texts = [each for each in literals if isinstance(each, str)]
    kind = name.removesuffix("_lazy").removesuffix("_noop")
    match kind, texts:
        case (("gettext" | "_"), [one, *_]):
            yield "", one, ""
        case "ngettext", [one, many, *_]:
            yield "", one, many
        case "pgettext", [context, one, *_]:
            yield context, one, ""
        case "npgettext", [context, one, many, *_]:
            yield context, one, many
