"""Has tshark read a capture and says whether every octet of it was good SMPP.

python3 read_capture.py CAPTURE LEAST NAME=PORT...

Each NAME is a listener and PORT where it listens. LEAST is how many PDUs each of them must have exchanged: a capture
of nothing proves nothing.
"""

import collections
import subprocess
import sys
import xml.etree.ElementTree as ET

RESPONSE = 0x80000000
COMMANDS = {
    0x00000001: "bind_rx",
    0x00000002: "bind_tx",
    0x00000003: "query_sm",
    0x00000004: "submit_sm",
    0x00000005: "deliver_sm",
    0x00000006: "unbind",
    0x00000009: "bind_trx",
    0x00000015: "enquire_link",
    0x00000103: "data_sm",
}
WANTED = list(COMMANDS.values())

capture, least, *listeners = sys.argv[1:]
names = {int(port): name for name, port in (listener.split("=") for listener in listeners)}
problems = []


class Link:
    def __init__(self):
        self.pdus = 0
        self.octets = 0
        self.payload = 0
        self.requests = collections.Counter()
        self.refused = 0


def tshark(*arguments):
    decode = [word for port in names for word in ("-d", f"tcp.port=={port},smpp")]
    done = subprocess.run(["tshark", "-n", "-r", capture, *decode, *arguments], capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"tshark failed: {done.stderr.decode('utf-8', 'replace')}")
    # tshark prints the halves of a surrogate pair (an emoji in UCS-2) one by one, which is no UTF-8.
    return done.stdout.decode("utf-8", "replace")


def number(proto, field):
    found = proto.find(f"field[@name='{field}']")
    return None if found is None else int(found.get("value"), 16)


def read():
    """Counts every PDU and pairs every request with its answer."""
    links = {port: Link() for port in names}
    waiting = {}
    for packet in ET.fromstring(tshark("-T", "pdml", "-Y", "tcp")):
        tcp = packet.find("proto[@name='tcp']")
        source, target = (int(tcp.find(f"field[@name='tcp.{end}port']").get("show")) for end in ("src", "dst"))
        port = target if target in names else source
        link = links[port]
        link.payload += int(tcp.find("field[@name='tcp.len']").get("show"))
        stream = tcp.find("field[@name='tcp.stream']").get("show")
        for pdu in packet.iterfind("proto[@name='smpp']"):
            length, command, status, sequence = (
                number(pdu, f"smpp.{field}")
                for field in ("command_length", "command_id", "command_status", "sequence_number")
            )
            link.pdus += 1
            link.octets += length
            link.refused += bool(status)
            if command & RESPONSE:
                request = waiting.pop((stream, target, sequence), None)
                if request is None or command not in (RESPONSE, request | RESPONSE):
                    problems.append(f"{names[port]}: {command:#010x} answers nothing (sequence {sequence})")
            else:
                link.requests[COMMANDS.get(command, hex(command))] += 1
                waiting[stream, source, sequence] = command
    for (stream, _, sequence), command in waiting.items():
        problems.append(f"{COMMANDS.get(command, hex(command))} is never answered (stream {stream}, sequence {sequence})")
    return links


links = read()
for port, link in links.items():
    if link.pdus < int(least):
        problems.append(f"{names[port]}: {link.pdus} PDUs are too few to prove anything")
    if link.octets != link.payload:
        problems.append(f"{names[port]}: of {link.payload} octets only {link.octets} are PDUs that tshark could read")

# What tshark has to complain of: packets that break off or make no sense, and whatever its SMPP, SMS and TCP parts
# report as an error. A capture with holes would hide things, so a lost segment counts too.
for complaint in (
    "_ws.malformed",
    "_ws.unreassembled",
    "_ws.expert.group == \"Malformed\"",
    "smpp && _ws.expert.severity >= \"Warning\"",
    "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment",
):
    for line in tshark("-Y", complaint).splitlines():
        problems.append(f"{complaint}: {line.strip()}")

columns = ["PDUs", "octets", *WANTED, "refused"]
print(f"{'listener':<10}" + "".join(f"{column:>13}" for column in columns))
for port, link in links.items():
    row = [link.pdus, link.octets, *(link.requests[command] for command in WANTED), link.refused]
    print(f"{names[port]:<10}" + "".join(f"{value:>13}" for value in row))
for problem in problems:
    print(f"FAIL {problem}")
total = sum(link.pdus for link in links.values())
print(f"tshark read {total} PDUs: {len(problems)} problems")
sys.exit(1 if problems else 0)
