//! An object of plain members, as parameters, payloads and bodies nearly always are: read in one pass, with nothing built.

/// How many members there can be.
const MOST: usize = 8;

/// The members of an object, in the order of the text.
///
/// INVARIANT: the keys are different, and made of ASCII letters, digits and `_`; the values are texts without escapes,
/// integers of at most 15 digits, or words. There is only one way to write each of them, and only one to read it.
pub(super) struct Plain<'t> {
    members: [(&'t str, &'t str); MOST],
    count: usize,
}

impl<'t> Plain<'t> {
    const fn new() -> Self {
        Self { members: [("", ""); MOST], count: 0 }
    }

    /// Reads an object of such values; none where `text` is anything else, be it JSON or not.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        Self::read_to(text, 1)
    }

    /// The same, where its values may be such objects as well, at most `depth` deep with the first.
    fn read_to(text: &'t str, depth: usize) -> Option<Self> {
        let mut rest = Rest { text, bytes: text.as_bytes(), depth };
        let mut plain = Self::new();
        rest.skip_space();
        rest.object(&mut plain)?;
        rest.skip_space();
        if rest.bytes.is_empty() { Some(plain) } else { None }
    }

    fn add(&mut self, key: &'t str, value: &'t str) -> Option<()> {
        if self.members().iter().any(|(other, _)| *other == key) {
            return None;
        }
        *self.members.get_mut(self.count)? = (key, value);
        self.count += 1;
        Some(())
    }

    /// Each key and the text of its value, a string with its quotes.
    pub(super) fn members(&self) -> &[(&'t str, &'t str)] {
        self.members.get(..self.count).unwrap_or_default()
    }

    /// The same with the keys in order and without white space.
    pub(super) fn canonical(mut self) -> String {
        if let Some(members) = self.members.get_mut(..self.count) {
            members.sort_unstable_by_key(|(key, _)| *key);
        }
        let size: usize = self.members().iter().map(|(key, value)| key.len() + value.len() + 4).sum();
        let mut out = String::with_capacity(size + 2);
        out.push('{');
        for (key, value) in self.members() {
            let separator = if out.len() == 1 { "\"" } else { ",\"" };
            out.extend([separator, key, "\":", value]);
        }
        out.push('}');
        out
    }
}

/// Whether `text` is one object as [`Plain`] has them, or one of such objects, and nests at most `depth` deep. Where it is not, it
/// may be JSON all the same.
pub(super) fn is_plain(text: &str, depth: usize) -> bool {
    Plain::read_to(text, depth.min(DEEPEST)).is_some()
}

/// How deep objects may stand in each other and still be read in this way, which takes the stack for it.
const DEEPEST: usize = 4;

/// Whether eight bytes are all such as a text without escapes may hold: no control character, quote or backslash.
///
/// The highest bit of a byte says that it is none. A byte that is none may set that of those above it as well, by what it borrows
/// from them; where all are such, none is set.
const fn is_text(word: u64) -> bool {
    const EACH: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = EACH << 7;
    let (quotes, backslashes) = (word ^ (EACH * b'"' as u64), word ^ (EACH * b'\\' as u64));
    let controls = word.wrapping_sub(EACH * b' ' as u64) & !word;
    let quotes = quotes.wrapping_sub(EACH) & !quotes;
    let backslashes = backslashes.wrapping_sub(EACH) & !backslashes;
    (controls | quotes | backslashes) & HIGHEST == 0
}

/// A text, the bytes of it that are still to be read, and how deep objects may still stand in each other.
struct Rest<'t> {
    text: &'t str,
    bytes: &'t [u8],
    depth: usize,
}

impl<'t> Rest<'t> {
    fn skip(&mut self, what: u8) -> Option<()> {
        match self.bytes {
            [first, rest @ ..] if *first == what => {
                self.bytes = rest;
                Some(())
            }
            _ => None,
        }
    }

