//! Blocks are laid out, comments and texts survive, and all blocks of the repository are as they should be.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::{Strategy, prop, prop_assert_eq, prop_oneof, proptest};
use regex_lite::Regex;

use super::{Block, blocks, first_difference, format_domain, modules, tokens};

#[track_caller]
fn check(source: &str, expected: &str) {
    let formatted = format_domain(source);
    assert_eq!(formatted, expected);
    assert_eq!(format_domain(&formatted), formatted, "laid out once more it is another");
}

#[test]
fn a_block_is_indented_and_spaced() {
    check(
        "mod a {\n    domain! {\n/// Orders.\n  pub domain Refund governs Order ;\n\n\n\nservices Desk;\nroles {Agent:agent,\n\
         Shop : system ,}\nallow {\n\n  Paid|Held=>[ RefundOrder,Look ];\n\n}\n}\n}\n",
        "mod a {\n    domain! {\n        /// Orders.\n        pub domain Refund governs Order;\n\n        services Desk;\n        \
         roles { Agent: agent,\n            Shop: system, }\n        allow {\n            Paid | Held => [RefundOrder, Look];\n        \
         }\n    }\n}\n",
    );
}

#[test]
fn a_line_that_goes_on_is_indented_once_more() {
    check(
        "domain! {\ndomain A governs B;\nactions {\nRefundOrder { risk: high, by: Agent,\nemits: OrderRefunded |\nOrderHeld };\n}\n}",
        "domain! {\n    domain A governs B;\n    actions {\n        RefundOrder { risk: high, by: Agent,\n            \
         emits: OrderRefunded |\n                OrderHeld };\n    }\n}",
    );
}

#[test]
fn what_follows_an_attribute_of_several_lines_is_a_line_of_its_own() {
    check(
        "domain! {\ndomain A governs B;\nevents {\n#[serde(\nrename_all = \"camelCase\"\n)]\nPaid { at: u8 };\n#[doc = \"a\"]\nSent;\n}\n}",
        "domain! {\n    domain A governs B;\n    events {\n        #[serde(\n                rename_all = \"camelCase\"\n            )]\n        \
         Paid { at: u8 };\n        #[doc = \"a\"]\n        Sent;\n    }\n}",
    );
}

#[test]
fn what_is_indented_by_tabs_stays_so() {
    let nested = "mod a {\n\tdomain! {\n\t\tdomain A governs B;\n\t\tstates {\n\t\t\tPaid,\n\t\t}\n\n\t\troles { A: agent }\n\t}\n}\n";
    check(nested, nested);
    check(&nested.replace("\t\t", "      "), nested);
    let outermost = "domain! {\n\tdomain A governs B;\n\tstates {\n\t\tPaid,\n\t}\n}\n";
    check(outermost, outermost);
    check("domain! {\n    domain A governs B;\n    states {\n\t\tPaid,\n\t}\n}\n", &outermost.replace('\t', "    "));
    check("  domain! {\n\tdomain A governs B;\n  }\n", "  domain! {\n      domain A governs B;\n  }\n");
}

#[test]
fn a_block_stands_in_any_brackets() {
    check("domain!(\ndomain A governs B;\na  {b:c}\n);\n", "domain!(\n    domain A governs B;\n    a  { b: c }\n);\n");
    check(
        "domain! [\n  domain A governs B;\n];\nkiff::domain!{ domain A governs B ;}\n",
        "domain! [\n    domain A governs B;\n];\nkiff::domain!{ domain A governs B; }\n",
    );
    check("domain!(  domain A governs B ;  );\n", "domain!(domain A governs B;);\n");
    check("domain!(\ndomain A (a) // b)\n);\n", "domain!(\n    domain A (a) // b)\n);\n");
    for source in ["domain!(\ndomain A: [b)]\n);\n", "domain!(\n  domain A\n", "a.domain != (b )"] {
        check(source, source);
    }
}

#[test]
fn a_break_of_markdown_stays_in_documentation() {
    let block =
        "domain! {\n    //! One  \n    /// two  \n    /// three\n    domain A governs B; // four\n    //// five\n}\n";
    check(block, block);
    check(&block.replace("four", "four  ").replace("five", "five  "), block);
    let block = block.replace('\n', "\r\n");
    check(&block, &block);
}

#[test]
fn signs_that_stand_apart_do_not_become_one() {
    check(
        "domain! {\n    domain A governs B;\n    a : : b :  : c :: : d: ::e;\n}\n",
        "domain! {\n    domain A governs B;\n    a: : b: : c ::: d: ::e;\n}\n",
    );
}

#[test]
fn signs_of_several_characters_stay_whole() {
    let head = "domain! {\n    domain A governs B;\n    events { Paid { flags: ";
    for inside in [
        "[u8; (A || B && C == D) as usize]",
        "[u8; (A||B) as usize]",
        "[u8; { let mut a = 1; a |= 2; a }]",
        "[u8; f(|| 1, |a| a)]",
    ] {
        let block = format!("{head}{inside} }} }}\n}}\n");
        let spaced = block.replace("|a| a", "| a | a");
        check(&block, &spaced);
    }
    check(
        "domain! {\n    domain A governs B;\n    a|b||c|=d=>e | | f;\n}\n",
        "domain! {\n    domain A governs B;\n    a | b||c|=d => e | | f;\n}\n",
    );
}

