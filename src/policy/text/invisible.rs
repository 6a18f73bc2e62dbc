//! Characters that a reader does not see at all.

/// Whether a character has no width and no effect on what is read (Unicode: Default_Ignorable_Code_Point): soft
/// hyphens, zero-width characters, marks of direction, variation selectors, tags, fillers.
pub(super) const fn vanishes(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_width_vanishes_and_blanks_do_not() {
        for character in ['\u{AD}', '\u{200B}', '\u{200D}', '\u{FE0F}', '\u{FEFF}', '\u{2066}', '\u{E0061}'] {
            assert!(vanishes(character), "{character:?}");
        }
        for character in [' ', '\u{A0}', '\u{2009}', '-', 'a', '\n'] {
            assert!(!vanishes(character), "{character:?}");
        }
    }
}
