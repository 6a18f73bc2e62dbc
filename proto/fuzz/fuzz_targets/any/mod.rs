//! Any PDU, drawn from the octets of the fuzzer: what a caller could ask the encoder for, now and then too long for it.

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use smpp_proto::field::{
    Address, COctets, CommandStatus, DataCoding, EsmClass, InterfaceVersion, MessageState, Npi,
    RegisteredDelivery, Tag, Tlv, Tlvs, Ton,
};
use smpp_proto::pdu::{
    AlertNotification, Bind, BindResp, Body, BroadcastResp, BroadcastSm, CancelBroadcastSm, CancelSm, DataSm,
    DataSmResp, DeliverSm, DeliverSmResp, Destination, Outbind, Password, Pdu, QueryBroadcastSm, QuerySm,
    QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp, Unsuccessful,
};

/// Draws one.
pub fn pdu(from: &mut Unstructured<'_>) -> Result<Pdu> {
    let sequence = from.arbitrary()?;
    match from.int_in_range(0..=9_u8)? {
        0..=5 => Ok(Pdu::request(sequence, request(from)?)),
        6..=8 => Ok(Pdu::response(sequence, CommandStatus(from.arbitrary()?), response(from)?)),
        _ => {
            let status = CommandStatus(from.int_in_range(1..=u32::MAX)?);
            Ok(Pdu::response(sequence, status, without_body(from)?))
        }
    }
}

fn request(from: &mut Unstructured<'_>) -> Result<Body> {
    Ok(match from.int_in_range(0..=16_u8)? {
        0 => Body::BindReceiver(bind(from)?),
        1 => Body::BindTransmitter(bind(from)?),
        2 => Body::BindTransceiver(bind(from)?),
        3 => Body::Outbind(Outbind {
            system_id: string(from, 15)?,
            password: Password::from(string(from, 256)?),
            tlvs: tlvs(from)?,
        }),
        4 => Body::AlertNotification(AlertNotification {
            source: address(from, 64)?,
            esme: address(from, 64)?,
            tlvs: tlvs(from)?,
        }),
        5 => Body::EnquireLink(tlvs(from)?),
        6 => Body::Unbind(tlvs(from)?),
        7 => Body::SubmitSm(submit_sm(from)?),
        8 => Body::DeliverSm(deliver_sm(from)?),
        9 => Body::SubmitMulti(submit_multi(from)?),
        10 => Body::DataSm(DataSm {
            service_type: string(from, 5)?,
            source: address(from, 64)?,
            destination: address(from, 64)?,
            esm_class: EsmClass(from.arbitrary()?),
            registered_delivery: RegisteredDelivery(from.arbitrary()?),
            data_coding: DataCoding(from.arbitrary()?),
            tlvs: tlvs(from)?,
        }),
        11 => Body::QuerySm(QuerySm {
            message_id: string(from, 64)?,
            source: address(from, 20)?,
            tlvs: tlvs(from)?,
        }),
        12 => Body::CancelSm(CancelSm {
            service_type: string(from, 5)?,
            message_id: string(from, 64)?,
            source: address(from, 20)?,
            destination: address(from, 20)?,
            tlvs: tlvs(from)?,
        }),
        13 => Body::ReplaceSm(replace_sm(from)?),
        14 => Body::BroadcastSm(broadcast_sm(from)?),
        15 => Body::QueryBroadcastSm(QueryBroadcastSm {
            message_id: string(from, 64)?,
            source: address(from, 20)?,
            tlvs: tlvs(from)?,
        }),
        _ => Body::CancelBroadcastSm(CancelBroadcastSm {
            service_type: string(from, 5)?,
            message_id: string(from, 64)?,
            source: address(from, 20)?,
            tlvs: tlvs(from)?,
        }),
    })
}

