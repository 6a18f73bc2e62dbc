//! TLS over loopback with certificates made for the test: trust, pins, client certificates, and clear errors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use smpp_proto::pdu::encode_empty;
use smpp_proto::{CommandId, CommandStatus};
use tokio::net::{TcpListener, TcpStream};

use super::tls::{self, ClientIdentity, ServerIdentity, Trust};
use super::{Io, Limits, Link, LinkError, TlsFacts};

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    /// An authority, a server certificate for "localhost" and a client certificate, both signed by it.
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().expect("a folder") };
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        files.write("ca.pem", &authority.pem());
        for name in ["localhost", "client"] {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
            files.write(&format!("{name}.pem"), &params.signed_by(&key, &authority).expect("signed").pem());
            files.write(&format!("{name}.key"), &key.serialize_pem());
        }
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn server(&self, client_ca: bool) -> ServerIdentity {
        ServerIdentity {
            certificate: self.path("localhost.pem"),
            private_key: self.path("localhost.key"),
            client_ca: client_ca.then(|| self.path("ca.pem")),
        }
    }

    fn client(&self) -> ClientIdentity {
        ClientIdentity { trust: Trust::Authorities(self.path("ca.pem")), certificate: None }
    }
}

/// Shakes hands and sends one PDU each way; gives what both ends know of each other.
async fn talk(
    server: &ServerIdentity,
    client: &ClientIdentity,
    name: &str,
) -> Result<(TlsFacts, TlsFacts), LinkError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let acceptor = tls::acceptor(server).expect("server settings");
    let connector = tls::connector(client).expect("client settings");
    let name = tls::server_name(name).expect("a name");
    let serve = async {
        let stream = tls::accept(&acceptor, listener.accept().await?.0, WITHIN).await?;
        let mut link = Link::tls(stream, Limits::default())?;
        receive(&mut link).await?;
        encode_empty(link.out(), CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, 1);
        link.write().await?;
        Ok::<_, LinkError>(link.tls_facts().expect("TLS"))
    };
    let dial = async {
        let stream = tls::connect(&connector, name, TcpStream::connect(address).await?, WITHIN).await?;
        let mut link = Link::tls(stream, Limits::default())?;
        encode_empty(link.out(), CommandId::ENQUIRE_LINK, CommandStatus::ROK, 1);
        link.write().await?;
        receive(&mut link).await?;
        Ok::<_, LinkError>(link.tls_facts().expect("TLS"))
    };
    tokio::try_join!(serve, dial)
}

async fn receive(link: &mut Link) -> Result<(), LinkError> {
    loop {
        if link.next_frame()?.is_some() {
            return Ok(());
        }
        if link.io(true).await? == Io::Closed {
            return Err(LinkError::ClosedInsidePdu(link.pending_in()));
        }
    }
}

#[tokio::test]
async fn both_ends_know_whom_they_talk_to() {
    let files = Files::new();
    let client = ClientIdentity {
        certificate: Some((files.path("client.pem"), files.path("client.key"))),
        ..files.client()
    };
    let (server_side, client_side) = talk(&files.server(true), &client, "localhost").await.expect("a talk");
    assert_eq!(server_side.version, "TLSv1_3");
    assert_eq!(server_side.server_name.as_deref(), Some("localhost"));
    assert!(server_side.peer_certificate.is_some() && client_side.peer_certificate.is_some());
    assert_ne!(server_side.peer_certificate, client_side.peer_certificate);
}

#[tokio::test]
async fn a_client_without_certificate_is_turned_away_where_one_is_asked_for() {
    let files = Files::new();
    assert!(talk(&files.server(true), &files.client(), "localhost").await.is_err());
    assert!(talk(&files.server(false), &files.client(), "localhost").await.is_ok());
}

#[tokio::test]
async fn a_wrong_name_or_authority_is_refused() {
    let (files, strangers) = (Files::new(), Files::new());
    assert!(talk(&files.server(false), &files.client(), "example.org").await.is_err());
    let error = talk(&files.server(false), &strangers.client(), "localhost").await.expect_err("refused");
    assert!(matches!(error, LinkError::Handshake(_)), "{error}");
}

#[tokio::test]
async fn a_pin_is_enough_and_holds() {
    let files = Files::new();
    let (_, client_side) = talk(&files.server(false), &files.client(), "localhost").await.expect("a talk");
    let pin = client_side.peer_certificate.expect("a fingerprint");
    let pinned = |pin| ClientIdentity { trust: Trust::Pinned(pin), certificate: None };
    assert!(talk(&files.server(false), &pinned(pin), "any.name").await.is_ok());
    assert!(talk(&files.server(false), &pinned([0; 32]), "localhost").await.is_err());
    let anyone = ClientIdentity { trust: Trust::InsecureAnyone, certificate: None };
    assert!(talk(&files.server(false), &anyone, "any.name").await.is_ok());
}

#[test]
fn errors_name_the_file_and_the_fault() {
    let files = Files::new();
    files.write("empty.pem", "");
    let with = |certificate: &str, key: &str, ca: Option<&str>| {
        let identity = ServerIdentity {
            certificate: files.path(certificate),
            private_key: files.path(key),
            client_ca: ca.map(|name| files.path(name)),
        };
        tls::acceptor(&identity).err().expect("an error").to_string()
    };
    for (error, file, fault) in [
        (with("none.pem", "localhost.key", None), "none.pem", "cannot be read"),
        (with("empty.pem", "localhost.key", None), "empty.pem", "no certificate"),
        (with("localhost.pem", "localhost.pem", None), "localhost.pem", "private key"),
        (with("localhost.pem", "client.key", None), "client.key", "not usable together"),
        (with("localhost.pem", "localhost.key", Some("client.key")), "client.key", "no certificate"),
    ] {
        assert!(error.contains(file) && error.contains(fault), "{error}");
    }
    assert!(tls::server_name("not a name").is_err());
    assert!(Path::new(&files.path("ca.pem")).is_file());
}

const WITHIN: Duration = Duration::from_secs(10);
