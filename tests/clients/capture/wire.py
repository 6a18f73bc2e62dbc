"""Says whether every octet of a capture was good SMPP and every request got its answer.

python3 wire.py CAPTURE LEAST NAME=PORT...

Each NAME is a listener and PORT where it listens. LEAST is how many PDUs each of them must have exchanged: a capture
of nothing proves nothing.
"""

import collections
import sys

from packets import Capture, number

RESPONSE = 0x80000000
COMMANDS = {
    0x00000001: "bind_rx",
    0x00000002: "bind_tx",
    0x00000009: "bind_trx",
    0x00000004: "submit_sm",
    0x00000103: "data_sm",
    0x00000005: "deliver_sm",
    0x00000003: "query_sm",
    0x00000015: "enquire_link",
    0x00000006: "unbind",
}
# Packets that break off or make no sense, and whatever tshark's SMPP part warns of. A capture with holes would hide
# things, so a lost segment counts too.
COMPLAINTS = [
    "_ws.malformed",
    "_ws.unreassembled",
    'smpp && _ws.expert.severity >= "Warning"',
    "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment",
]


class Link:
    """What one listener and its peers exchanged."""

    def __init__(self):
        self.pdus = 0
        self.octets = 0
        self.payload = 0
        self.requests = collections.Counter()
        self.refused = 0


def name_of(command):
    return COMMANDS.get(command, f"{command:#010x}")


def read(capture, problems):
    """Counts every PDU and pairs every request with its answer."""
    links = {port: Link() for port in capture.names}
    waiting = {}
    for packet in capture.packets():
        link = links[packet.listener]
        link.payload += packet.payload
        for pdu in packet.pdus:
            command, sequence = number(pdu, "command_id"), number(pdu, "sequence_number")
            link.pdus += 1
            link.octets += number(pdu, "command_length")
            link.refused += bool(number(pdu, "command_status"))
            if command & RESPONSE:
                request = waiting.pop((packet.stream, packet.target, sequence), None)
                if request is None or command not in (RESPONSE, request | RESPONSE):
                    problems.append(f"{capture.names[packet.listener]}: {name_of(command)} answers nothing ({sequence})")
            else:
                link.requests[name_of(command)] += 1
                waiting[packet.stream, packet.source, sequence] = command
    for (stream, _, sequence), command in waiting.items():
        problems.append(f"{name_of(command)} {sequence} of stream {stream} is never answered")
    return links


def main():
    file, least, *listeners = sys.argv[1:]
    capture, problems = Capture(file, listeners), []
    links = read(capture, problems)
    for port, link in links.items():
        if link.pdus < int(least):
            problems.append(f"{capture.names[port]}: {link.pdus} PDUs are too few to prove anything")
        if link.octets != link.payload:
            problems.append(f"{capture.names[port]}: only {link.octets} of {link.payload} octets are PDUs to tshark")
    for complaint in COMPLAINTS:
        problems += (f"{complaint}: {line.strip()}" for line in capture.tshark("-Y", complaint).splitlines())

    print(f"{'listener':<11}{'PDUs':>6}{'octets':>8}" + "".join(f"{name:>13}" for name in [*COMMANDS.values(), "refused"]))
    for port, link in links.items():
        counts = [*(link.requests[name] for name in COMMANDS.values()), link.refused]
        print(f"{capture.names[port]:<11}{link.pdus:>6}{link.octets:>8}" + "".join(f"{count:>13}" for count in counts))
    for problem in problems:
        print(f"FAIL {problem}")
    print(f"tshark read {sum(link.pdus for link in links.values())} PDUs, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
