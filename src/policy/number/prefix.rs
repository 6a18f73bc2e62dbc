//! A table by number prefix: the longest match, or the earliest of all that match, in one walk over the digits.

/// A trie over decimal digits; each node may hold a value.
#[derive(Clone, Debug)]
pub struct PrefixTable<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    next: [u32; 10],
    value: Option<T>,
}

/// A prefix that is not digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is decimal digits without + (the country code first), or empty for every number")]
pub struct NotAPrefix;

impl<T> PrefixTable<T> {
    /// Matches nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { nodes: vec![Node::empty()] }
    }

    /// The value of exactly this prefix, made by `fresh` if there is none yet.
    ///
    /// # Errors
    /// When `prefix` holds something else than digits.
    pub fn entry(&mut self, prefix: &str, fresh: impl FnOnce() -> T) -> Result<&mut T, NotAPrefix> {
        let mut at = 0_usize;
        for byte in prefix.bytes() {
            let digit = digit(byte).ok_or(NotAPrefix)?;
            let next = self.nodes[at].next[digit];
            at = if next == 0 {
                let fresh = u32::try_from(self.nodes.len()).map_err(|_| NotAPrefix)?;
                self.nodes[at].next[digit] = fresh;
                self.nodes.push(Node::empty());
                fresh as usize
            } else {
                next as usize
            };
        }
        Ok(self.nodes[at].value.get_or_insert_with(fresh))
    }

    /// The values of all prefixes of `number`, shortest first. Anything but a digit ends the walk.
    pub fn matches<'a, 'n>(&'a self, number: &'n [u8]) -> impl Iterator<Item = &'a T> + use<'a, 'n, T> {
        let mut at = Some(0_usize);
        let mut digits = number.iter();
        std::iter::from_fn(move || {
            let node = &self.nodes[at?];
            at = digits
                .next()
                .and_then(|b| digit(*b))
                .map(|d| node.next[d] as usize)
                .filter(|next| *next != 0);
            Some(node.value.as_ref())
        })
        .flatten()
    }

    /// The value of the longest prefix of `number`.
    #[must_use]
    pub fn longest(&self, number: &[u8]) -> Option<&T> {
        self.matches(number).last()
    }
}

impl<T> Default for PrefixTable<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Node<T> {
    const fn empty() -> Self {
        Self { next: [0; 10], value: None }
    }
}

const fn digit(byte: u8) -> Option<usize> {
    if byte.is_ascii_digit() { Some((byte - b'0') as usize) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_all_are_found() {
        let mut table = PrefixTable::new();
        for prefix in ["", "34", "346", "44"] {
            table.entry(prefix, || prefix.to_owned()).unwrap();
        }
        assert_eq!(table.longest(b"34600").map(String::as_str), Some("346"));
        assert_eq!(table.longest(b"1").map(String::as_str), Some(""));
        assert_eq!(table.matches(b"34600").map(String::as_str).collect::<Vec<_>>(), ["", "34", "346"]);
        assert_eq!(table.matches(b"").count(), 1);
        assert_eq!(PrefixTable::<u8>::new().longest(b"34"), None);
        assert_eq!(table.entry("+34", String::new), Err(NotAPrefix));
    }
}
