#!/usr/bin/env python3
"""Extracts facts from Pipedrive's own API documents into api.json, promised.json and typed.json beside this file, and the costs
that a raw request needs into the connector.

    python3 spec/pipedrive/extract.py FOLDER [--check]

FOLDER holds openapi-v1.json, openapi-v2.json, actions.json, out_of_support_v1.json and typed-operations.txt. Names, types, scopes and costs
are taken; prose is not, only facts that are read in it. --check writes nothing and fails where a file is stale.
"""
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COSTS = "../../crates/pipedrive-connector/src/by_hand/operations.tsv"
# The forms of a text that the documents give in prose alone: in a body, such a field gets this format.
FORMS = (("6-character HEX", "hex"),)
METHODS = ("get", "post", "put", "patch", "delete")
KEPT = ("type", "enum", "nullable", "format", "minimum", "maximum", "minItems", "maxItems", "maxLength", "minLength", "pattern")


def facts(schema):
    """A schema without its prose, `allOf` merged."""
    out = {key: schema[key] for key in KEPT if schema.get(key) not in (None, False)}
    if not isinstance(out.get("type", ""), str):
        del out["type"]
    for part in schema.get("allOf", []):
        part = facts(part)
        for key, value in part.items():
            if key == "properties":
                out.setdefault("properties", {}).update(value)
            elif key == "required":
                out["required"] = sorted({*out.get("required", []), *value})
            else:
                out.setdefault(key, value)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            out.setdefault("oneOf", [facts(part) for part in schema[key]])
    if isinstance(schema.get("properties"), dict) and schema["properties"]:
        out.setdefault("properties", {}).update({n: facts(p) for n, p in schema["properties"].items()})
        out.setdefault("type", "object")
    if isinstance(schema.get("required"), list) and schema["required"]:
        out["required"] = sorted({*out.get("required", []), *schema["required"]})
    if "items" in schema:
        out["items"] = facts(schema["items"])
    if schema.get("additionalProperties"):
        out["open"] = True
    return out


def forms(schema):
    """The formats that the prose of a body gives to its fields."""
    described = {name: field.get("description") or "" for name, field in schema.get("properties", {}).items()}
    return {name: form for name, text in described.items() for words, form in FORMS if words in text}


def parameter(p):
    out = {"name": p["name"], **facts(p["schema"])}
    if "default" in p["schema"]:
        out["default"] = p["schema"]["default"]
    if p.get("required"):
        out["required"] = True
    text = (p.get("description") or "").lower()
    if out.get("type") == "string" and "comma" in text and "separated" in text:
        out["list"] = True
    if "filter_id is provided, this is ignored" in text or "not be considered if you use `filter_id`" in text:
        out["overridden_by"] = "filter_id"
    return out


def operation(version, method, path, doc, gone, nullable, required, enums, stamps):
    out = {"method": method.upper(), "path": f"/api/{version}{path}", "id": doc["operationId"], "tag": doc["tags"][0]}
    out["status"] = "deprecated" if doc.get("deprecated") else "out-of-support" if gone else "current"
    out["scopes"] = sorted({s for e in doc.get("security", []) for s in e.get("oauth2", [])})
    out["cost"] = doc.get("x-token-cost")
    for place, member in (("path", "path_params"), ("query", "query")):
        found = [parameter(p) for p in doc.get("parameters", []) if p["in"] == place]
        for p in found:
            if p["name"] in required:
                p["required"] = True
        if found:
            out[member] = found
    for media, content in (doc.get("requestBody") or {}).get("content", {}).items():
        body = facts(content.get("schema", {}))
        prose = forms(content.get("schema", {}))
        for name, field in body.get("properties", {}).items():
            if name in prose:
                field["format"] = prose[name]
            if name in nullable:
                field["nullable"] = True
            if name in enums and "$type" not in field and field.get("type") != "array":
                field.setdefault("enum", enums[name])
            if name in stamps:
                field["format"] = "utc"
        out["body"] = {"media": media, **body}
    answers = {}
    for status, answer in doc["responses"].items():
        for media, content in (answer.get("content") or {}).items():
            if status.startswith("2"):
                answers[status] = facts(content.get("schema", {})) if "json" in media else {"media": media}
            else:
                answers.setdefault(status, {})
        if status.startswith("2"):
            answers.setdefault(status, {})
    out["answers"] = answers
    return out


