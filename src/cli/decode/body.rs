//! The mandatory fields of every operation, in the order of the wire, with the octets that each takes.

use bytes::Bytes;
use smpp_proto::field::Address;
use smpp_proto::pdu::{
    AlertNotification, Bind, BroadcastSm, CancelSm, DataSm, DeliverSm, Destination, QuerySm, QuerySmResp,
    ReplaceSm, SubmitMulti, SubmitMultiResp, SubmitSm,
};
use smpp_proto::{Body, COctets};

use super::json::Json;

/// The fields of one body.
#[derive(Debug, Default)]
pub(super) struct Rows(pub(super) Vec<Row>);

/// One field.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: Json,
    /// Octets on the wire.
    pub(super) octets: usize,
    /// The fields of each entry, where it is a list.
    pub(super) entries: Vec<Rows>,
}

impl Rows {
    pub(super) fn to_json(&self) -> Json {
        Json::Object(self.0.iter().map(|row| (row.name, row.value.clone())).collect())
    }

    fn row(mut self, name: &'static str, value: impl Into<Json>, octets: usize) -> Self {
        self.0.push(Row { name, value: value.into(), octets, entries: Vec::new() });
        self
    }

    fn list(mut self, name: &'static str, entries: Vec<Rows>) -> Self {
        let value = Json::List(entries.iter().map(Rows::to_json).collect());
        let octets = entries.iter().map(Rows::octets).sum();
        self.0.push(Row { name, value, octets, entries });
        self
    }

    /// Octets on the wire.
    pub(super) fn octets(&self) -> usize {
        self.0.iter().map(|row| row.octets).sum()
    }

    fn u8(self, name: &'static str, value: u8) -> Self {
        self.row(name, value, 1)
    }

    fn text(self, name: &'static str, text: &COctets) -> Self {
        self.row(name, text, text.len() + 1)
    }

    fn text_if(self, name: &'static str, text: Option<&COctets>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    fn source(self, address: &Address) -> Self {
        self.address(["source_addr_ton", "source_addr_npi", "source_addr"], address)
    }

    fn destination(self, address: &Address) -> Self {
        self.address(["dest_addr_ton", "dest_addr_npi", "destination_addr"], address)
    }

    fn address(self, [ton, npi, digits]: [&'static str; 3], address: &Address) -> Self {
        self.u8(ton, address.ton.0).u8(npi, address.npi.0).text(digits, &address.digits)
    }

    fn message(self, message: &Bytes) -> Self {
        self.row("sm_length", message.len(), 1).row("short_message", Json::hex(message), message.len())
    }
}

/// The fields of a body.
pub(super) fn rows_of(body: &Body) -> Rows {
    let rows = Rows::default();
    match body {
        Body::BindReceiver(bind) | Body::BindTransmitter(bind) | Body::BindTransceiver(bind) => {
            rows.bind(bind)
        }
        Body::BindReceiverResp(resp) | Body::BindTransmitterResp(resp) | Body::BindTransceiverResp(resp) => {
            rows.text_if("system_id", resp.system_id.as_ref())
        }
        Body::Outbind(outbind) => {
            let password = outbind.password.expose();
            rows.text("system_id", &outbind.system_id).row(
                "password",
                Json::text(password),
                password.len() + 1,
            )
        }
        Body::SubmitSm(submit) => rows.submit(submit),
        Body::DeliverSm(deliver) => rows.deliver(deliver),
        Body::DataSm(data) => rows.data(data),
        Body::SubmitMulti(multi) => rows.multi(multi),
        Body::SubmitMultiResp(resp) => rows.multi_resp(resp),
        Body::SubmitSmResp(resp) => rows.text_if("message_id", resp.message_id.as_ref()),
        Body::DeliverSmResp(resp) => rows.text_if("message_id", resp.message_id.as_ref()),
        Body::DataSmResp(resp) => rows.text_if("message_id", resp.message_id.as_ref()),
        Body::BroadcastSmResp(resp) | Body::QueryBroadcastSmResp(resp) => {
            rows.text_if("message_id", resp.message_id.as_ref())
        }
        Body::QuerySm(query) => rows.query(query),
        Body::QuerySmResp(resp) => rows.query_resp(resp),
        Body::CancelSm(cancel) => rows.cancel(cancel),
        Body::ReplaceSm(replace) => rows.replace(replace),
        Body::AlertNotification(alert) => rows.alert(alert),
        Body::BroadcastSm(broadcast) => rows.broadcast(broadcast),
        Body::QueryBroadcastSm(query) => rows.text("message_id", &query.message_id).source(&query.source),
        Body::CancelBroadcastSm(cancel) => rows
            .text("service_type", &cancel.service_type)
            .text("message_id", &cancel.message_id)
            .source(&cancel.source),
        Body::EnquireLink(_)
        | Body::EnquireLinkResp(_)
        | Body::Unbind(_)
        | Body::UnbindResp(_)
        | Body::CancelSmResp(_)
        | Body::ReplaceSmResp(_)
        | Body::CancelBroadcastSmResp(_)
        | Body::GenericNack(_) => rows,
    }
}

impl Rows {
    fn bind(self, bind: &Bind) -> Self {
        let password = bind.password.expose();
        self.text("system_id", &bind.system_id)
            .row("password", Json::text(password), password.len() + 1)
            .text("system_type", &bind.system_type)
            .u8("interface_version", bind.interface_version.0)
            .u8("addr_ton", bind.addr_ton.0)
            .u8("addr_npi", bind.addr_npi.0)
            .text("address_range", &bind.address_range)
    }

