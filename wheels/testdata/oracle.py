"""Answers questions about versions, requirements and wheels with "packaging".

Reads a JSON list of [kind, argument, ...] and writes a JSON list of answers; an
answer of null means that the argument is refused.
"""

import email
import functools
import importlib.metadata
import json
import sys

from packaging import markers, metadata, requirements, specifiers, tags, utils, version

Version = functools.cache(version.Version)
Specifiers = functools.cache(specifiers.SpecifierSet)


def describe_version(s):
    v = Version(s)
    return {
        "str": str(v),
        "public": v.public,
        "base": v.base_version,
        "local": v.local or "",
        "canonical": utils.canonicalize_version(v),
        "pre": v.is_prerelease,
        "post": v.is_postrelease,
    }


def compare_all(*versions):
    """Compares each with each; one string of <, = and > per version."""
    parsed = [Version(v) for v in versions]
    return ["".join("<" if a < b else "=" if a == b else ">" for b in parsed) for a in parsed]


def match_all(sets, versions):
    """Matches each specifier set with each version."""
    return ["".join("01"[Specifiers(s).contains(Version(v), prereleases=True)] for v in versions) for s in sets]


def describe_specifiers(s):
    parsed = Specifiers(s)
    return {"str": str(parsed), "pre": bool(parsed.prereleases)}


def describe_requirement(s):
    r = requirements.Requirement(s)
    return {
        "str": str(r),
        "name": utils.canonicalize_name(r.name),
        "extras": sorted(r.extras),
        "specifiers": str(r.specifier),
        "url": r.url or "",
        "marker": str(r.marker) if r.marker else "",
    }


def evaluate(s, env, extra):
    try:
        marker = markers.Marker(s)
    except markers.InvalidMarker:
        return "invalid"
    try:
        return marker.evaluate(dict(env, extra=extra))
    except (markers.UndefinedComparison, markers.UndefinedEnvironmentName, KeyError):
        return "undefined"


def describe_filename(s):
    name, ver, build, tag_set = utils.parse_wheel_filename(s)
    return {
        "name": name,
        "version": str(ver),
        "build": "".join(str(part) for part in build),
        "tags": sorted(str(t) for t in tag_set),
    }


def supported_tags(platforms):
    target = (3, 14)
    return [
        str(tag)
        for tag in [
            *tags.cpython_tags(target, abis=["cp314"], platforms=platforms),
            *tags.compatible_tags(target, interpreter="cp314", platforms=platforms),
        ]
    ]


def describe_metadata(s):
    raw, unparsed = metadata.parse_email(s.encode())
    message = email.message_from_bytes(s.encode())
    return {
        "raw": {k: v for k, v in raw.items() if isinstance(v, (str, list))},
        "unparsed": sorted(unparsed),
        "names": message.keys(),
    }


def describe_entry_points(s):
    class Text(importlib.metadata.Distribution):
        def read_text(self, filename):
            return s if filename == "entry_points.txt" else None

        def locate_file(self, path):
            raise NotImplementedError

    found = []
    for point in Text().entry_points:
        if point.pattern.match(point.value):
            where = [point.module, point.attr or ""]
        else:
            where = None
        found.append({"group": point.group, "name": point.name, "value": point.value, "object": where})
    return found


ANSWERS = {
    "name": lambda s: utils.canonicalize_name(s),
    "valid-name": lambda s: utils.canonicalize_name(s, validate=True),
    "version": describe_version,
    "compare": compare_all,
    "match": match_all,
    "specifiers": describe_specifiers,
    "requirement": describe_requirement,
    "evaluate": evaluate,
    "filename": describe_filename,
    "tags": supported_tags,
    "metadata": describe_metadata,
    "entry-points": describe_entry_points,
}

REFUSALS = (version.InvalidVersion, specifiers.InvalidSpecifier, requirements.InvalidRequirement,
            utils.InvalidWheelFilename, utils.InvalidName)


def answer(kind, *arguments):
    try:
        return ANSWERS[kind](*arguments)
    except REFUSALS:
        return None


json.dump([answer(*question) for question in json.load(sys.stdin)], sys.stdout)