def interned(operations):
    """Shapes that stand more than once become named types, so that each is written once."""
    seen, names = {}, {}

    def count(shape):
        if isinstance(shape, dict):
            if "properties" in shape:
                key = json.dumps(shape, sort_keys=True)
                seen[key] = seen.get(key, 0) + 1
                if seen[key] > 1:
                    return
            for value in shape.values():
                count(value)
        elif isinstance(shape, list):
            for value in shape:
                count(value)

    def named(shape, hint):
        if isinstance(shape, list):
            return [named(value, hint) for value in shape]
        if not isinstance(shape, dict):
            return shape
        key = json.dumps(shape, sort_keys=True)
        if "properties" in shape and seen.get(key, 0) > 1 and len(key) > 160:
            if key not in names:
                base, number = hint, 1
                while f"{base}{number}" in types:
                    number += 1
                names[key] = f"{base}{number}"
                types[names[key]] = None
                types[names[key]] = inner(shape, hint)
            return {"$type": names[key]}
        return inner(shape, hint)

    def inner(shape, hint):
        return {k: named(v, hint) for k, v in shape.items()}

    types = {}
    for op in operations:
        count(op.get("body"))
        count(op["answers"])
    for op in operations:
        hint = op["tag"] + "."
        if "body" in op:
            op["body"] = inner(op["body"], hint)
        op["answers"] = inner(op["answers"], hint)
    return types


def instead(row, operations):
    """What replaced a retired operation. The list leaves the record's id out of one."""
    there = {f"{o['method']} {o['path']}" for o in operations}
    named = row["v2"]
    return f"{named}/{{id}}" if named and named.split("?")[0] not in there and f"{named}/{{id}}" in there else named


# The keys of typed operations whose label is not that of an action.
TYPED_KEYS = {"List Persons": "getPersons", "List Deals": "getDeals", "List Notes": "getNotes", "List Pipelines": "getPipelines",
              "List Stages": "getStages", "Create Deal": "addDeal", "Create Note": "addNote"}


def typed(text):
    """The typed operations: inputs, members of the answer at their paths, and the example's input. Prose is not taken."""
    found = []
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if not line.startswith("Operation Type:"):
            continue
        label = next(above for above in reversed(lines[:at]) if above.strip() and len(above) < 40 and not above.endswith("."))
        end = next((below for below in range(at + 1, len(lines)) if lines[below].startswith("Operation Type:")), len(lines))
        part = lines[at:end]
        key = TYPED_KEYS.get(label) or label[0].lower() + label.title().replace(" ", "")[1:]
        row = {"key": key, "inputs": [], "returns": []}
        into, parents = None, []
        for line in part:
            if line.startswith(("Parameters:", "Returns:", "Example Usage:")):
                into = {"P": "inputs", "R": "returns", "E": None}[line[0]]
            bullet = re.match(r"( *)• (\w+) (.+?)(?: \((required|nullable)\))?: ", line)
            if not (into and bullet):
                continue
            indent, name, kind, mark = bullet.groups()
            depth = len(indent) // 2 - 1
            parents[depth:] = [name + ("[]" if kind.startswith("array") else "")]
            path = ".".join(parents)
            kind = "array" if kind.startswith("array") else kind
            fact = {"name": name} if into == "inputs" else {"path": path}
            row[into].append(fact | {"type": kind} | ({mark: True} if mark else {}))
        example = "\n".join(part).split("Example Usage:", 1)[1]
        row["example"] = json.JSONDecoder().raw_decode(example[example.index("{"):])[0]
        found.append(row)
    return found