fn response(from: &mut Unstructured<'_>) -> Result<Body> {
    let kind = from.int_in_range(0..=15_u8)?;
    let tlvs = tlvs(from)?;
    Ok(match kind {
        0 => Body::EnquireLinkResp(tlvs),
        1 => Body::UnbindResp(tlvs),
        2 => Body::CancelSmResp(tlvs),
        3 => Body::ReplaceSmResp(tlvs),
        4 => Body::CancelBroadcastSmResp(tlvs),
        5 => Body::GenericNack(tlvs),
        6 => Body::BindReceiverResp(BindResp { system_id: Some(string(from, 15)?), tlvs }),
        7 => Body::BindTransmitterResp(BindResp { system_id: Some(string(from, 15)?), tlvs }),
        8 => Body::BindTransceiverResp(BindResp { system_id: Some(string(from, 15)?), tlvs }),
        9 => Body::SubmitSmResp(SubmitSmResp { message_id: Some(string(from, 64)?), tlvs }),
        10 => Body::DeliverSmResp(DeliverSmResp { message_id: Some(string(from, 64)?), tlvs }),
        11 => Body::DataSmResp(DataSmResp { message_id: Some(string(from, 64)?), tlvs }),
        12 => Body::BroadcastSmResp(BroadcastResp { message_id: Some(string(from, 64)?), tlvs }),
        13 => Body::QueryBroadcastSmResp(BroadcastResp { message_id: Some(string(from, 64)?), tlvs }),
        14 => Body::QuerySmResp(QuerySmResp {
            message_id: Some(string(from, 64)?),
            final_date: time(from)?,
            message_state: MessageState(from.arbitrary()?),
            error_code: from.arbitrary()?,
            tlvs,
        }),
        _ => {
            let one = |from: &mut Unstructured<'_>| {
                let status = CommandStatus(from.arbitrary()?);
                Ok(Unsuccessful { destination: address(from, 20)?, status })
            };
            Body::SubmitMultiResp(SubmitMultiResp {
                message_id: Some(string(from, 64)?),
                unsuccessful: some(from, 5, one)?,
                tlvs,
            })
        }
    })
}

/// Responses that say no and nothing more.
fn without_body(from: &mut Unstructured<'_>) -> Result<Body> {
    Ok(match from.int_in_range(0..=6_u8)? {
        0 => Body::BindReceiverResp(BindResp::default()),
        1 => Body::BindTransceiverResp(BindResp::default()),
        2 => Body::SubmitSmResp(SubmitSmResp::default()),
        3 => Body::SubmitMultiResp(SubmitMultiResp::default()),
        4 => Body::DeliverSmResp(DeliverSmResp::default()),
        5 => Body::QuerySmResp(QuerySmResp::default()),
        _ => Body::BroadcastSmResp(BroadcastResp::default()),
    })
}

fn bind(from: &mut Unstructured<'_>) -> Result<Bind> {
    Ok(Bind {
        system_id: string(from, 15)?,
        password: Password::from(string(from, 256)?),
        system_type: string(from, 12)?,
        interface_version: InterfaceVersion(from.arbitrary()?),
        addr_ton: Ton(from.arbitrary()?),
        addr_npi: Npi(from.arbitrary()?),
        address_range: string(from, 40)?,
        tlvs: tlvs(from)?,
    })
}

fn submit_sm(from: &mut Unstructured<'_>) -> Result<SubmitSm> {
    Ok(SubmitSm {
        service_type: string(from, 5)?,
        source: address(from, 20)?,
        destination: address(from, 20)?,
        esm_class: EsmClass(from.arbitrary()?),
        protocol_id: from.arbitrary()?,
        priority_flag: from.arbitrary()?,
        schedule_delivery_time: time(from)?,
        validity_period: time(from)?,
        registered_delivery: RegisteredDelivery(from.arbitrary()?),
        replace_if_present_flag: from.arbitrary()?,
        data_coding: DataCoding(from.arbitrary()?),
        sm_default_msg_id: from.arbitrary()?,
        short_message: octets(from, 255)?,
        tlvs: tlvs(from)?,
    })
}

fn deliver_sm(from: &mut Unstructured<'_>) -> Result<DeliverSm> {
    let sm = submit_sm(from)?;
    Ok(DeliverSm {
        service_type: sm.service_type,
        source: sm.source,
        destination: sm.destination,
        esm_class: sm.esm_class,
        protocol_id: sm.protocol_id,
        priority_flag: sm.priority_flag,
        schedule_delivery_time: sm.schedule_delivery_time,
        validity_period: sm.validity_period,
        registered_delivery: sm.registered_delivery,
        replace_if_present_flag: sm.replace_if_present_flag,
        data_coding: sm.data_coding,
        sm_default_msg_id: sm.sm_default_msg_id,
        short_message: sm.short_message,
        tlvs: sm.tlvs,
    })
}

