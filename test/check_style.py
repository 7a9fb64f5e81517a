#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the house rules that a program can check: g++'s coroutine traps, lengths, licence lines."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["include", "lib", "samples", "docs", "test", "subprojects"]
SUFFIXES = {".h", ".cc", ".c", ".py", ".in", ".build", ".md"}
OTHERS = ["dev", ".ci/run", ".ci/packages.bash", "meson.build", "README.md", "CHANGELOG.md"]
MAX_LINES = 800

TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/'  # comments
    r'|R"([^\s()\\]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'  # strings
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",  # characters, but not digit separators
    re.DOTALL)
CONDITION = re.compile(r"\b(if|while|switch)\s*(?:constexpr\s*)?\(")
CHECKED = re.compile(r"\b((?:CHECK|REQUIRE|WARN)\w*)\s*\(")
DECLARATION = re.compile(
    r"\s*(?:const\s+)?(?:auto|[A-Za-z_][\w:<>,\s]*)[\s&*]+(?:\w+|\[[\w,\s]+\])\s*=(?!=)")


def blank(text):
    """The text without comments and literals; offsets and lines stay."""
    return TOKENS.sub(lambda token: re.sub(r"[^\n]", " ", token[0]), text)


def parenthesis(code, start):
    """What stands between the parenthesis at `start` and its partner."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return code[start + 1:at]
    return code[start + 1:]


def conditions(code):
    for found in CONDITION.finditer(code):
        inside = parenthesis(code, found.end() - 1)
        for part in re.split(r"[;{}]", inside):  # also steps into lambdas, harmlessly
            if "co_await" in part and not DECLARATION.match(part):
                yield found.start(), f"co_await in a condition of `{found[1]}` declares nothing"
                break
    for found in CHECKED.finditer(code):
        if "co_await" in re.sub(r"\{[^{}]*\}", "", parenthesis(code, found.end() - 1)):
            yield found.start(), f"co_await inside {found[1]}: name the result first"


def in_ternary(statement):
    """Whether a co_await is the condition or a branch of a ?: in this statement."""
    depth, awaits, questions = 0, [], []
    for token in re.finditer(r"co_await\b|[()?,]", statement):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth -= 1
        elif token[0] == "co_await":
            if any(depth >= level for level in questions):
                return True
            awaits.append(depth)
            continue
        elif token[0] == "?":
            if depth in awaits:
                return True
            questions.append(depth)
            continue
        # A closed parenthesis, or a comma, ends the expressions that stood inside it.
        limit = depth if token[0] == ")" else depth - 1 if token[0] == "," else None
        if limit is not None:
            awaits = [level for level in awaits if level <= limit]
            questions = [level for level in questions if level <= limit]
    return False


def ternaries(code):
    start = 0
    for statement in re.split(r"([;{}])", code):
        if "?" in statement and "co_await" in statement and in_ternary(statement):
            yield start + statement.index("co_await"), "co_await in a ?: expression"
        start += len(statement)


# What the checks of coroutines must find, and what they must not.
BAD = [
    "if (co_await yes()) f();",
    "while (!co_await done()) f();",
    "switch (co_await number()) {}",
    "CHECK(co_await one() == 1);",
    "int n = a ? co_await one() : 2;",
    "int n = co_await one() ? 1 : 2;",
]
GOOD = [
    "if (auto x = co_await yes()) f();",
    "while (auto* x = co_await next()) f();",
    "int n = co_await one(a ? 1 : 2);",
    "if (a) co_await f();",
    "// if (co_await yes()) f();",
]


def self_test():
    for text, expected in [*((t, True) for t in BAD), *((t, False) for t in GOOD)]:
        code = blank(f"task<> t() {{\n{text}\n}}\n")
        if bool([*conditions(code), *ternaries(code)]) != expected:
            yield f"check_style.py: {'misses' if expected else 'takes for wrong'}: {text}"


def check(path):
    text = path.read_text()
    lines = text.split("\n")
    prose = path.suffix == ".md"
    if not prose and not any("SPDX-License-Identifier: MIT" in line for line in lines[:2]):
        yield 1, "no SPDX line on top"
    if not prose and len(lines) > MAX_LINES:
        yield MAX_LINES, f"more than {MAX_LINES} lines"
    for number, line in enumerate(lines, 1):
        if re.match(r"(<{7}|>{7}) ", line):
            yield number, "what a merge left"
        if "coro_only_destroy_when" in line and path.name != "check_style.py":
            yield number, "coro_only_destroy_when_complete: cancelled frames are destroyed suspended"
        if re.search(r"\b(TODO|FIXME|XXX)\b", line) and path.name != "check_style.py":
            yield number, "unfinished work belongs in an issue, not in a comment"
    if path.suffix in (".h", ".cc"):
        code = blank(text)
        for offset, problem in [*conditions(code), *ternaries(code)]:
            yield code.count("\n", 0, offset) + 1, problem
        if path.suffix == ".h" and "#pragma once" not in lines[:4]:
            yield 1, "no #pragma once on top"


def main():
    paths = [ROOT / name for name in OTHERS]
    for folder in FOLDERS:
        paths += sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    failed = False
    for problem in self_test():
        print(problem)
        failed = True
    for path in paths:
        for line, problem in check(path):
            print(f"{path.relative_to(ROOT)}:{line}: {problem}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
