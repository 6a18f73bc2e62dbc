//! Any PDU that can be written: strategies for the property tests.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use smpp_proto::field::{
    Address, COctets, CommandStatus, DataCoding, EsmClass, InterfaceVersion, MessageState, Npi,
    RegisteredDelivery, Tag, Tlv, Tlvs, Ton,
};
use smpp_proto::pdu::{
    AlertNotification, Bind, BindResp, Body, BroadcastResp, BroadcastSm, CancelBroadcastSm, CancelSm, DataSm,
    DataSmResp, DeliverSm, DeliverSmResp, Destination, Outbind, Password, Pdu, QueryBroadcastSm, QuerySm,
    QuerySmResp, ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp, Unsuccessful,
};

/// A string of at most `most` octets, of any octet but NUL.
pub(crate) fn string(most: usize) -> impl Strategy<Value = COctets> {
    vec(1..=255u8, 0..=most).prop_map(|octets| COctets::from(&octets[..]))
}

fn time() -> impl Strategy<Value = COctets> {
    prop_oneof![Just(COctets::EMPTY), vec(1..=255u8, 16).prop_map(|octets| COctets::from(&octets[..]))]
}

fn octets(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..=most).prop_map(Bytes::from)
}

fn address(most: usize) -> impl Strategy<Value = Address> {
    (any::<u8>(), any::<u8>(), string(most)).prop_map(|(ton, npi, digits)| Address {
        ton: Ton(ton),
        npi: Npi(npi),
        digits,
    })
}

/// Tags of the table, of vendors, and any others.
pub(crate) fn tlvs() -> impl Strategy<Value = Tlvs> {
    let tag = prop_oneof![Just(0x0424u16), Just(0x001E), 0x1400..0x3FFFu16, any::<u16>()];
    vec((tag, octets(40)).prop_map(|(tag, value)| Tlv { tag: Tag(tag), value }), 0..5).prop_map(Tlvs::from)
}

/// The status of a response that has a body: any.
fn status() -> impl Strategy<Value = CommandStatus> {
    prop_oneof![Just(0), 0..0x113u32, 0x400..0x500u32, any::<u32>()].prop_map(CommandStatus)
}

prop_compose! {
    fn submit_sm()(
        service_type in string(5),
        source in address(20),
        destination in address(20),
        [esm_class, protocol_id, priority_flag] in any::<[u8; 3]>(),
        (schedule_delivery_time, validity_period) in (time(), time()),
        [registered, replace_if_present_flag, data_coding, sm_default_msg_id] in any::<[u8; 4]>(),
        short_message in octets(255),
        tlvs in tlvs(),
    ) -> SubmitSm {
        SubmitSm {
            service_type, source, destination, esm_class: EsmClass(esm_class), protocol_id, priority_flag,
            schedule_delivery_time, validity_period, registered_delivery: RegisteredDelivery(registered),
            replace_if_present_flag, data_coding: DataCoding(data_coding), sm_default_msg_id, short_message, tlvs,
        }
    }
}