#[test]
fn columns_and_comments_are_kept() {
    let block = "domain! {\n    domain A governs B;\n\n    events {\n        OrderPlaced   { total: Cents } reported by System;   // a fact: { or not\n        \
                 /* two\n           lines */\n        #[serde(rename_all = \"camelCase\")]\n        Paid          { at: ::std::string::String };\n    \
                 }\n\n    actions { Export { risk: high, by: A, emits: none, approval: unapproved(\"a } in; a text\") }; }\n}\n";
    check(block, block);
}

#[test]
fn columns_that_tabs_align_are_kept() {
    let block = "domain! {\n    domain A governs B;\n    states {\n        Created,\t// one\n        Paid,\t\t// two\n    }\n    \
                 allow {\n        Paid\t=> \t[Look];\n    }\n}\n";
    check(block, block);
    check(
        "domain!(\tdomain A governs B; roles { A\t:\tagent\t,\tB: system\t}\t);\n",
        "domain!(domain A governs B; roles { A:\tagent,\tB: system\t});\n",
    );
}

#[test]
fn what_is_no_block_is_left_alone() {
    for source in [
        "fn main() { let a = \"domain! { a }\"; }  // domain! {\n  x\n",
        "domain! { domain A (a ] }\n",
        "domain! { domain A  no end\n",
        "domain! ( domain A  } )\n",
        "r#\"domain! { \"#; 'a'; '\\''; &'static str",
        "",
    ] {
        check(source, source);
    }
}

#[test]
fn another_macro_of_that_name_is_left_alone() {
    for source in [
        "domain!(\"kiff.rs\" , |x: u8| x == 1 || x|=2 );\n",
        "domain![ a,b ];\n",
        "domain! {\n  a :b;\n}\n",
        "domain! { domain=\"kiff.rs\" ;}\n",
        "domain!(  );\n",
    ] {
        check(source, source);
    }
    check(
        "domain!{ a :b }\ndomain! { /// C\n#[doc(hidden)] pub(crate) domain A governs B ; }\n",
        "domain!{ a :b }\ndomain! { /// C\n    #[doc(hidden)] pub(crate) domain A governs B; }\n",
    );
}

#[test]
fn the_first_line_that_differs_is_told() {
    assert_eq!(first_difference("\ndomain! {\n    domain A governs B;\n  b;\n}\n"), Some(4));
    assert_eq!(first_difference("\ndomain! {\n    domain A governs B;\n    b;\n}\n"), None);
}

#[test]
fn lines_end_as_they_did() {
    let source = "use kiff::domain;\n\ndomain! {\n    /* two\n       lines */\n    domain A governs B; // b\n\n    c {\n        d\n    }\n}\n";
    check(source, source);
    let source = source.replace('\n', "\r\n");
    check(&source, &source);
    check(&source.replace("    domain A governs B; // b\r\n", "domain A governs B; // b\r\n\r\n"), &source);
    assert_eq!(first_difference(&source.replace("    domain", "domain")), Some(6));
    assert_eq!(first_difference(&source.replace("// b\r\n", "// b\n")), Some(6));
}

#[test]
fn blocks_are_found_whatever_stands_before_their_names() {
    let source = "//! domain! { domain A governs B; }\nuse kiff::domain;\n#[deprecated]\ndomain! {\n    /** One [\n    and */\n    \
                  #[doc = \"see [x]\"] // domain No\n    pub(crate) domain One governs A;\n    states { Open }\n}\nconst B: char = '{';\n\
                  ::kiff::domain!(domain Two governs B;);\n#[cfg(test)]\nmod tests {\n    domain! { domain Tried governs C; }\n}\n\
                  fn main() {\n    domain! { domain Hidden governs D; }\n}\nmod inner {\n    domain! { pub domain Three governs E; }\n}\n\
                  domain! { services X; }\n";
    let found: Vec<_> = blocks(source).into_iter().map(|Block { domain, line }| (domain, line)).collect();
    assert_eq!(found, [(Some("One"), 4), (Some("Two"), 12), (None, 21), (None, 23)]);
    for none in ["domain!", "domain! {", "domain! { pub( domain A", "a.domain != b {", "}}} domain"] {
        assert!(blocks(none).iter().all(|block| block.domain.is_none()), "{none}");
    }
}

