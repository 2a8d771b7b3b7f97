"""Records with everything in their texts that a format could stumble over; the same ones for the same seed."""

import random

HOSTILE = [
    "", " ", "plain", "two words", 'a "quoted" word', "comma, separated", "semi;colon", "line\nbreak", "carriage\r\nreturn",
    "tab\there", "=1+1", "+49 30", "-1", "@cmd", "'apostrophe", "\t=x", "\r=x", "<tag a='b'>", "]]>", "&amp; & &#0;", "<!-- -->", "<?xml?>",
    "\x00nul", "\x01\x08\x0b\x0c\x1f", "\x7f\x85\u2028\u2029", "\ufffe\uffff", "\U0001f600 smile", "e\u0301", "\u202e rtl", "ü" * 300,
    "{\"json\":true}", "[1,2]", "null", "%00%ff", "\\", "\\u0000", "https://example.test/?a=b&c=d#e",
]
NAMES = ["plain", "two words", "1digit", "-dash", "xml", "XmlName", "a:b", "a.b", "ümlaut", "", "<", "a&b", "item", "_x0041_", "\u0001", "=f", "a\nb"]
LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"]


def value(rng, depth):
    kind = rng.randrange(8 if depth else 6)
    if kind == 0:
        return rng.choice([True, False, None])
    if kind == 1:
        return rng.choice([0, -1, 1.5, 1e300, 12345678901234567890, -9007199254740993])
    if kind == 6:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return attributes(rng, depth - 1)
    return rng.choice(HOSTILE)


def attributes(rng, depth):
    return {rng.choice(NAMES): value(rng, depth) for _ in range(rng.randrange(5))}


def records(seed, count):
    """Events and exchanges within one hour; times repeat."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        time = f"2026-06-23T12:{rng.randrange(60):02}:{rng.choice([0, 30]):02}Z"
        record = {"time": time, "level": rng.choice(LEVELS), "attributes": attributes(rng, 3)}
        if rng.random() < 0.5:
            record |= {"kind": "event", "message": rng.choice(HOSTILE) + rng.choice(HOSTILE)}
        else:
            record |= {"kind": "exchange", "method": "GET", "path": "/" + rng.choice(HOSTILE), "status": rng.choice([200, 404, 503]), "duration_ms": rng.choice([0.4, 12, 250.5])}
        for name in ["trace_id", "user_id", "flow_name", "service"]:
            if rng.random() < 0.5:
                record[name] = rng.choice(HOSTILE)
        made.append(record)
    return made
