"""Seeds of the fuzz targets, made of the test vectors and of what receipts and times look like: seeds.py FOLDER."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

RECEIPTS = [
    b"id:0123456789 sub:001 dlvrd:001 submit date:2506011200 done date:2506011201 stat:DELIVRD err:000 text:Hello",
    b"id:8F3A sub:001 dlvrd:000 submit date:250601120055 done date:20250601120155 stat:UNDELIV err:0x1B Text:",
    b"ID:a-b STAT:EXPIRED ERR:69c",
    b"err:255 stat:REJECTD id:7",
    b"DELIVRD id:00,0210021543,1",
    b"\0i\0d\0:\x001\0 \0s\0t\0a\0t\0:\0D\0E\0L\0I\0V\0R\0D",
    b"no receipt at all",
]
TIMES = [b"", b"250601120000000+", b"250601120000732-", b"991231235959908+", b"000007000000000R", b"2506011200"]
TEXTS = [
    "hello",
    "{€}^[~]",
    "ğüşıöç ĞÜŞİ",
    "Ω ΔΦΓ",
    "1234567\r",
    "नमस्ते",
    "x" * 161,
]


def main(folder):
    vectors = json.loads((ROOT / "fixtures/pdu/vectors.json").read_text())["vectors"]
    pdus = {vector["id"]: bytes.fromhex(vector["hex"]) for vector in vectors}
    seeds = {name: {} for name in ["stream", "body", "pdu", "receipt", "gsm7", "udh", "text", "time", "session"]}
    for name, octets in pdus.items():
        seeds["stream"][name] = octets
        seeds["pdu"][name] = octets[4:]
        seeds["session"][name] = stream_of_a_session(octets)
        if len(octets) >= 16:
            seeds["body"][name] = choice_of(int.from_bytes(octets[4:8], "big")) + octets[16:]
        message = user_data_of(octets)
        if message:
            for target, head in [("text", b"\0\0"), ("udh", b"\0\x01"), ("receipt", b"\0"), ("gsm7", b"\xff\0")]:
                seeds[target][name] = head + message
    for number, receipt in enumerate(RECEIPTS):
        seeds["receipt"][f"shape-{number}"] = b"\0" + receipt
        seeds["receipt"][f"shape-{number}-tlvs"] = b"\x08" + b"0123\x02\x03\0\x1b" + receipt
        seeds["text"][f"receipt-{number}"] = b"\0\0" + receipt
    for number, time in enumerate(TIMES):
        seeds["time"][f"shape-{number}"] = (1_763_640_000_000).to_bytes(8, "big") + time
    for number, text in enumerate(TEXTS):
        for language in range(0, 14, 3):
            head = bytes([language << 4 | language, number % 8])
            seeds["gsm7"][f"text-{number}-{language}"] = head + text.encode()
        seeds["udh"][f"text-{number}"] = b"\x08\x04" + text.encode("utf-16-be")
    for number, header in enumerate(["050003560201", "06080412340301", "06050415811581", "03250106", "032401030504"]):
        for coding in [0, 4, 8]:
            seeds["udh"][f"header-{number}-{coding}"] = bytes([coding, 1]) + bytes.fromhex(header) + b"some text"
    for target, files in seeds.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, octets in files.items():
            (folder / target / name).write_bytes(octets)


COMMANDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0B, 0x15, 0x21, 0x102, 0x103, 0x111, 0x112, 0x113, 0x80000000]


def choice_of(command):
    """The octet with which the target `body` names a command."""
    request = command & 0x7FFFFFFF
    place = COMMANDS.index(request) if request in COMMANDS else 0
    return bytes([place | (0x80 if command & 0x80000000 else 0)])


def stream_of_a_session(octets):
    """The settings of a session, and one step that feeds these octets."""
    return bytes([1, 1, 4, 10, 1, 30, 0, 0, 60, 0, 0, 0, 0]) + b"\0" + bytes([min(len(octets), 255)]) + octets


def user_data_of(octets):
    """What is behind the last text field of a message, roughly: the longest run behind a length that fits it."""
    if len(octets) < 34 or int.from_bytes(octets[4:8], "big") not in (4, 5):
        return None
    for at in range(33, len(octets)):
        length = octets[at]
        if length > 4 and at + 1 + length == len(octets):
            return octets[at + 1 :]
    return None


main(pathlib.Path(sys.argv[1]))
