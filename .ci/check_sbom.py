#!/usr/bin/env python3
"""Checks that a CycloneDX bill of materials names every crate of the workspace and every crate that they are built from."""

import json
import subprocess
import sys


def main(path):
    with open(path, encoding="utf-8") as file:
        bill = json.load(file)
    if bill.get("bomFormat") != "CycloneDX":
        sys.exit(f"{path} is no CycloneDX document")
    listed = bill["components"] + bill["metadata"]["component"]["components"]
    listed = {(component["name"], component["version"]) for component in listed}

    metadata = subprocess.run(["cargo", "metadata", "--locked", "--format-version", "1"], check=True, stdout=subprocess.PIPE)
    metadata = json.loads(metadata.stdout)
    packages = {package["id"]: (package["name"], package["version"]) for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}

    # Crates that only tests or build scripts use are in no program, and so in no bill.
    built, waiting = set(), list(metadata["workspace_members"])
    while waiting:
        package = waiting.pop()
        if package not in built:
            built.add(package)
            dependencies = nodes[package]["deps"]
            waiting += [each["pkg"] for each in dependencies if any(kind["kind"] is None for kind in each["dep_kinds"])]
    missing = sorted(packages[package] for package in built if packages[package] not in listed)
    if missing:
        sys.exit(f"{path} lacks " + ", ".join(" ".join(package) for package in missing))
    print(f"{path} lists {len(metadata['workspace_members'])} crates of the workspace and {len(listed)} in all")


main(sys.argv[1])
