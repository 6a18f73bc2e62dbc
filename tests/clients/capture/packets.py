"""What tshark makes of a capture, as objects. Every octet is read by tshark and none by code of ours."""

import collections
import subprocess
import sys
import xml.etree.ElementTree as ET

# payload: octets that TCP carried; pdus: the SMPP in it, as tshark dissected it.
Packet = collections.namedtuple("Packet", "listener stream source target payload pdus")


class Capture:
    """A file, and the listeners in it by port."""

    def __init__(self, file, listeners):
        self.file = file
        self.names = {int(port): name for name, port in (listener.split("=") for listener in listeners)}

    def tshark(self, *arguments):
        decode = [word for port in self.names for word in ("-d", f"tcp.port=={port},smpp")]
        done = subprocess.run(["tshark", "-n", "-r", self.file, *decode, *arguments], capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"tshark failed: {done.stderr.decode('utf-8', 'replace')}")
        # tshark prints the halves of a surrogate pair (an emoji in UCS-2) one by one, which is no UTF-8.
        return done.stdout.decode("utf-8", "replace")

    def packets(self):
        for packet in ET.fromstring(self.tshark("-T", "pdml", "-Y", "tcp")):
            tcp = packet.find("proto[@name='tcp']")
            shown = {field.get("name"): field.get("show") for field in tcp.iter("field")}
            source, target = int(shown["tcp.srcport"]), int(shown["tcp.dstport"])
            pdus = packet.findall("proto[@name='smpp']")
            listener = target if target in self.names else source
            yield Packet(listener, shown["tcp.stream"], source, target, int(shown["tcp.len"]), pdus)


def octets(pdu, field):
    """The octets of a field, or None if the PDU has none of that name."""
    found = pdu.find(f".//field[@name='smpp.{field}']")
    if found is None:
        return None
    return bytes.fromhex(found.get("unmaskedvalue") or found.get("value"))


def number(pdu, field):
    value = octets(pdu, field)
    return None if value is None else int.from_bytes(value, "big")
