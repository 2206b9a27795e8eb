"""A small reader of iCalendar files (RFC 5545) that accepts nothing which the standard does not allow."""

import re

LINE_BYTES = 75
NAME = re.compile(r"[A-Z][A-Z0-9-]*")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def events_of(text: str) -> list[dict[str, str]]:
    """Return the properties of each event, texts unescaped; assert that lines, folding and nesting are right."""
    assert text.endswith("\r\n")
    lines = text.removesuffix("\r\n").split("\r\n")
    assert not any("\n" in line or "\r" in line for line in lines)
    assert max(len(line.encode()) for line in lines) <= LINE_BYTES
    unfolded: list[str] = []
    for line in lines:
        if line.startswith(" "):
            unfolded[-1] += line[1:]
        else:
            unfolded.append(line)
    assert (unfolded[0], unfolded[1], unfolded[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    is_open = False
    for line in unfolded[1:-1]:
        name, _, value = line.partition(":")
        assert NAME.fullmatch(name.partition(";")[0]), line
        if name in ("BEGIN", "END"):
            assert value == "VEVENT"
            assert is_open == (name == "END")
            is_open = name == "BEGIN"
            events += [{}] if is_open else []
        elif is_open:
            assert name not in events[-1], f"{name} comes twice"
            events[-1][name] = text_of(value) if name == "SUMMARY" else value
    assert not is_open
    for event in events:
        assert event.keys() >= {"UID", "DTSTAMP", "DTSTART;VALUE=DATE", "SEQUENCE", "STATUS", "SUMMARY"}
        assert re.fullmatch(r"\d{8}T\d{6}Z", event["DTSTAMP"])
        assert re.fullmatch(r"\d{8}", event["DTSTART;VALUE=DATE"])
    assert len({event["UID"] for event in events}) == len(events)
    return events


def text_of(value: str) -> str:
    """Return the text that a value stands for."""
    bare = ESCAPED.sub("", value)
    assert not re.search(r"[;,\\\x00-\x08\x0a-\x1f\x7f]", bare), value
    assert set(ESCAPED.findall(value)) <= set("\\;,nN"), value
    return ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)
