//! docs/build-a-domain.md: its two files are the example's, and what it shows is what comes out.

use super::printed;
use crate::cli::page::same;

const PAGE: &str = include_str!("../../../docs/build-a-domain.md");

#[test]
fn the_page_shows_the_example_and_what_it_prints() {
    let files = [
        ("rust", include_str!("../../../examples/lending/domain.rs")),
        ("rust,ignore", include_str!("../../../examples/lending/main.rs")),
    ];
    for (kind, file) in files {
        let (_own_place, code) = file.split_once("\n\n").unwrap();
        assert!(PAGE.contains(&format!("```{kind}\n{code}```\n")), "the page does not show:\n{code}");
    }
    let (_, rest) = PAGE.split_once("$ cargo run --quiet\n").unwrap();
    let shown: Vec<String> = rest.lines().take_while(|line| *line != "```").map(str::to_owned).collect();
    let said = printed("lending", &[]);
    assert!(
        same(&said.lines().collect::<Vec<_>>(), &shown),
        "the page shows\n{}\nand it prints\n{said}",
        shown.join("\n")
    );
}
