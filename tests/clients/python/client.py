"""A conversation with the gateway through the `smpplib` package of PyPI.

python client.py HOST PORT SYSTEM_ID PASSWORD TO [MO_NUMBER MO_COUNT MO_TEXT]

TO is a destination without its last digit. With the last three arguments the operator behind the gateway is expected
to send MO_COUNT messages to MO_NUMBER, each saying MO_TEXT with its number in place of {n}.
"""

import json
import logging
import pathlib
import re
import select
import sys
import time

import smpplib.client
import smpplib.consts
import smpplib.gsm
import smpplib.smpp

HOST, PORT, SYSTEM_ID, PASSWORD, TO = sys.argv[1:6]
MO_NUMBER, MO_COUNT, MO_TEXT = sys.argv[6:9] or ("", "0", "")
TALK = json.loads((pathlib.Path(__file__).parent.parent / "talk.json").read_text("utf-8"))
PATIENCE = 15.0
QUIET = 1.5
GSM, UCS2 = smpplib.consts.SMPP_ENCODING_DEFAULT, smpplib.consts.SMPP_ENCODING_ISO10646
DELIVERY_RECEIPT = 0x04


def conversation():
    refusals()
    early = transmitter()
    receiver(early)
    transceiver()
    check("every message from a phone came once", len(mo_seen) == int(MO_COUNT), f"{len(mo_seen)} of {MO_COUNT}")


def refusals():
    for what, system_id, password in [
        ("a wrong password", SYSTEM_ID, "wrong"),
        ("an unknown system_id", "nobody", PASSWORD),
    ]:
        peer = Peer()
        peer.client.send_pdu(peer.make("bind_transceiver", system_id=system_id, password=password))
        answer = peer.client.read_pdu()
        equal(f"{what} is refused", (answer.command, answer.status), ("bind_transceiver_resp", 0x0E))
        peer.client.disconnect()


def transmitter():
    peer = Peer("bind_transmitter")
    peer.enquire()
    sent = submit(peer, "transmitter", GSM)
    peer.listen(QUIET)
    equal("nothing is delivered to a transmitter", peer.delivered, 0)
    peer.unbind()
    return sent[0]


def receiver(early):
    peer = Peer("bind_receiver")
    receipts(peer, [early])
    peer.until("messages from phones", lambda: len(mo_seen) >= int(MO_COUNT))
    # The package knows that a receiver may not submit and would not send it; it is told that it is a transceiver.
    peer.client.state = smpplib.consts.SMPP_CLIENT_STATE_BOUND_TRX
    refused = peer.ask("submit_sm", **addresses("gsm"), short_message=b"Not on a receiver")
    equal("submit_sm on a receiver is refused", (refused.command, refused.status), ("submit_sm_resp", 0x04))
    peer.client.state = smpplib.consts.SMPP_CLIENT_STATE_BOUND_RX
    peer.enquire()
    peer.unbind()


def transceiver():
    peer = Peer("bind_transceiver")
    sent = submit(peer, "gsm", GSM) + submit(peer, "ucs2", UCS2) + submit(peer, "parts", GSM) + sar(peer)
    payload = smpplib.gsm.gsm_encode(text_of("payload"))
    sent += accepted(
        "submit_sm payload",
        peer.ask("submit_sm", **addresses("payload"), registered_delivery=1, message_payload=payload),
        "payload",
    )
    equal("message ids differ", len({one["id"] for one in sent}), len(sent))
    receipts(peer, sent)
    for one in sent:
        answer = query(peer, one["id"])
        got = (answer.status, (answer.message_id or b"").decode(), answer.message_state)
        equal(f"query_sm of {one['what']} ({one['to']})", got, (0, one["id"], 2))
    equal("query_sm of an unknown message", query(peer, "1").status, 0x67)
    peer.enquire()
    peer.unbind()


def submit(peer, kind, encoding):
    """One submit_sm for each part that the package makes; it cuts also between an escape and its letter."""
    parts, data_coding, esm_class = smpplib.gsm.make_parts(text_of(kind), encoding)
    sent = []
    for number, part in enumerate(parts, start=1):
        answer = peer.ask(
            "submit_sm",
            **addresses(kind),
            registered_delivery=1,
            data_coding=data_coding,
            esm_class=esm_class,
            short_message=part,
        )
        sent += accepted(f"submit_sm {kind} {number} of {len(parts)}", answer, kind)
    return sent


def sar(peer):
    parts, data_coding, esm_class = smpplib.gsm.make_parts(text_of("sar"), GSM, use_udhi=False)
    sent = []
    for number, part in enumerate(parts, start=1):
        answer = peer.ask(
            "submit_sm",
            **addresses("sar"),
            registered_delivery=1,
            data_coding=data_coding,
            esm_class=esm_class,
            short_message=part,
            sar_msg_ref_num=0x0102,
            sar_total_segments=len(parts),
            sar_segment_seqnum=number,
        )
        sent += accepted(f"submit_sm sar {number} of {len(parts)}", answer, "sar")
    return sent


def accepted(what, answer, kind):
    equal(f"{what} is accepted", (answer.command, answer.status), ("submit_sm_resp", 0))
    message_id = (answer.message_id or b"").decode()
    check(f"{what} has a decimal message_id", re.fullmatch("[0-9]+", message_id), message_id)
    return [{"what": what, "id": message_id, "to": addresses(kind)["destination_addr"]}]


def query(peer, message_id):
    return peer.ask("query_sm", message_id=message_id, source_addr_ton=5, source_addr_npi=0, source_addr=TALK["source"])


