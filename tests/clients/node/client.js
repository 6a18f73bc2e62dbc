// A conversation with the gateway through the `smpp` package of npm.
//
// node client.js HOST PORT SYSTEM_ID PASSWORD TO [MO_NUMBER MO_COUNT MO_TEXT]
//
// TO is a destination without its last digit. With the last three arguments the operator behind the gateway is
// expected to send MO_COUNT messages to MO_NUMBER, each saying MO_TEXT with its number in place of {n}.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const smpp = require('smpp');

const [host, port, system_id, password, to, moNumber, moCount = '0', moText = ''] = process.argv.slice(2);
const talk = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'talk.json'), 'utf8'));

async function conversation() {
  await refusals();
  const early = await transmitter();
  await receiver(early);
  await transceiver();
  check('every message from a phone came once', moSeen.size === Number(moCount), `${moSeen.size} of ${moCount}`);
}

async function refusals() {
  for (const [what, login] of [
    ['a wrong password', { system_id, password: 'wrong' }],
    ['an unknown system_id', { system_id: 'nobody', password }],
  ]) {
    const peer = await connect();
    const answer = await peer.ask('bind_transceiver', login);
    equal(`${what} is refused`, answer.command_status, smpp.ESME_RINVPASWD);
    equal(`${what} is refused as a bind response`, answer.command, 'bind_transceiver_resp');
    await peer.close();
  }
}

async function transmitter() {
  const peer = await bound('bind_transmitter');
  await peer.enquire();
  const sent = await submit(peer, 'transmitter', { data_coding: 0 });
  await pause(QUIET);
  equal('nothing is delivered to a transmitter', peer.delivered, 0);
  await peer.unbind();
  return sent;
}

async function receiver(early) {
  const peer = await bound('bind_receiver');
  await receipts(peer, [early]);
  await until('messages from phones', () => moSeen.size >= Number(moCount));
  const refused = await peer.ask('submit_sm', { ...addresses('gsm'), short_message: 'Not on a receiver' });
  equal('submit_sm on a receiver is refused', refused.command_status, smpp.ESME_RINVBNDSTS);
  await peer.enquire();
  await peer.unbind();
}

async function transceiver() {
  const peer = await bound('bind_transceiver');
  const again = await peer.ask('bind_transceiver', { system_id, password });
  equal('a second bind is refused', again.command_status, smpp.ESME_RALYBND);

  const sent = [
    await submit(peer, 'gsm', { data_coding: 0 }),
    await submit(peer, 'ucs2', { data_coding: 8 }),
    // The package chooses: GSM 03.38 octets under data_coding 1.
    await submit(peer, 'default', {}),
    await submit(peer, 'payload', { data_coding: 0 }, 'message_payload'),
  ];
  const parts = cut(talk.messages.parts.text);
  for (const [index, message] of parts.entries()) {
    const udh = Buffer.from([5, 0, 3, 0x2a, parts.length, index + 1]);
    const answer = await peer.ask('submit_sm', {
      ...addresses('parts'), registered_delivery: 1, data_coding: 0, short_message: { udh, message },
    });
    sent.push(accepted(`part ${index + 1} of ${parts.length}`, answer, 'parts'));
  }
  equal('message ids differ', new Set(sent.map((one) => one.id)).size, sent.length);

  await receipts(peer, sent);
  for (const { what, id, to: number } of sent) {
    const answer = await peer.ask('query_sm', { message_id: id, source_addr_ton: 5, source_addr: talk.source });
    equal(`query_sm of ${what} (${number})`, [answer.command_status, answer.message_id, answer.message_state], [0, id, 2]);
  }
  const unknown = await peer.ask('query_sm', { message_id: '1', source_addr_ton: 5, source_addr: talk.source });
  equal('query_sm of an unknown message', unknown.command_status, smpp.ESME_RQUERYFAIL);
  await peer.enquire();
  await peer.unbind();
}

async function submit(peer, kind, options, field = 'short_message') {
  const text = talk.messages[kind].text;
  const answer = await peer.ask('submit_sm', {
    ...addresses(kind), registered_delivery: 1, ...options, [field]: field === 'message_payload' ? { message: text } : text,
  });
  return accepted(`submit_sm ${kind}`, answer, kind);
}

function accepted(what, answer, kind) {
  equal(`${what} is accepted`, answer.command_status, 0);
  check(`${what} has a decimal message_id`, /^[0-9]+$/.test(answer.message_id), answer.message_id);
  return { what, id: answer.message_id, to: addresses(kind).destination_addr };
}

