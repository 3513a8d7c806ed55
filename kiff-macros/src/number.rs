//! A number for a name, the same in both macros: a type can be made of it where the name itself is of no use.

/// The FNV-1a hash of the name.
pub(crate) fn of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of("a"), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(of("RefundOrder"), of("RefundOrdr"));
    }
}