def receipts(peer, sent):
    """Waits for one receipt of each, and a while longer for a second one that must not come."""
    peer.until("receipts", lambda: all(one["id"] in peer.receipts for one in sent))
    peer.listen(QUIET)
    for one in sent:
        receipt, *more = peer.receipts[one["id"]]
        text = receipt.short_message.decode("latin-1")
        equal(f"one receipt of {one['what']}", len(more), 0)
        check(f"receipt of {one['what']}: stat:DELIVRD", " stat:DELIVRD " in text, text)
        tlvs = ((receipt.receipted_message_id or b"").decode(), receipt.message_state)
        equal(f"receipt of {one['what']}: TLVs", tlvs, (one["id"], 2))
        way = (receipt.source_addr.decode(), receipt.destination_addr.decode())
        equal(f"receipt of {one['what']}: addresses", way, (one["to"], TALK["source"]))
    equal("receipts of nothing else", sorted(set(peer.receipts) - {one["id"] for one in sent}), [])


def addresses(kind):
    return {
        "source_addr_ton": smpplib.consts.SMPP_TON_ALNUM,
        "source_addr_npi": smpplib.consts.SMPP_NPI_UNK,
        "source_addr": TALK["source"],
        "dest_addr_ton": smpplib.consts.SMPP_TON_INTL,
        "dest_addr_npi": smpplib.consts.SMPP_NPI_ISDN,
        "destination_addr": TO + TALK["messages"][kind]["digit"],
    }


def text_of(kind):
    return TALK["messages"][kind]["text"]


class Peer:
    """One connection. Everything that is delivered is noted and answered."""

    def __init__(self, bind=None):
        # Unknown TLVs stop this client with an exception: none must come unasked.
        self.client = smpplib.client.Client(HOST, int(PORT), timeout=PATIENCE, allow_unknown_opt_params=False)
        self.receipts = {}
        self.delivered = 0
        self.answers = {}
        for handler in ("message_sent", "query_resp", "error_pdu"):
            getattr(self.client, f"set_{handler}_handler")(self.answer)
        self.client.set_message_received_handler(self.deliver)
        self.client.connect()
        if bind:
            answer = getattr(self.client, bind)(system_id=SYSTEM_ID, password=PASSWORD)
            equal(f"{bind} is accepted", (answer.command, answer.status), (f"{bind}_resp", 0))

    def make(self, command, **fields):
        return smpplib.smpp.make_pdu(command, client=self.client, **fields)

    def ask(self, command, **fields):
        pdu = self.make(command, **fields)
        self.client.send_pdu(pdu)
        self.until(f"{command}_resp", lambda: pdu.sequence in self.answers)
        return self.answers.pop(pdu.sequence)

    def answer(self, pdu):
        self.answers[pdu.sequence] = pdu

    def deliver(self, pdu):
        self.delivered += 1
        if pdu.esm_class & 0x3C == DELIVERY_RECEIPT:
            found = re.match(rb"id:([^ ]+) ", pdu.short_message)
            self.receipts.setdefault(found.group(1).decode() if found else None, []).append(pdu)
        else:
            text = decode(pdu)
            wanted = {MO_TEXT.replace("{n}", str(number)): number for number in range(int(MO_COUNT))}.get(text)
            seen = (pdu.esm_class, pdu.source_addr.decode(), pdu.destination_addr.decode())
            equal("a message from a phone has its addresses", seen, (0, TALK["mo_source"], MO_NUMBER))
            check(f"a message from a phone has its text, once: {text}", wanted is not None and wanted not in mo_seen, text)
            mo_seen.add(wanted)

    # The package tells nobody of the answer to an enquire_link, and takes whatever comes first for the one to an unbind.
    # Both are therefore read here.
    def enquire(self):
        answer = self.read_answer("enquire_link")
        equal("enquire_link is answered", (answer.command, answer.status), ("enquire_link_resp", 0))

    def unbind(self):
        answer = self.read_answer("unbind")
        equal("unbind is answered", (answer.command, answer.status), ("unbind_resp", 0))
        self.client.disconnect()

    def read_answer(self, command):
        pdu = self.make(command)
        self.client.send_pdu(pdu)
        while (answer := self.client.read_pdu()).command == "enquire_link":
            self.client._enquire_link_received(answer)
        equal(f"{command} is answered under its number", answer.sequence, pdu.sequence)
        return answer

    def until(self, what, holds):
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"no {what} within {PATIENCE} s")
            self.listen(0.02)

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.client._socket], [], [], left)[0]:
                self.client.read_once(auto_send_enquire_link=False)


def decode(pdu):
    if pdu.data_coding == UCS2:
        return pdu.short_message.decode("utf-16-be")
    table = smpplib.gsm.GSM_CHARACTER_TABLE
    octets = iter(pdu.short_message)
    return "".join(table[0x80 + next(octets)] if octet == 0x1B else table[octet] for octet in octets)


def equal(what, got, expected):
    check(what, got == expected, f"expected {expected!r}, got {got!r}")


def check(what, holds, detail):
    counts["passed" if holds else "failed"] += 1
    print(f"PASS {what}" if holds else f"FAIL {what}: {detail}", flush=True)


counts = {"passed": 0, "failed": 0}
mo_seen = set()
logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")

try:
    conversation()
except Exception as error:  # whatever it was, it ends the conversation and is told
    check("the conversation goes to its end", False, f"{type(error).__name__}: {error}")
print(f"smpplib: {counts['passed']} passed, {counts['failed']} failed")
sys.exit(1 if counts["failed"] else 0)