// Waits for one receipt of each, and a while longer for a second one that must not come.
async function receipts(peer, sent) {
  await until('receipts', () => sent.every((one) => peer.receipts.has(one.id)));
  await pause(QUIET);
  for (const one of sent) {
    const [receipt, ...more] = peer.receipts.get(one.id);
    equal(`one receipt of ${one.what}`, more.length, 0);
    check(`receipt of ${one.what}: stat:DELIVRD`, / stat:DELIVRD /.test(receipt.text), receipt.text);
    equal(`receipt of ${one.what}: TLVs`, receipt.tlvs, [one.id, 2]);
    equal(`receipt of ${one.what}: addresses`, receipt.addresses, [one.to, talk.source]);
  }
  equal('receipts of nothing else', [...peer.receipts.keys()].filter((id) => !sent.some((one) => one.id === id)), []);
}

function addresses(kind) {
  return {
    source_addr_ton: 5, source_addr_npi: 0, source_addr: talk.source,
    dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to + talk.messages[kind].digit,
  };
}

// One connection. Everything that is delivered is noted and answered.
class Peer {
  constructor(session) {
    this.session = session;
    this.receipts = new Map();
    this.delivered = 0;
    session.on('deliver_sm', (pdu) => this.deliver(pdu));
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unknown', (pdu) => check('only known commands come', false, `0x${pdu.command_id.toString(16)}`));
    session.on('error', (error) => check('the connection holds', false, error.message));
  }

  deliver(pdu) {
    this.delivered += 1;
    const text = pdu.short_message.message;
    if ((pdu.esm_class & 0x3c) === 0x04) {
      const id = /^id:([^ ]+) /.exec(text)?.[1];
      const note = {
        text, tlvs: [pdu.receipted_message_id, pdu.message_state], addresses: [pdu.source_addr, pdu.destination_addr],
      };
      this.receipts.set(id, [...(this.receipts.get(id) ?? []), note]);
    } else {
      const wanted = [...Array(Number(moCount)).keys()].find((n) => text === moText.replace('{n}', n));
      const seen = [pdu.esm_class, pdu.source_addr, pdu.destination_addr];
      equal('a message from a phone has its addresses', seen, [0, talk.mo_source, moNumber]);
      check(`a message from a phone has its text, once: ${text}`, wanted !== undefined && !moSeen.has(wanted), text);
      moSeen.add(wanted);
    }
    this.session.send(pdu.response());
  }

  ask(command, options) {
    return within(`${command}_resp`, new Promise((answered) => this.session[command](options, answered)));
  }

  async enquire() {
    const answer = await this.ask('enquire_link', {});
    equal('enquire_link is answered', [answer.command, answer.command_status], ['enquire_link_resp', 0]);
  }

  async unbind() {
    const answer = await this.ask('unbind', {});
    equal('unbind is answered', [answer.command, answer.command_status], ['unbind_resp', 0]);
    await this.close();
  }

  close() {
    return within('the end of the connection', new Promise((closed) => {
      if (this.session.socket.destroyed) closed();
      else this.session.close(closed);
    }));
  }
}

function connect() {
  return within('a connection', new Promise((connected) => {
    const session = smpp.connect({ host, port: Number(port) }, () => connected(peer));
    const peer = new Peer(session);
  }));
}

async function bound(command) {
  const peer = await connect();
  const answer = await peer.ask(command, { system_id, password });
  equal(`${command} is accepted`, [answer.command, answer.command_status], [`${command}_resp`, 0]);
  return peer;
}

// 153 septets a part. The package has no splitter, so this cuts as simple clients do: also between an escape and its
// letter. Octets go out as they are here, because the package encodes whole strings only.
function cut(text) {
  const octets = smpp.encodings.ASCII.encode(text);
  return Array.from({ length: Math.ceil(octets.length / 153) }, (_, index) => octets.subarray(index * 153, (index + 1) * 153));
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(what, holds) {
  for (const end = Date.now() + PATIENCE; !holds(); await pause(20)) {
    if (Date.now() > end) throw new Error(`no ${what} within ${PATIENCE} ms`);
  }
}

function within(what, promise) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no ${what} within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function equal(what, got, expected) {
  check(what, JSON.stringify(got) === JSON.stringify(expected), `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}

function check(what, holds, detail) {
  if (holds) passed += 1;
  else failed += 1;
  console.log(holds ? `PASS ${what}` : `FAIL ${what}: ${detail}`);
}

let passed = 0;
let failed = 0;
const moSeen = new Set();
const PATIENCE = 15_000;
const QUIET = 1_500;

conversation()
  .catch((error) => check('the conversation goes to its end', false, error.message))
  .finally(() => {
    console.log(`smpp: ${passed} passed, ${failed} failed`);
    process.exit(failed === 0 ? 0 : 1);
  });