    fn skip_word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes = self.bytes.strip_prefix(word)?;
        Some(())
    }

    fn skip_while(&mut self, fits: impl Fn(u8) -> bool) {
        let fitting = self.bytes.iter().position(|byte| !fits(*byte)).unwrap_or(self.bytes.len());
        self.skip_bytes(fitting);
    }

    fn skip_bytes(&mut self, count: usize) {
        self.bytes = self.bytes.get(count..).unwrap_or_default();
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.bytes {
            self.bytes = rest;
        }
    }

    /// Skips what a text without escapes may hold, eight bytes at a time as long as there are so many.
    fn skip_text(&mut self) {
        let (words, _) = self.bytes.as_chunks();
        let plain = words.iter().take_while(|word| is_text(u64::from_ne_bytes(**word))).count();
        self.skip_bytes(plain * size_of::<u64>());
        self.skip_while(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\'));
    }

    /// What was read since so many bytes were left.
    fn since(&self, left: usize) -> Option<&'t str> {
        self.text.get(self.text.len() - left..self.text.len() - self.bytes.len())
    }

    fn object(&mut self, plain: &mut Plain<'t>) -> Option<()> {
        self.depth = self.depth.checked_sub(1)?;
        self.skip(b'{')?;
        self.skip_space();
        if self.skip(b'}').is_none() {
            loop {
                let (key, value) = self.member()?;
                plain.add(key, value)?;
                if self.skip(b',').is_none() {
                    break self.skip(b'}')?;
                }
                self.skip_space();
            }
        }
        self.depth += 1;
        Some(())
    }

    fn member(&mut self) -> Option<(&'t str, &'t str)> {
        let key = self.key()?;
        self.skip_space();
        self.skip(b':')?;
        self.skip_space();
        let value = self.value()?;
        self.skip_space();
        Some((key, value))
    }

    fn key(&mut self) -> Option<&'t str> {
        self.skip(b'"')?;
        let left = self.bytes.len();
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let key = self.since(left);
        self.skip(b'"')?;
        key
    }

    fn value(&mut self) -> Option<&'t str> {
        let left = self.bytes.len();
        match self.bytes.first()? {
            b'"' => {
                self.skip(b'"')?;
                self.skip_text();
                self.skip(b'"')?;
            }
            b'{' => self.object(&mut Plain::new())?,
            b't' => self.skip_word(b"true")?,
            b'f' => self.skip_word(b"false")?,
            b'n' => self.skip_word(b"null")?,
            _ => self.integer()?,
        }
        self.since(left)
    }

    fn integer(&mut self) -> Option<()> {
        let is_negative = self.skip(b'-').is_some();
        let digits = self.bytes;
        self.skip_while(|byte| byte.is_ascii_digit());
        let is_plain = match (digits.first()?, digits.len() - self.bytes.len()) {
            (b'0', 1) => !is_negative,
            (b'1'..=b'9', 1..=15) => true,
            _ => false,
        };
        is_plain.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::Bounds;
    use crate::json::Json;

    #[test]
    fn what_is_plain_is_read_as_the_long_way_reads_it() {
        let plain = [
            "{}",
            " { } ",
            r#"{"b": 1, "a": "é / ~", "c": true}"#,
            "{\"reason\" :\t\"damaged\"\r\n, \"amount\":-49, \"x\": null }",
            r#"{"a": 999999999999999, "b": 0, "c": false, "d": ""}"#,
        ];
        let many =
            ["k"; 8].iter().zip(0..).fold(String::new(), |many, (key, number)| many + &format!("\"{key}{number}\":1,"));
        let other = [
            r#"{"a": 1.50}"#,
            r#"{"a": -0}"#,
            r#"{"a": 1e2, "z": [1]}"#,
            r#"{"\u0061": 1}"#,
            r#"{"a": "\""}"#,
            r#"{"a": 9007199254740991}"#,
            &format!("{{{many}\"last\":1}}"),
            "[1]",
            "7",
        ];
        for text in plain.into_iter().chain(other) {
            let json = Json::parse(text, &Bounds::DEFAULT).unwrap();
            assert_eq!(json.canonical(), json.sorted(), "{text}");
            assert_eq!(plain.contains(&text), Plain::read(text).is_some(), "{text}");
        }
    }

    #[test]
    fn each_byte_is_judged_alike_wherever_it_stands_in_a_text() {
        for byte in 0..=u8::MAX {
            let may_stand = byte >= b' ' && !matches!(byte, b'"' | b'\\');
            for others in [b' ', b'a', 0x80, 0xff] {
                for place in 0..8 {
                    let mut word = [others; 8];
                    word[place] = byte;
                    assert_eq!(is_text(u64::from_ne_bytes(word)), may_stand, "{word:x?}");
                }
            }
        }
    }

    #[test]
    fn p10_what_is_no_json_or_read_in_two_ways_is_not_plain() {
        for text in [
            "",
            "{",
            "{}}",
            "{} {}",
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a"=1}"#,
            r"{a:1}",
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":truely}"#,
            r#"{"a":"open}"#,
            "{\"a\":\"line\nfeed\"}",
            r#"{"a":9007199254740992}"#,
            r#"{"a":1,"b":2,"a":1}"#,
            "{\u{a0}\"a\":1}",
        ] {
            assert!(Plain::read(text).is_none(), "{text}");
            assert!(Json::parse(text, &Bounds::DEFAULT).is_err(), "{text}");
        }
        for place in 0..20 {
            let mut text = "x".repeat(20);
            text.replace_range(place..=place, "\n");
            assert!(Plain::read(&format!("{{\"a\":\"{text}\"}}")).is_none(), "{text:?}");
        }
        assert!(Json::parse("{}", &Bounds { json_depth: 0, ..Bounds::DEFAULT }).is_err());
    }

    #[test]
    fn p10_objects_in_objects_are_read_as_the_long_way_reads_them() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\": ".repeat(depth), "}".repeat(depth));
        for depth in 1..=6 {
            for allowed in 0..=6 {
                let is_allowed =
                    Json::parse(&nested(depth), &Bounds { json_depth: allowed, ..Bounds::DEFAULT }).is_ok();
                assert_eq!(is_allowed, depth <= allowed, "{depth} deep where {allowed} are allowed");
                assert_eq!(is_plain(&nested(depth), allowed), depth <= allowed.min(DEEPEST));
            }
        }
        assert!(is_plain(r#"{"entity_type": "Order", "parameters": {"amount": 49, "reason": "x"}, "b": {}}"#, 9));
        for twice in [
            r#"{"p": {"a": 1, "a": 2}}"#,
            r#"{"p": {"a": 1}, "p": {"b": 2}}"#,
            r#"{"p": {"a": 1}}}"#,
            r#"{"p": {"a": 1}"#,
        ] {
            assert!(!is_plain(twice, 9) && Json::parse(twice, &Bounds::DEFAULT).is_err(), "{twice}");
        }
        // What has objects in it is put in order the long way.
        let json = Json::parse(r#"{"p": {"z": 1, "a": 2}}"#, &Bounds::DEFAULT).unwrap();
        assert_eq!(json.canonical(), r#"{"p":{"a":2,"z":1}}"#);
    }
}
