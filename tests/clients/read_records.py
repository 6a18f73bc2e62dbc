"""Says whether the operators got what the clients sent, character by character.

python3 read_records.py NAME:TO=RECORD...

RECORD is what `tollgate sim --record` wrote of the operator that stands for numbers beginning with TO, where NAME's
messages go. Texts are put together from their parts and read here without any help of the gateway's own code.
"""

import collections
import json
import pathlib
import sys

here = pathlib.Path(__file__).parent
talk = json.loads((here / "talk.json").read_text("utf-8"))["messages"]
# What each client sends. The parts of a message reach the operator one by one.
SENT = {
    "node": ["transmitter", "gsm", "ucs2", "default", "payload", "parts"],
    "python": ["transmitter", "gsm", "ucs2", "payload", "parts", "sar"],
    "perl": ["transmitter", "gsm", "ucs2", "payload", "parts", "data"],
}
UDHI = 0x40


def gsm_table():
    table = {}
    for line in (here / "../../fixtures/gsm/default.tsv").read_text("utf-8").splitlines()[1:]:
        code, extended, point = line.split("\t")
        table[bytes([0x1B, int(code, 16)] if extended == "1" else [int(code, 16)])] = chr(int(point[2:], 16))
    return table


GSM = gsm_table()


def decode(octets, data_coding):
    if data_coding == 8:
        return octets.decode("utf-16-be")
    text, rest = "", octets
    while rest:
        size = 2 if rest[0] == 0x1B else 1
        text += GSM.get(rest[:size], "�")
        rest = rest[size:]
    return text


def part(line):
    """Where a part belongs and its octets: (reference, number, total, octets)."""
    octets = bytes.fromhex(line["text"])
    if not line["esm_class"] & UDHI:
        return None, 1, 1, octets
    end = octets[0] + 1
    header, at = octets[1:end], 0
    while at < len(header):
        kind, length = header[at], header[at + 1]
        if kind in (0x00, 0x08):
            *reference, total, number = header[at + 2 : at + 2 + length]
            return bytes(reference), number, total, octets[end:]
        at += 2 + length
    return None, 1, 1, octets[end:]


failed = 0
for argument in sys.argv[1:]:
    who, _, record = argument.partition("=")
    name, _, to = who.partition(":")
    got = collections.defaultdict(list)
    for line in map(json.loads, pathlib.Path(record).read_text("utf-8").splitlines()):
        got[line["destination"]].append(line)
    for kind in SENT[name]:
        lines = got.pop(to + talk[kind]["digit"], [])
        parts = sorted((part(line) for line in lines), key=lambda one: one[1])
        whole = [one[1] for one in parts] == list(range(1, (parts[0][2] if parts else 1) + 1))
        one_message = len({(one[0], one[2]) for one in parts}) == 1
        text = decode(b"".join(one[3] for one in parts), lines[0]["data_coding"] if lines else 0)
        holds = whole and one_message and text == talk[kind]["text"]
        failed += not holds
        told = f"{len(parts)} parts" if len(parts) > 1 else "1 part"
        print(f"{'PASS' if holds else 'FAIL'} {name}'s operator got {kind} ({told}){'' if holds else f': {text!r}'}")
    for number in got:
        failed += 1
        print(f"FAIL {name}'s operator got what nobody sent, to {number}")
sys.exit(1 if failed else 0)
