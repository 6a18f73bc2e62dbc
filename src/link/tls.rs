//! TLS for both roles: rustls configurations from PEM files, with errors that name the file and what is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::error::LinkError;
use super::socket::fingerprint;

/// What a TLS listener needs.
#[derive(Debug, Clone)]
pub struct ServerIdentity {
    /// PEM file with our certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// PEM file with the private key (PKCS#8, PKCS#1 or SEC1).
    pub private_key: PathBuf,
    /// PEM file with the authorities of client certificates. When set, a client without one of theirs is turned away.
    pub client_ca: Option<PathBuf>,
}

/// How a server that we dial proves who it is.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// By an authority of the operating system.
    #[default]
    System,
    /// By an authority in this PEM file.
    Authorities(PathBuf),
    /// By holding exactly the certificate with this SHA-256 fingerprint; names and dates do not matter then.
    Pinned([u8; 32]),
    /// Not at all: the line is encrypted, but anyone may be at the other end. For trials only.
    InsecureAnyone,
}

/// What a TLS connection to an operator needs.
#[derive(Debug, Clone, Default)]
pub struct ClientIdentity {
    /// How the server is recognised.
    pub trust: Trust,
    /// Our own certificate and private key, when the server asks for one (mTLS).
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Builds the acceptor of a TLS listener. Build a new one to take renewed files; established links keep the old.
///
/// # Errors
/// When a file is missing, is not PEM, holds nothing usable, or key and certificate do not belong together.
pub fn acceptor(identity: &ServerIdentity) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&identity.certificate)?;
    let key = private_key(&identity.private_key)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Rustls)?;
    let builder = match &identity.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider)
                .build()
                .map_err(|error| TlsError::Authorities { file: file.clone(), reason: error.to_string() })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(chain, key).map_err(|source| TlsError::Pair {
        certificate: identity.certificate.clone(),
        private_key: identity.private_key.clone(),
        source,
    })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Builds the connector for one operator.
///
/// # Errors
/// As [`acceptor`]; also when the operating system has no file of authorities where one is wanted.
pub fn connector(identity: &ClientIdentity) -> Result<TlsConnector, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &identity.trust {
        Trust::System => by_authorities(&system_authorities()?, Arc::clone(&provider))?,
        Trust::Authorities(file) => by_authorities(file, Arc::clone(&provider))?,
        Trust::Pinned(wanted) => Arc::new(Pinned { wanted: Some(*wanted), provider: Arc::clone(&provider) }),
        Trust::InsecureAnyone => Arc::new(Pinned { wanted: None, provider: Arc::clone(&provider) }),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Rustls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &identity.certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|source| TlsError::Pair {
                certificate: certificate.clone(),
                private_key: key.clone(),
                source,
            })?,
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Reads a name to ask a server for: a host name or an IP address.
///
/// # Errors
/// When it is neither.
pub fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
}

/// Does the server's half of the handshake on an accepted socket.
///
/// # Errors
/// [`LinkError::Handshake`], or [`LinkError::HandshakeTimeout`] after `within`.
pub async fn accept(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    within: Duration,
) -> Result<TlsStream<TcpStream>, LinkError> {
    match timeout(within, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Ok(stream.into()),
        Ok(Err(error)) => Err(LinkError::Handshake(error)),
        Err(_) => Err(LinkError::HandshakeTimeout(within)),
    }
}

/// Does the client's half of the handshake on a connected socket.
///
/// # Errors
/// [`LinkError::Handshake`], or [`LinkError::HandshakeTimeout`] after `within`.
pub async fn connect(
    connector: &TlsConnector,
    name: ServerName<'static>,
    stream: TcpStream,
    within: Duration,
) -> Result<TlsStream<TcpStream>, LinkError> {
    match timeout(within, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(stream.into()),
        Ok(Err(error)) => Err(LinkError::Handshake(error)),
        Err(_) => Err(LinkError::HandshakeTimeout(within)),
    }
}

/// What is wrong with a TLS setting. Every text names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("{file}: cannot be read as PEM: {reason}", file = .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A certificate file without a certificate.
    #[error("{}: no certificate in it (a line `-----BEGIN CERTIFICATE-----` is expected)", .0.display())]
    NoCertificate(PathBuf),
    /// Certificates that cannot serve as authorities.
    #[error("{file}: not usable as authorities: {reason}", file = .file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Key and certificate do not belong together, or are of a kind that is not supported.
    #[error("{certificate} and {private_key}: not usable together: {source}",
        certificate = .certificate.display(), private_key = .private_key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// Not a name that a certificate can carry.
    #[error("{0:?} is neither a host name nor an IP address")]
    ServerName(String),
    /// The operating system has no authorities where they are usually kept.
    #[error("no authorities found at {}; name a file of them", SYSTEM_AUTHORITIES.join(", "))]
    NoSystemAuthorities,
    /// The cryptography library refused its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Rustls(rustls::Error),
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error: rustls::pki_types::pem::Error| TlsError::Unreadable {
        file: file.into(),
        reason: error.to_string(),
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if chain.is_empty() { Err(TlsError::NoCertificate(file.into())) } else { Ok(chain) }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| TlsError::Unreadable { file: file.into(), reason: format!("private key: {error}") })
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates(file)?);
    if added == 0 {
        let reason = "none of its certificates can be parsed".to_owned();
        return Err(TlsError::Authorities { file: file.into(), reason });
    }
    Ok(store)
}

fn by_authorities(file: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots(file)?), provider)
        .build()
        .map_err(|error| TlsError::Authorities { file: file.into(), reason: error.to_string() })
}

fn system_authorities() -> Result<PathBuf, TlsError> {
    SYSTEM_AUTHORITIES
        .iter()
        .map(PathBuf::from)
        .find(|file| file.is_file())
        .ok_or(TlsError::NoSystemAuthorities)
}

/// Accepts one certificate, or any. The handshake's signature is checked either way: the peer holds its private key.
struct Pinned {
    wanted: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.wanted {
            Some(wanted) if fingerprint(certificate) != wanted => {
                Err(rustls::CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Where Debian, Fedora, SUSE and Alpine keep the authorities they trust.
const SYSTEM_AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