def lines(name, value, last=False):
    """One entry a line: short diffs, and still readable."""
    dump = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, dict):
        body = ",\n".join(f"  {dump(k)}:{dump(v)}" for k, v in value.items())
        return f'{dump(name)}:{{\n{body}\n }}'
    body = ",\n".join("  " + dump(v) for v in value)
    return f"{dump(name)}:[\n{body}\n ]"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    read = lambda name: json.loads((source / name).read_text())
    actions = read("actions.json")
    gone = read("out_of_support_v1.json")
    gone_keys = {row["v1"] for row in gone}
    nullable, required, enums, stamps = {}, {}, {}, {}
    for a in actions:
        e = a["endpoint"]
        if not e or a["status"] not in ("v2", "v1-current"):
            continue
        key = (e["api_version"], e["method"], e["path"])
        nullable.setdefault(key, set()).update(b["name"] for b in a["body_fields"] if "nullable" in b.get("fact", ""))
        stamps.setdefault(key, set()).update(b["name"] for b in a["body_fields"] if "YYYY-MM-DD HH:MM:SS" in b.get("fact", ""))
        enums.setdefault(key, {}).update({b["name"]: b["enum"] for b in a["body_fields"] if b.get("enum")})
        if not any("bound from" in p.get("fact", "") for p in a["query_params"]):
            required.setdefault(key, set()).update(p["name"] for p in a["query_params"] if p.get("required"))
    operations = []
    for version in ("v1", "v2"):
        for path, item in read(f"openapi-{version}.json")["paths"].items():
            for method in METHODS:
                if method in item:
                    key = (version, method.upper(), path)
                    is_gone = version == "v1" and f"{method.upper()} /v1{path}" in gone_keys
                    operations.append(operation(version, method, path, item[method], is_gone,
                                                nullable.get(key, ()), required.get(key, ()), enums.get(key, {}), stamps.get(key, ())))
    types = interned(operations)
    about = "Generated by spec/pipedrive/extract.py from Pipedrive's API documents; do not edit."
    retired = [{"method": r["v1"].split(" ", 1)[0], "path": "/api" + r["v1"].split(" ", 1)[1], "instead": instead(r, operations)} for r in gone]
    api = "{\n \"about\":%s,\n %s,\n %s,\n %s\n}\n" % (
        json.dumps(about), lines("types", types), lines("operations", operations), lines("out_of_support", retired))
    json.loads(api)
    removed = "removed"
    promised = [{"key": a["key"], "kind": a["kind"], "label": a["label"], "description": a["description"],
                 "status": removed if a["status"] == removed else "live"} for a in actions]
    promise = "{\n \"about\":%s,\n %s\n}\n" % (
        json.dumps("Generated by spec/pipedrive/extract.py: the keys, labels and descriptions that are promised; do not edit."),
        lines("promised", promised))
    operations_typed = typed((source / "typed-operations.txt").read_text())
    typed_text = "{\n \"about\":%s,\n %s\n}\n" % (
        json.dumps("Generated by spec/pipedrive/extract.py: the inputs and the answers of the typed operations; do not edit."),
        lines("operations", operations_typed))
    rows = [(o["method"], o["path"], o["cost"], "deprecated" if o["status"] == "deprecated" else "") for o in operations]
    rows += [(r["method"], r["path"], "-", r["instead"] or "nothing") for r in retired]
    costs = "# Generated by spec/pipedrive/extract.py: method, path, cost, what to call instead; do not edit.\n"
    costs += "".join("\t".join(map(str, row)) + "\n" for row in rows)
    stale = []
    for name, text in (("api.json", api), ("promised.json", promise), ("typed.json", typed_text), (COSTS, costs)):
        target = HERE / name
        if "--check" in sys.argv[2:]:
            if not target.exists() or target.read_text() != text:
                stale.append(name)
        else:
            target.write_text(text)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run python3 spec/pipedrive/extract.py {sys.argv[1]}")


main()