/// Every page and source of the repository that has a block.
fn files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["README.md", "docs", "examples", "kiff/src", "kiff-macros/src", "kiff-test", "tests"]
            .map(|name| root().join(name))
            .into();
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            folders.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md")
            && !path.starts_with(root().join("kiff/src/format"))
            && !path.ends_with("kiff/src/format.rs")
        {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if path.extension().is_some_and(|extension| extension == "md") {
                let fences = text.split("\n```").filter_map(|fence| fence.strip_prefix("rust\n").map(str::to_owned));
                found.extend(fences.map(|fence| (path.clone(), fence)));
            } else {
                found.push((path, text));
            }
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn modules_are_found_however_they_are_spelt() {
    let source = "#![allow(dead_code)]\nmod a; pub(in crate::b) mod r#type;\n    /* mod none; */ mod größe;\n\
                  #[path = \"in other.rs\"] // elsewhere\nmod\nb;\nmod outer { fn f() {} mod inner { pub mod hidden; } }\n\
                  #[cfg(test)]\nmod tests { mod shop; }\n#[cfg(test)] mod more;\nfn main() { mod local; }\nmacro! { mod written; }\n\
                  const TEXT: &str = \"mod text;\";\n";
    let found: Vec<_> = modules(source).into_iter().map(|own| (own.name, own.path, own.is_for_tests)).collect();
    let expected = [
        ("a", None, false),
        ("r#type", None, false),
        ("größe", None, false),
        ("b", Some("in other.rs"), false),
        ("hidden", None, false),
        ("shop", None, true),
        ("more", None, true),
    ];
    assert_eq!(found, expected);
    assert_eq!(modules(source)[4].within, ["outer", "inner"]);
}

#[test]
fn all_blocks_of_the_repository_are_laid_out() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, text) in files().into_iter().filter(|(path, _)| !is_broken_on_purpose(path)) {
        count += usize::from(tokens::block(&text).is_some());
        if let Some(line) = first_difference(&text) {
            wrong.push(format!("{}:{line}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "these are laid out otherwise:\n{}", wrong.join("\n"));
    assert!(count > 30, "only {count} files with a block were found");
}

/// What must not compile may not look right either.
fn is_broken_on_purpose(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "unfinished")
}

/// What the layout adds it can take from nothing: without its indentation, each block comes back as it was.
#[test]
fn a_block_without_indentation_comes_back() {
    for (path, text) in files().into_iter().filter(|(path, _)| !is_broken_on_purpose(path)) {
        let Some((before, body, after)) = tokens::block(&text) else { continue };
        if body.contains("/*") || body.trim().is_empty() {
            continue;
        }
        let flat: Vec<&str> = body.lines().map(str::trim).collect();
        let end = if body.trim_end_matches(' ').ends_with('\n') { "\n" } else { " " };
        let flat = format!("{before}{}{end}{after}", flat.join("\n").trim_end());
        assert_eq!(format_domain(&flat), text, "{}", path.display());
    }
}

/// Texts of which any order can stand in a source, with white space as somebody leaves it who is in a hurry.
fn sources() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[A-Za-z_][a-z_]{0,6}",
        8 => prop::sample::select(&[" ", "  ", "\t", "\n", "\r\n", "\n\n\n", "\n      ", "\n\t"][..]).prop_map(str::to_owned),
        8 => prop::sample::select(&["{", "}", "{", "}", "(", ")", "[", "]"][..]).prop_map(str::to_owned),
        4 => prop::sample::select(&["||", "|=", "&&", "==", "..=", ">>"][..]).prop_map(str::to_owned),
        8 => prop::sample::select(&[";", ",", ":", "|", "=>", "::", "->", "#", "!", "=", "&"][..]).prop_map(str::to_owned),
        2 => prop::sample::select(&["\"a } in  a text\"", "r#\"a \" {\"#", "'{'", "b'}'", "1_000", "'a "][..]).prop_map(str::to_owned),
        2 => prop::sample::select(&["// a { comment\n", "/* two\n  lines } */", "/// Words.  \n", "//", "/*", "\""][..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["domain! {", "domain! (", "domain!["][..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60)
        .prop_map(|pieces| format!("domain! {{ domain A governs B;{}}}\n", pieces.concat()))
}

/// The tokens of all blocks of a source.
fn tokens_of_blocks(source: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), source);
    while let Some((_, body, after)) = tokens::block(rest) {
        found.extend(tokens::of(body).into_iter().flatten().map(|token| token.text.to_owned()));
        rest = after;
    }
    found.retain(|text| !text.is_empty());
    found
}

/// The signs of several characters, those in comments and texts as well.
fn long_signs(source: &str) -> Vec<String> {
    let signs = r"\.\.=|\.\.\.|<<=|>>=|=>|->|::|\|\||\|=|&&|&=|==|!=|<=|>=|<<|>>|\.\.";
    Regex::new(signs).unwrap().find_iter(source).map(|sign| sign.as_str().to_owned()).collect()
}

proptest! {
    #[test]
    fn whatever_is_written_is_laid_out_for_good_and_says_the_same(source in sources()) {
        let formatted = format_domain(&source);
        prop_assert_eq!(format_domain(&formatted), formatted.clone());
        prop_assert_eq!(tokens_of_blocks(&formatted), tokens_of_blocks(&source));
        prop_assert_eq!(long_signs(&formatted), long_signs(&source));
        let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        prop_assert_eq!(letters(&formatted), letters(&source));
    }
}