    fn submit(self, submit: &SubmitSm) -> Self {
        self.text("service_type", &submit.service_type)
            .source(&submit.source)
            .destination(&submit.destination)
            .u8("esm_class", submit.esm_class.0)
            .u8("protocol_id", submit.protocol_id)
            .u8("priority_flag", submit.priority_flag)
            .text("schedule_delivery_time", &submit.schedule_delivery_time)
            .text("validity_period", &submit.validity_period)
            .u8("registered_delivery", submit.registered_delivery.0)
            .u8("replace_if_present_flag", submit.replace_if_present_flag)
            .u8("data_coding", submit.data_coding.0)
            .u8("sm_default_msg_id", submit.sm_default_msg_id)
            .message(&submit.short_message)
    }

    fn deliver(self, deliver: &DeliverSm) -> Self {
        self.text("service_type", &deliver.service_type)
            .source(&deliver.source)
            .destination(&deliver.destination)
            .u8("esm_class", deliver.esm_class.0)
            .u8("protocol_id", deliver.protocol_id)
            .u8("priority_flag", deliver.priority_flag)
            .text("schedule_delivery_time", &deliver.schedule_delivery_time)
            .text("validity_period", &deliver.validity_period)
            .u8("registered_delivery", deliver.registered_delivery.0)
            .u8("replace_if_present_flag", deliver.replace_if_present_flag)
            .u8("data_coding", deliver.data_coding.0)
            .u8("sm_default_msg_id", deliver.sm_default_msg_id)
            .message(&deliver.short_message)
    }

    fn data(self, data: &DataSm) -> Self {
        self.text("service_type", &data.service_type)
            .source(&data.source)
            .destination(&data.destination)
            .u8("esm_class", data.esm_class.0)
            .u8("registered_delivery", data.registered_delivery.0)
            .u8("data_coding", data.data_coding.0)
    }

    fn multi(self, multi: &SubmitMulti) -> Self {
        let destinations = multi.destinations.iter().map(|destination| match destination {
            Destination::Address(address) => Self::default().u8("dest_flag", 1).destination(address),
            Destination::List(name) => Self::default().u8("dest_flag", 2).text("dl_name", name),
        });
        self.text("service_type", &multi.service_type)
            .source(&multi.source)
            .row("number_of_dests", multi.destinations.len(), 1)
            .list("dest_address", destinations.collect())
            .u8("esm_class", multi.esm_class.0)
            .u8("protocol_id", multi.protocol_id)
            .u8("priority_flag", multi.priority_flag)
            .text("schedule_delivery_time", &multi.schedule_delivery_time)
            .text("validity_period", &multi.validity_period)
            .u8("registered_delivery", multi.registered_delivery.0)
            .u8("replace_if_present_flag", multi.replace_if_present_flag)
            .u8("data_coding", multi.data_coding.0)
            .u8("sm_default_msg_id", multi.sm_default_msg_id)
            .message(&multi.short_message)
    }

    fn multi_resp(self, resp: &SubmitMultiResp) -> Self {
        let Some(id) = &resp.message_id else { return self };
        let unsuccessful = resp.unsuccessful.iter().map(|one| {
            let status = Json::code(one.status.0, 8);
            Self::default().destination(&one.destination).row("error_status_code", status, 4)
        });
        self.text("message_id", id)
            .row("no_unsuccess", resp.unsuccessful.len(), 1)
            .list("unsuccess_sme", unsuccessful.collect())
    }

    fn query(self, query: &QuerySm) -> Self {
        self.text("message_id", &query.message_id).source(&query.source)
    }

    fn query_resp(self, resp: &QuerySmResp) -> Self {
        let Some(id) = &resp.message_id else { return self };
        self.text("message_id", id)
            .text("final_date", &resp.final_date)
            .u8("message_state", resp.message_state.0)
            .u8("error_code", resp.error_code)
    }

    fn cancel(self, cancel: &CancelSm) -> Self {
        self.text("service_type", &cancel.service_type)
            .text("message_id", &cancel.message_id)
            .source(&cancel.source)
            .destination(&cancel.destination)
    }

    fn replace(self, replace: &ReplaceSm) -> Self {
        self.text("message_id", &replace.message_id)
            .source(&replace.source)
            .text("schedule_delivery_time", &replace.schedule_delivery_time)
            .text("validity_period", &replace.validity_period)
            .u8("registered_delivery", replace.registered_delivery.0)
            .u8("sm_default_msg_id", replace.sm_default_msg_id)
            .message(&replace.short_message)
    }

    fn alert(self, alert: &AlertNotification) -> Self {
        self.source(&alert.source).address(["esme_addr_ton", "esme_addr_npi", "esme_addr"], &alert.esme)
    }

    fn broadcast(self, broadcast: &BroadcastSm) -> Self {
        self.text("service_type", &broadcast.service_type)
            .source(&broadcast.source)
            .text("message_id", &broadcast.message_id)
            .u8("priority_flag", broadcast.priority_flag)
            .text("schedule_delivery_time", &broadcast.schedule_delivery_time)
            .text("validity_period", &broadcast.validity_period)
            .u8("replace_if_present_flag", broadcast.replace_if_present_flag)
            .u8("data_coding", broadcast.data_coding.0)
            .u8("sm_default_msg_id", broadcast.sm_default_msg_id)
    }
}