fn deliver_sm() -> impl Strategy<Value = DeliverSm> {
    submit_sm().prop_map(|sm| DeliverSm {
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

fn submit_multi() -> impl Strategy<Value = SubmitMulti> {
    let destination =
        prop_oneof![address(20).prop_map(Destination::Address), string(20).prop_map(Destination::List)];
    (submit_sm(), vec(destination, 0..6)).prop_map(|(sm, destinations)| SubmitMulti {
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

prop_compose! {
    fn bind()(
        system_id in string(15),
        password in string(256),
        system_type in string(12),
        [version, ton, npi] in any::<[u8; 3]>(),
        address_range in string(40),
        tlvs in tlvs(),
    ) -> Bind {
        Bind {
            system_id, password: Password::from(password), system_type,
            interface_version: InterfaceVersion(version), addr_ton: Ton(ton), addr_npi: Npi(npi),
            address_range, tlvs,
        }
    }
}

fn session_request() -> impl Strategy<Value = Body> {
    prop_oneof![
        bind().prop_map(Body::BindReceiver),
        bind().prop_map(Body::BindTransmitter),
        bind().prop_map(Body::BindTransceiver),
        (string(15), string(256), tlvs()).prop_map(|(system_id, password, tlvs)| {
            Body::Outbind(Outbind { system_id, password: Password::from(password), tlvs })
        }),
        (address(64), address(64), tlvs()).prop_map(|(source, esme, tlvs)| {
            Body::AlertNotification(AlertNotification { source, esme, tlvs })
        }),
        tlvs().prop_map(Body::EnquireLink),
        tlvs().prop_map(Body::Unbind),
    ]
}

fn message_request() -> impl Strategy<Value = Body> {
    prop_oneof![
        submit_sm().prop_map(Body::SubmitSm),
        deliver_sm().prop_map(Body::DeliverSm),
        submit_multi().prop_map(Body::SubmitMulti),
        (string(5), address(64), address(64), any::<[u8; 3]>(), tlvs()).prop_map(
            |(service_type, source, destination, [esm, registered, coding], tlvs)| {
                Body::DataSm(DataSm {
                    service_type,
                    source,
                    destination,
                    esm_class: EsmClass(esm),
                    registered_delivery: RegisteredDelivery(registered),
                    data_coding: DataCoding(coding),
                    tlvs,
                })
            }
        ),
    ]
}

fn management_request() -> impl Strategy<Value = Body> {
    prop_oneof![
        (string(64), address(20), tlvs())
            .prop_map(|(message_id, source, tlvs)| { Body::QuerySm(QuerySm { message_id, source, tlvs }) }),
        (string(64), address(20), tlvs()).prop_map(|(message_id, source, tlvs)| {
            Body::QueryBroadcastSm(QueryBroadcastSm { message_id, source, tlvs })
        }),
        (string(5), string(64), address(20), tlvs()).prop_map(|(service_type, message_id, source, tlvs)| {
            Body::CancelBroadcastSm(CancelBroadcastSm { service_type, message_id, source, tlvs })
        }),
        (string(64), submit_sm()).prop_map(|(message_id, sm)| {
            Body::CancelSm(CancelSm {
                service_type: sm.service_type,
                message_id,
                source: sm.source,
                destination: sm.destination,
                tlvs: sm.tlvs,
            })
        }),
        (string(64), submit_sm()).prop_map(|(message_id, sm)| {
            Body::ReplaceSm(ReplaceSm {
                message_id,
                source: sm.source,
                schedule_delivery_time: sm.schedule_delivery_time,
                validity_period: sm.validity_period,
                registered_delivery: sm.registered_delivery,
                sm_default_msg_id: sm.sm_default_msg_id,
                short_message: sm.short_message,
                tlvs: sm.tlvs,
            })
        }),
        (string(64), submit_sm()).prop_map(|(message_id, sm)| {
            Body::BroadcastSm(BroadcastSm {
                service_type: sm.service_type,
                source: sm.source,
                message_id,
                priority_flag: sm.priority_flag,
                schedule_delivery_time: sm.schedule_delivery_time,
                validity_period: sm.validity_period,
                replace_if_present_flag: sm.replace_if_present_flag,
                data_coding: sm.data_coding,
                sm_default_msg_id: sm.sm_default_msg_id,
                tlvs: sm.tlvs,
            })
        }),
    ]
}

/// Bodies of responses that are there.
fn response_body() -> impl Strategy<Value = Body> {
    let failure = (address(20), any::<u32>())
        .prop_map(|(destination, status)| Unsuccessful { destination, status: CommandStatus(status) });
    let multi = (string(64), vec(failure, 0..5), tlvs()).prop_map(|(message_id, unsuccessful, tlvs)| {
        Body::SubmitMultiResp(SubmitMultiResp { message_id: Some(message_id), unsuccessful, tlvs })
    });
    let query = (string(64), time(), any::<[u8; 2]>(), tlvs()).prop_map(
        |(message_id, final_date, [state, error_code], tlvs)| {
            let message_state = MessageState(state);
            Body::QuerySmResp(QuerySmResp {
                message_id: Some(message_id),
                final_date,
                message_state,
                error_code,
                tlvs,
            })
        },
    );
    let bind = (0..3u8, string(15), tlvs()).prop_map(|(kind, system_id, tlvs)| {
        let resp = BindResp { system_id: Some(system_id), tlvs };
        match kind {
            0 => Body::BindReceiverResp(resp),
            1 => Body::BindTransmitterResp(resp),
            _ => Body::BindTransceiverResp(resp),
        }
    });
    let with_id = (0..5u8, string(64), tlvs()).prop_map(|(kind, message_id, tlvs)| {
        let message_id = Some(message_id);
        match kind {
            0 => Body::SubmitSmResp(SubmitSmResp { message_id, tlvs }),
            1 => Body::DeliverSmResp(DeliverSmResp { message_id, tlvs }),
            2 => Body::DataSmResp(DataSmResp { message_id, tlvs }),
            3 => Body::BroadcastSmResp(BroadcastResp { message_id, tlvs }),
            _ => Body::QueryBroadcastSmResp(BroadcastResp { message_id, tlvs }),
        }
    });
    let bare = (0..6u8, tlvs()).prop_map(|(kind, tlvs)| match kind {
        0 => Body::EnquireLinkResp(tlvs),
        1 => Body::UnbindResp(tlvs),
        2 => Body::CancelSmResp(tlvs),
        3 => Body::ReplaceSmResp(tlvs),
        4 => Body::CancelBroadcastSmResp(tlvs),
        _ => Body::GenericNack(tlvs),
    });
    prop_oneof![multi, query, bind, with_id, bare]
}

/// Bodies of error responses that are not there.
fn no_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::BindReceiverResp(BindResp::default())),
        Just(Body::BindTransceiverResp(BindResp::default())),
        Just(Body::SubmitSmResp(SubmitSmResp::default())),
        Just(Body::SubmitMultiResp(SubmitMultiResp::default())),
        Just(Body::DeliverSmResp(DeliverSmResp::default())),
        Just(Body::QuerySmResp(QuerySmResp::default())),
        Just(Body::BroadcastSmResp(BroadcastResp::default())),
    ]
}

/// Any PDU that comes back as it was.
pub(crate) fn pdu() -> impl Strategy<Value = Pdu> {
    let request = (any::<u32>(), prop_oneof![session_request(), message_request(), management_request()])
        .prop_map(|(sequence, body)| Pdu::request(sequence, body));
    let response = (any::<u32>(), status(), response_body())
        .prop_map(|(sequence, status, body)| Pdu::response(sequence, status, body));
    let error = (any::<u32>(), 1..=u32::MAX, no_body())
        .prop_map(|(sequence, status, body)| Pdu::response(sequence, CommandStatus(status), body));
    prop_oneof![4 => request, 2 => response, 1 => error, 1 => any::<u32>().prop_map(Pdu::unbind)]
}
