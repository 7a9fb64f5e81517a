#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that no closure which captures by value, and no list in braces, is an argument in a co_await expression.

g++ 12 destroys such temporaries twice: the closure gets a name of its own first, or `(fn, args...)` is passed. It
looks at the text only, so it knows no types: a captured pointer would do no harm, but is named all the same.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
from check_style import blank  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["include", "lib", "samples", "docs", "test"]

AWAIT = re.compile(r"\bco_(?:await|yield)\b")
PARTNERS = {")": "(", "]": "[", "}": "{"}
# What may stand between a lambda's introducer, or a function's parameters, and the body.
BEFORE_BODY = re.compile(
    r"(?:\)|\])\s*(?:(?:const|mutable|noexcept|override|final|try)\b\s*)*(?:->[^;{}]*)?$"
    r"|\b(?:else|do|try|namespace(?:\s+[\w:]+)*)\s*$")
KEYWORD = re.compile(r"\b(?:return|co_return|co_await|co_yield|case|else)\s*$")
WORD_OR_CLOSED = re.compile(r"[\w)\]]\s*$")
BINDING = re.compile(r"\bauto\s*&{0,2}\s*$")
HEADER = re.compile(r"\b(?:if|while|for|switch|catch)\s*(?:constexpr\s*)?$")


def partners(code):
    """{position of a bracket: position of its partner}, both ways."""
    found, open_ones = {}, []
    for at, char in enumerate(code):
        if char in "([{":
            open_ones.append(at)
        elif char in PARTNERS and open_ones and code[open_ones[-1]] == PARTNERS[char]:
            begin = open_ones.pop()
            found[begin], found[at] = at, begin
    return found


def is_body(code, brace):
    """Whether `{` begins statements, and no list of initializers."""
    return bool(BEFORE_BODY.search(code, max(0, brace - 300), brace)) or not code[:brace].strip()


def begin_of(code, at, pairs):
    """Where the full-expression around `at` begins."""
    while at > 0:
        at -= 1
        char = code[at]
        if char == ";" or (char == "{" and is_body(code, at)):
            return at + 1
        if char == "(" and HEADER.search(code, max(0, at - 30), at):
            return at + 1
        if char == "}" and not re.match(r"\s*[,).(\]]", code[at + 1:at + 80]):
            return at + 1  # of the statement before
        if char in PARTNERS and at in pairs:
            if char == ")" and HEADER.search(code, max(0, pairs[at] - 30), pairs[at]):
                return at + 1  # of the condition before
            at = pairs[at]
    return 0


def end_of(code, at, pairs):
    while at < len(code):
        char = code[at]
        if char == ";" or char == "}":
            return at
        if char == ")" and HEADER.search(code, max(0, pairs.get(at, at) - 30), pairs.get(at, at)):
            return at
        if char in "([{" and at in pairs:
            at = pairs[at]
        at += 1
    return len(code)


def own_text(code, begin, end, pairs):
    """The text of an expression without the bodies of the lambdas in it, which run on their own."""
    text, at = [], begin
    while at < end:
        if code[at] == "{" and at in pairs and is_body(code, at):
            text.append("{}")
            at = pairs[at] + 1
        else:
            text.append(code[at])
            at += 1
    return "".join(text)


def split_captures(text):
    depth, item = 0, ""
    for char in text:
        depth += (char in "([{<") - (char in ")]}>")
        if char == "," and depth == 0:
            yield item.strip()
            item = ""
        else:
            item += char
    yield item.strip()


def copies(captures):
    return any(c and c != "this" and not c.startswith("&") for c in split_captures(captures))


def closures(code, pairs):
    """Where lambdas begin that capture by value."""
    for found in re.finditer(r"\[", code):
        at = found.start()
        before = code[max(0, at - 40):at]
        if at not in pairs or BINDING.search(before) or code[at:at + 2] == "[[" or before.endswith("["):
            continue
        if WORD_OR_CLOSED.search(before) and not KEYWORD.search(before):
            continue  # a subscript
        if re.match(r"\s*[({<]", code[pairs[at] + 1:]) and copies(code[at + 1:pairs[at]]):
            yield at


def lists(code, pairs):
    """Where a list in braces, of some length, is an argument by itself."""
    for found in re.finditer(r"[(,]\s*(\{)(?!\s*\})", code):
        if found.start(1) in pairs and not is_body(code, found.start(1)):
            yield found.start(1)


def problems(text):
    code = blank(text)
    if not AWAIT.search(code):
        return
    pairs = partners(code)
    for find, what in ((closures, "a closure that captures by value"), (lists, "a list in braces")):
        for at in find(code, pairs):
            begin, end = begin_of(code, at, pairs), end_of(code, at, pairs)
            if AWAIT.search(own_text(code, begin, end, pairs)):
                yield code.count("\n", 0, at) + 1, f"{what} inside a co_await: name it first"


# What the check must find, and what it must not.
BAD = [
    "co_await f([x] { return x; });",
    "co_await f(1, [=](int i) mutable -> task<> { co_await g(i); });",
    "auto a = co_await f([x = std::move(y)]() -> task<> { co_return; }());",
    "co_return co_await f(g([&a, b] {}));",
    "if (auto x = co_await f([*this] {})) g();",
    "co_await gather(f([&] { h(); }), f([p] { h(); }));",
    "auto l = [&]() -> task<> { co_await f([n] { return n; }); };",
    "for (auto& x : co_await all([s] { return s; })) g(x);",
    "if (a) { g(); }\nco_await f([x]() noexcept { return x; });",
    "co_await f({1, 2});",
    "auto x = co_await f(1, {\"a\", \"b\"});",
    "co_yield f([x] { return x; });",
]
GOOD = [
    "co_await f([&] { return x; });",
    "co_await f([&x, this](int i) { return x; });",
    "auto named = [x] { return x; };\nco_await f(named);",
    "auto body = [x]() -> task<> { co_await g(); };",
    "g.spawn([x]() -> task<> { co_await h(x); });",
    "co_await f([&]() -> task<> { auto l = [x] { return x; }; co_await g(l); });",
    "auto [a, b] = co_await f();",
    "for (auto& [a, b] : all) co_await f(a[i], b[j]);",
    "co_await f(options{}.limit(3));",
    "// co_await f([x] {});\nint a;",
    "if (auto x = co_await f()) g([x] {});",
    "co_await f(); g({1, 2}, [x] {});",
    "co_await f({}, 1);",
]


def self_test():
    for text, expected in [*((t, True) for t in BAD), *((t, False) for t in GOOD)]:
        inside = f"task<> t() {{\n{text}\n}}\n"
        if bool(list(problems(inside))) != expected:
            yield f"check_closures.py: {'misses' if expected else 'takes for wrong'}: {text}"


def main():
    found = list(self_test())
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            for line, problem in problems(path.read_text()):
                found.append(f"{path.relative_to(ROOT)}:{line}: {problem}")
    print("".join(line + "\n" for line in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
