//! Source addresses of a route as patterns: `*` stands for any characters, none of them among others. Octet for octet, as
//! source addresses are compared everywhere.

/// A source address, or a pattern of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderPattern(String);

impl SenderPattern {
    /// From its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a source address is meant. One pass and one place to come back to: at most the product of both lengths.
    #[must_use]
    pub fn fits(&self, source: &[u8]) -> bool {
        let pattern = self.0.as_bytes();
        let (mut at, mut of) = (0, 0);
        // Behind the last star, and where in the source that star's text ends.
        let mut back: Option<(usize, usize)> = None;
        while at < source.len() {
            match pattern.get(of) {
                Some(b'*') => {
                    of += 1;
                    back = Some((of, at));
                }
                Some(wanted) if *wanted == source[at] => {
                    of += 1;
                    at += 1;
                }
                _ => {
                    let Some((star, taken)) = back else { return false };
                    back = Some((star, taken + 1));
                    (of, at) = (star, taken + 1);
                }
            }
        }
        pattern[of..].iter().all(|b| *b == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, source, fits) in [
            ("ACME", "ACME", true),
            ("ACME", "acme", false),
            ("ACME", "ACME2", false),
            ("ACME*", "ACME", true),
            ("ACME*", "ACME-Bank", true),
            ("*", "", true),
            ("*34*", "0034600", true),
            ("3*4*5", "31425", true),
            ("3*4*5", "3142", false),
            ("*aab", "aaaab", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(SenderPattern::new(pattern).fits(source.as_bytes()), fits, "{pattern} {source}");
        }
    }
}
