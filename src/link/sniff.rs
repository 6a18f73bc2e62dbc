//! Recognises other protocols on an SMPP port, so that the log can say "this is HTTP" instead of an absurd length.

use std::fmt;

/// A protocol that is not SMPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A TLS ClientHello: the client wants the TLS port.
    Tls,
    /// An HTTP/1 request line, or an HTTP/1 answer.
    Http,
    /// The HTTP/2 connection preface.
    Http2,
    /// An SSH greeting.
    Ssh,
    /// A PROXY protocol header, version 1 or 2, where none is expected.
    Proxy,
    /// A Redis or SMTP style text line, or anything else that is plain text.
    Text,
}

impl Foreign {
    /// What the first octets of a connection look like; `None` when they may be SMPP, or when fewer than 4 are there.
    ///
    /// A real PDU begins with 0x00: a command_length that starts with any other octet is above 16 MiB.
    #[must_use]
    pub fn recognise(octets: &[u8]) -> Option<Self> {
        let first: [u8; 4] = octets.get(..4)?.try_into().ok()?;
        if first[0] == 0x00 {
            return None;
        }
        if first[0] == 0x16 && first[1] == 0x03 && first[2] <= 0x04 {
            return Some(Self::Tls);
        }
        match &first {
            b"PRI " => return Some(Self::Http2),
            b"SSH-" => return Some(Self::Ssh),
            b"PROX" | b"\r\n\r\n" => return Some(Self::Proxy),
            b"HTTP" => return Some(Self::Http),
            _ => {}
        }
        if HTTP_METHODS.iter().any(|method| octets.starts_with(method)) {
            return Some(Self::Http);
        }
        first.iter().all(|octet| matches!(octet, 0x20..=0x7E | b'\r' | b'\n')).then_some(Self::Text)
    }

    /// The protocol's name as a metric label or a log word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Http2 => "http2",
            Self::Ssh => "ssh",
            Self::Proxy => "proxy",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "these octets are a TLS ClientHello: the client speaks TLS on the plain SMPP port",
            Self::Http => "these octets are HTTP: the client took the SMPP port for a web address",
            Self::Http2 => "these octets are HTTP/2: the client took the SMPP port for a web address",
            Self::Ssh => "these octets are SSH",
            Self::Proxy => "these octets are a PROXY protocol header, which is not switched on here",
            Self::Text => "these octets are plain text",
        })
    }
}

const HTTP_METHODS: &[&[u8]] =
    &[b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"PATC", b"CONN", b"TRAC"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_not_smpp() {
        for (octets, foreign) in [
            (&b"\x16\x03\x01\x02\x00\x01"[..], Foreign::Tls),
            (b"GET / HTTP/1.1\r\n", Foreign::Http),
            (b"POST /v1/messages", Foreign::Http),
            (b"HTTP/1.1 400 Bad", Foreign::Http),
            (b"PRI * HTTP/2.0", Foreign::Http2),
            (b"SSH-2.0-OpenSSH", Foreign::Ssh),
            (b"PROXY TCP4 ", Foreign::Proxy),
            (b"\r\n\r\n\x00\r\nQUIT\n", Foreign::Proxy),
            (b"EHLO there", Foreign::Text),
        ] {
            assert_eq!(Foreign::recognise(octets), Some(foreign), "{octets:?}");
        }
    }

    #[test]
    fn leaves_smpp_and_short_input_alone() {
        assert_eq!(Foreign::recognise(&[0, 0, 0, 0x23, 0, 0, 0, 2]), None);
        assert_eq!(Foreign::recognise(b"GET"), None);
        assert_eq!(Foreign::recognise(&[0xFF, 0xFF, 0xFF, 0xFF]), None);
    }
}
