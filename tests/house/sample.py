#!/usr/bin/env python3
"""Prints ten functions and ten comments of each crate, picked with a fixed seed, for a person to read.

A reader who has to read one of them twice has found a sentence or a name to rewrite.
Usage: tests/house/sample.py [SEED]
"""

import pathlib
import random
import re
import sys

PICKED = 10
ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTION = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?fn \w+")
COMMENT = re.compile(r"^\s*(//[/!]?)(?!/) ?(.*)")


def product_files(crate: pathlib.Path) -> list[pathlib.Path]:
    """Lists the sources of a crate, those of its tests aside."""
    files = sorted((crate / "src").rglob("*.rs"))
    return [file for file in files if "tests" not in file.parts and file.name != "tests.rs"]


def read_file(file: pathlib.Path) -> tuple[list[str], list[str]]:
    """Returns the functions, each with its doc comment, and the comments of a file."""
    text = file.read_text().split("#[cfg(test)]\nmod tests {")[0]
    name = file.relative_to(ROOT)
    functions, comments, comment, start = [], [], [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if found := COMMENT.match(line):
            start = start if comment else number
            comment.append(found[2])
            continue
        is_attribute = line.strip().startswith("#[")
        if FUNCTION.match(line):
            doc = f"  // {' '.join(comment)}" if comment else ""
            functions.append(f"{name}:{number}: {line.strip().rstrip('{').strip()}{doc}")
        if comment and not is_attribute:
            comments.append(f"{name}:{start}: {' '.join(comment)}")
            comment = []
    return functions, comments


def main() -> None:
    seed = sys.argv[1] if len(sys.argv) > 1 else "1"
    for crate in sorted(ROOT.glob("crates/*")):
        functions, comments = [], []
        for file in product_files(crate):
            of_file = read_file(file)
            functions += of_file[0]
            comments += of_file[1]
        print(f"== {crate.name}: functions")
        chosen = random.Random(f"{seed} {crate.name}")
        print("\n".join(chosen.sample(functions, min(PICKED, len(functions)))))
        print(f"== {crate.name}: comments")
        print("\n".join(chosen.sample(comments, min(PICKED, len(comments)))))


main()