fn submit_multi(from: &mut Unstructured<'_>) -> Result<SubmitMulti> {
    let destination = |from: &mut Unstructured<'_>| {
        Ok(match from.arbitrary()? {
            true => Destination::Address(address(from, 20)?),
            false => Destination::List(string(from, 20)?),
        })
    };
    let destinations = some(from, 6, destination)?;
    let sm = submit_sm(from)?;
    Ok(SubmitMulti {
        service_type: sm.service_type,
        source: sm.source,
        destinations,
        esm_class: sm.esm_class,
        protocol_id: sm.protocol_id,
        priority_flag: sm.priority_flag,
        schedule_delivery_time: sm.schedule_delivery_time,
        validity_period: sm.validity_period,
        registered_delivery: sm.registered_delivery,
        replace_if_present_flag: sm.replace_if_present_flag,
        data_coding: sm.data_coding,
        sm_default_msg_id: sm.sm_default_msg_id,
        short_message: sm.short_message,
        tlvs: sm.tlvs,
    })
}

fn replace_sm(from: &mut Unstructured<'_>) -> Result<ReplaceSm> {
    Ok(ReplaceSm {
        message_id: string(from, 64)?,
        source: address(from, 20)?,
        schedule_delivery_time: time(from)?,
        validity_period: time(from)?,
        registered_delivery: RegisteredDelivery(from.arbitrary()?),
        sm_default_msg_id: from.arbitrary()?,
        short_message: octets(from, 255)?,
        tlvs: tlvs(from)?,
    })
}

fn broadcast_sm(from: &mut Unstructured<'_>) -> Result<BroadcastSm> {
    Ok(BroadcastSm {
        service_type: string(from, 5)?,
        source: address(from, 20)?,
        message_id: string(from, 64)?,
        priority_flag: from.arbitrary()?,
        schedule_delivery_time: time(from)?,
        validity_period: time(from)?,
        replace_if_present_flag: from.arbitrary()?,
        data_coding: DataCoding(from.arbitrary()?),
        sm_default_msg_id: from.arbitrary()?,
        tlvs: tlvs(from)?,
    })
}

fn address(from: &mut Unstructured<'_>, most: usize) -> Result<Address> {
    let (ton, npi) = (Ton(from.arbitrary()?), Npi(from.arbitrary()?));
    Ok(Address { ton, npi, digits: string(from, most)? })
}

/// Tags of the table, of vendors, and any others.
fn tlvs(from: &mut Unstructured<'_>) -> Result<Tlvs> {
    let one = |from: &mut Unstructured<'_>| {
        let tag = match from.int_in_range(0..=3_u8)? {
            0 => Tag::MESSAGE_PAYLOAD,
            1 => Tag::RECEIPTED_MESSAGE_ID,
            2 => Tag(from.int_in_range(0x1400..=0x3FFF)?),
            _ => Tag(from.arbitrary()?),
        };
        Ok(Tlv::new(tag, octets(from, 40)?))
    };
    Ok(Tlvs::from(some(from, 5, one)?))
}

fn some<T>(
    from: &mut Unstructured<'_>,
    most: usize,
    one: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = from.int_in_range(0..=most)?;
    (0..count).map(|_| one(from)).collect()
}

fn octets(from: &mut Unstructured<'_>, most: usize) -> Result<Bytes> {
    let length = length(from, most)?.min(from.len());
    Ok(Bytes::copy_from_slice(from.bytes(length)?))
}

/// Octets without a NUL.
fn string(from: &mut Unstructured<'_>, most: usize) -> Result<COctets> {
    let octets: Vec<u8> = octets(from, most)?.iter().map(|octet| *octet.max(&1)).collect();
    Ok(COctets::from(&octets[..]))
}

fn time(from: &mut Unstructured<'_>) -> Result<COctets> {
    Ok(if from.ratio(2, 3)? { COctets::EMPTY } else { string(from, 16)? })
}

/// Within the bound, or, seldom, one too many.
fn length(from: &mut Unstructured<'_>, most: usize) -> Result<usize> {
    Ok(if from.ratio(1, 64)? { most + 1 } else { from.int_in_range(0..=most)? })
}
