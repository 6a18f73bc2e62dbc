//! "Did you mean": the known word that is nearest to what was written.

/// The nearest of `known`, when it is near enough to be what was meant: a third of its letters may be wrong.
pub(in crate::config) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len().max(written.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Advice for a word that is none of `known`.
pub(in crate::config) fn did_you_mean<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str> + Clone,
) -> String {
    match nearest(written, known.clone()) {
        Some(word) => format!("did you mean {word:?}?"),
        None => {
            let mut words: Vec<&str> = known.into_iter().collect();
            words.sort_unstable();
            if words.is_empty() {
                return "there is none to choose from".to_owned();
            }
            format!("write one of {}", listed(&words))
        }
    }
}

/// `a, b or c`, at most a dozen of them.
pub(in crate::config) fn listed(words: &[&str]) -> String {
    const MOST: usize = 12;
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] if words.len() <= MOST => format!("{} or {last}", first.join(", ")),
        _ => format!("{} … ({} in all)", words[..MOST].join(", "), words.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let known = ["listen", "system_id", "max_connections", "tls"];
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("max_conections", known), Some("max_connections"));
        assert_eq!(nearest("SystemId", known), Some("system_id"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(did_you_mean("colour", ["b", "a"]), "write one of a or b");
    }
}
