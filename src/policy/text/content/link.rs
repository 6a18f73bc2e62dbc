//! Where a phone sees links in a text: with a scheme, or because it ends like a domain.

use std::collections::HashSet;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

/// Calls `found` with the host of each link, as it is written.
///
/// A link has a scheme that phones know (or `hxxp`, which people repair), or is a host that ends with a top-level
/// domain, or an IPv4 address. Addresses of mail are none. What stands before `@` in the authority is not the host.
pub(super) fn hosts<'t>(text: &'t str, mut found: impl FnMut(&'t str)) {
    if !may_have_link(text) {
        return;
    }
    for chunk in
        text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '“' | '”' | '«' | '»'))
    {
        let mut rest = chunk;
        while let Some(colon) = rest.find("://") {
            let (before, authority) = (&rest[..colon], &rest[colon + 3..]);
            let scheme_at = before
                .rfind(|c: char| !c.is_ascii_alphanumeric())
                .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
            bare_hosts(&before[..scheme_at], &mut found);
            let end = authority.find(ends_authority).unwrap_or(authority.len());
            let host = host_of(&authority[..end]);
            if is_scheme(&before[scheme_at..]) && host.chars().any(char::is_alphanumeric) {
                found(host);
            } else {
                bare_hosts(&authority[..end], &mut found);
            }
            // Behind a host that can be none, as in http://http://acme.com, the link may still come.
            rest = &authority[end..];
            if host.contains(['.', ':']) {
                rest = behind_path(rest);
            }
        }
        bare_hosts(rest, &mut found);
    }
}

/// Whether there is a point before a letter, as many points as an IPv4 address has, or a scheme. Nearly all texts have
/// none of them.
fn may_have_link(text: &str) -> bool {
    let octets = text.as_bytes();
    let (mut from, mut points) = (0, 0);
    while let Some(point) = text[from..].find('.') {
        from += point + 1;
        points += 1;
        match octets.get(from) {
            Some(next) if next.is_ascii_alphabetic() || *next >= 0x80 => return true,
            Some(_) if points == 3 => return true,
            _ => {}
        }
    }
    text.match_indices(':').any(|(at, _)| text[at..].starts_with("://"))
}

fn ends_authority(character: char) -> bool {
    matches!(character, '/' | '?' | '#' | '\\' | ',' | ';' | '(' | ')' | '\'' | '|' | '{' | '}' | '^' | '`')
}

