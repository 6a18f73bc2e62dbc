"""Says whether the operators got what the clients sent, character by character.

python3 texts.py CAPTURE NAME:TO=PORT...

PORT is where the operator listens that stands for numbers beginning with TO, where NAME's messages go. However the
parts of a text come, by header, sar_* or message_payload, they are put together and read here.
"""

import collections
import json
import pathlib
import sys

from packets import Capture, number, octets

HERE = pathlib.Path(__file__).parent
TALK = json.loads((HERE / "../talk.json").read_text("utf-8"))["messages"]
# What each client sends.
SENT = {
    "node": ["transmitter", "gsm", "ucs2", "default", "payload", "parts"],
    "python": ["transmitter", "gsm", "ucs2", "payload", "parts", "sar"],
    "perl": ["transmitter", "gsm", "ucs2", "payload", "parts", "data"],
}
SUBMIT_SM, DATA_SM = 0x04, 0x103
# Of a part: which message it is of, its place and how many there are (all None for a whole message), its octets.
Part = collections.namedtuple("Part", "reference number total octets")


def part_of(pdu):
    data = octets(pdu, "message") or octets(pdu, "message_payload") or b""
    if octets(pdu, "sar_msg_ref_num"):
        fields = ("sar_msg_ref_num", "sar_segment_seqnum", "sar_total_segments")
        return Part(*(number(pdu, field) for field in fields), data)
    if not number(pdu, "esm.submit.features") & 0x40:
        return Part(None, None, None, data)
    end = data[0] + 1
    at = 1
    while at < end:
        kind, length = data[at : at + 2]
        if kind in (0x00, 0x08):
            *reference, total, place = data[at + 2 : at + 2 + length]
            return Part(tuple(reference), place, total, data[end:])
        at += 2 + length
    return Part(None, None, None, data[end:])


def join(parts):
    """The octets of one message, or None if parts are missing, too many or of different messages."""
    parts = sorted(parts, key=lambda part: part.number or 0)
    total = parts[0].total
    places = [None] if total is None else list(range(1, total + 1))
    same = len({(part.reference, part.total) for part in parts}) == 1
    return b"".join(part.octets for part in parts) if same and [part.number for part in parts] == places else None


def gsm_table():
    table = {}
    for line in (HERE / "../../../fixtures/gsm/default.tsv").read_text("utf-8").splitlines()[1:]:
        code, extended, point = line.split("\t")
        table[bytes([0x1B, int(code, 16)] if extended == "1" else [int(code, 16)])] = chr(int(point[2:], 16))
    return table


GSM = gsm_table()


def decode(data, data_coding):
    if data_coding == 8:
        return data.decode("utf-16-be")
    text = ""
    while data:
        size = 2 if data[0] == 0x1B else 1
        text += GSM.get(data[:size], "\N{REPLACEMENT CHARACTER}")
        data = data[size:]
    return text


def main():
    file, *operators = sys.argv[1:]
    areas = dict(operator.split("=")[0].split(":") for operator in operators)
    capture = Capture(file, (f"{name}={operator.split('=')[1]}" for name, operator in zip(areas, operators)))
    got = collections.defaultdict(list)
    for packet in capture.packets():
        for pdu in packet.pdus:
            if packet.target == packet.listener and number(pdu, "command_id") in (SUBMIT_SM, DATA_SM):
                number_called = octets(pdu, "destination_addr").rstrip(b"\0").decode()
                got[capture.names[packet.listener], number_called].append(pdu)
    failed = 0
    for name, area in areas.items():
        for kind in SENT[name]:
            pdus = got.pop((name, area + TALK[kind]["digit"]), [])
            data = join([part_of(pdu) for pdu in pdus]) if pdus else None
            text = None if data is None else decode(data, number(pdus[0], "data_coding"))
            holds = text == TALK[kind]["text"]
            failed += not holds
            print(f"{'PASS' if holds else 'FAIL'} {name}: {kind} in {len(pdus)}" + ("" if holds else f", got {text!r}"))
    for (name, called), pdus in got.items():
        failed += 1
        print(f"FAIL {name}: {len(pdus)} that nobody sent, to {called}")
    sys.exit(1 if failed else 0)


main()
