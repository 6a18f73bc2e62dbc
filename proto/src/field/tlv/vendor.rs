//! What vendor tags were seen to mean. No registry exists, and the same tag means other things elsewhere: hints for
//! people who read a log, never a reason to act.

use super::Tag;

impl Tag {
    /// What the tag means at some operators and vendors, for tags outside of the specification.
    pub const fn hint(self) -> Option<&'static str> {
        Some(match self.0 {
            0x1400 => "India: DLT entity id; SMSPortal: customer reference",
            0x1401 => {
                "India: DLT template id; OVH: outgoing id; CM.com: operator MCC+MNC; SMSPortal: cost centre"
            }
            0x1402 => "India: DLT telemarketer id or chain hash; mBlox: operator id; OVH: incoming id",
            0x1403 => "mBlox: tariff; Sinch: MCC+MNC; Vibes: alternative delivery",
            0x1404 => "mBlox: session id",
            0x1407 => "mBlox: service id",
            0x140A => "CM.com: tariff",
            0x1450 => "MCC",
            0x1451 => "MNC",
            0x1502 => "8x8: message id",
            0x1503 => "8x8: MCC",
            0x1504 => "8x8: MNC",
            0x1542 => "mBlox: program",
            0x1600 => "Kannel opensmppbox: the example of its manual",
            0x1700..=0x1706 => "LINK Mobility",
            0x8081 => "cloudhopper: originating MSC address",
            0x8082 => "cloudhopper: destination MSC address",
            0x0101 | 0x0301 | 0x1101..=0x1106 | 0x1304 | 0x1306 => "J-Phone (SMPP 4)",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_of_the_specification_has_a_hint() {
        assert!((0..=u16::MAX).all(|tag| Tag(tag).name().is_none() || Tag(tag).hint().is_none()));
        assert!(Tag(0x1400).hint().is_some_and(|hint| hint.contains("DLT entity")));
        assert_eq!(Tag(0x3FFF).hint(), None);
    }
}