/// Without user, port and what ends a sentence.
fn host_of(authority: &str) -> &str {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    let host = host.split(':').next().unwrap_or(host);
    host.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_scheme(written: &str) -> bool {
    ["http", "https", "hxxp", "hxxps", "ftp", "rtsp"].iter().any(|known| written.eq_ignore_ascii_case(known))
}

/// A path is a part of its link, with whatever looks like a host in it; a comma may begin another link.
fn behind_path(rest: &str) -> &str {
    if !rest.starts_with(['/', '?', '#', '\\']) {
        return rest;
    }
    rest.find([',', ';', '(', ')']).map_or("", |end| &rest[end..])
}

/// Hosts without a scheme.
fn bare_hosts<'t>(text: &'t str, found: &mut impl FnMut(&'t str)) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut rest = text;
    // Whether `rest` begins right behind what may be the user of a mail address.
    let mut behind_user = false;
    while let Some(start) = rest.find(is_part) {
        let is_mail = behind_user && &rest[..start] == "@";
        let run = &rest[start..];
        let (run, behind) = run.split_at(run.find(|c: char| !is_part(c)).unwrap_or(run.len()));
        let host = if is_mail || behind.starts_with('@') { None } else { host_in(run) };
        behind_user = host.is_none();
        rest = behind;
        if let Some(host) = host {
            found(host);
            rest = behind_path(behind);
        }
    }
}

/// The longest beginning of a run of labels that is a host: `acme.com.Thanks` has `acme.com`.
fn host_in(run: &str) -> Option<&str> {
    if !run.contains('.') {
        return None;
    }
    run.split("..").find_map(|group| {
        let group = group.trim_matches(['.', '-', '_']);
        let mut end = group.len();
        while let Some(point) = group[..end].rfind('.') {
            let host = &group[..end];
            if end <= HOST_MAX && (is_top(&host[point + 1..]) || is_ipv4(host)) {
                return Some(host);
            }
            end = point;
        }
        None
    })
}

/// The longest host in octets (RFC 1035 §2.3.4); in characters of other alphabets it may be less.
const HOST_MAX: usize = 253;

fn is_ipv4(host: &str) -> bool {
    host.starts_with(|c: char| c.is_ascii_digit()) && host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether a label is a top-level domain.
pub(super) fn is_top(label: &str) -> bool {
    if label.len() > 63 || label.len() < 2 || label.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    if label.bytes().all(|octet| octet.is_ascii_lowercase()) {
        return TOPS.contains(label);
    }
    if label.is_ascii() {
        return TOPS.contains(label.to_ascii_lowercase().as_str());
    }
    idna::domain_to_ascii(label).is_ok_and(|label| TOPS.contains(label.as_str()))
}

/// The top-level domains of the root zone as IANA lists them.
static TOPS: LazyLock<HashSet<&'static str, FixedState>> =
    LazyLock::new(|| include_str!("tlds.txt").split_ascii_whitespace().collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_seen_as_phones_see_them() {
        for (text, expected) in [
            ("go to http://acme.com/path now", &["acme.com"][..]),
            ("HTTPS://WWW.Acme.COM:8080?x=1", &["WWW.Acme.COM"]),
            ("hxxp://evil.ru/x", &["evil.ru"]),
            ("see acme.com.", &["acme.com"]),
            ("acme.com,other.org/x and (third.net)", &["acme.com", "other.org", "third.net"]),
            ("www.acme.com/a/b.html?c=d.com", &["www.acme.com"]),
            ("http://acme.com@evil.ru/login", &["evil.ru"]),
            ("http://evil.ru\\@acme.com", &["evil.ru"]),
            ("http://user:pass@evil.ru:80/", &["evil.ru"]),
            ("http://localhost:8080/", &["localhost"]),
            ("http://1.2.3.4/x 5.6.7.8", &["1.2.3.4", "5.6.7.8"]),
            ("http://[2001:db8::1]:80/x", &["[2001:db8::1]"]),
            ("bob@acme.com or bob.smith@mail.acme.com", &[]),
            ("@acme.com", &["acme.com"]),
            ("Hello.Thanks for 12.50 e.g. v1.2 at 10.30", &[]),
            ("acme.com.Thanks", &["acme.com"]),
            ("wait...acme.com...", &["acme.com"]),
            ("президент.рф", &["президент.рф"]),
            ("аcme.com", &["аcme.com"]),
            ("xn--cme-5cd.com", &["xn--cme-5cd.com"]),
            ("http://a.com,http://b.com", &["a.com", "b.com"]),
            ("http://http://b.com", &["http", "b.com"]),
            ("foo://acme.com/x", &["acme.com"]),
            ("tel://123", &[]),
            ("://", &[]),
            ("a.b.c", &[]),
            ("\u{201C}acme.com\u{201D}", &["acme.com"]),
            ("no link at all. Not here.", &[]),
            ("", &[]),
        ] {
            let mut seen = Vec::new();
            hosts(text, |host| seen.push(host));
            assert_eq!(seen, expected, "{text}");
        }
    }

    #[test]
    fn top_level_domains_are_those_of_the_root_zone() {
        for top in ["com", "COM", "ru", "рф", "xn--p1ai", "shop", "uk"] {
            assert!(is_top(top), "{top}");
        }
        for other in ["", "c", "thanks", "50", "html", "как", "комп"] {
            assert!(!is_top(other), "{other}");
        }
    }
}
