#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the compiler explains each mistake in mistakes.cc: check.py FILE COMPILER [FLAG...]"""

import pathlib
import re
import subprocess
import sys

source, compiler = sys.argv[1], sys.argv[2:]
wanted = re.findall(r"^// says: (.+)$", pathlib.Path(source).read_text(), re.MULTILINE)
run = subprocess.run(
    [*compiler, "-std=c++20", "-Wall", "-Wextra", "-fsyntax-only", source],
    capture_output=True, text=True)
said = run.stderr
missing = [text for text in wanted if not re.search(text, said)]
for text in missing:
    print(f"not said: {text}")
if missing or run.returncode != 1:
    print(said, f"exit code {run.returncode}", sep="\n")
    sys.exit(1)
print(f"{len(wanted)} mistakes are explained")
