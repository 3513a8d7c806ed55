//! The diagram: nothing lies over anything else, nothing depends on chance, and no text is taken for markup.

use std::fmt::Write;

use super::Diagram;
use super::svg::Picture;
use crate::domain::model::Model;
use crate::domain::parse;
use crate::domain::tests::{REFUND, refund};
use crate::errors::Errors;

fn model(source: &str) -> Model {
    let errors = Errors::new();
    let block = parse::block(source.parse().unwrap(), &errors);
    assert!(errors.finish().is_empty());
    Model::resolve(block)
}

fn diagram(source: &str) -> Diagram {
    Diagram::of(&model(source))
}

const MISSION: &str = include_str!("../../../../examples/mission/domain.rs");

fn block_of(file: &str) -> String {
    let start = file.find("domain! {").unwrap() + "domain! {".len();
    let end = file.find("\n}\n").unwrap();
    file[start..end].to_owned()
}

/// A domain of that many states and transitions, with loops, ways back, ways over many states, and two events at once.
fn generated(states: usize, transitions: usize) -> String {
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let (mut events, mut lines, mut actions) = (String::new(), String::new(), String::new());
    let mut allow = vec![Vec::new(); states];
    let last = states - 1;
    for number in 0..transitions {
        let (from, to) = match number {
            0 => (None, 0),
            _ if number < states => (Some(number.saturating_sub(1 + random(3)).min(last - 1)), number),
            _ => {
                let from = random(last);
                (Some(from), (from + 1 + random(8)).saturating_sub(3).min(last))
            }
        };
        let from_name = from.map_or("new".to_owned(), |from| format!("Stage{from}"));
        let reported = if from.is_none() { " reported by System" } else { "" };
        writeln!(events, "Step{number}Happened{reported};").unwrap();
        writeln!(lines, "Step{number}Happened: {from_name} => Stage{to};").unwrap();
        if let Some(from) = from {
            let approval = if number % 5 == 0 { "risk: high, approval: Operator" } else { "risk: low" };
            writeln!(actions, "TakeStep{number} {{ by: Agent, emits: Step{number}Happened, {approval} }};").unwrap();
            allow[from].push(format!("TakeStep{number}"));
        }
    }
    let word = |number: usize| if allow[number].is_empty() { "final " } else { "" };
    let names: Vec<_> = (0..states).map(|number| format!("{}Stage{number}", word(number))).collect();
    let allow = allow.iter().enumerate().filter(|(_, own)| !own.is_empty());
    let allow: Vec<_> = allow.map(|(number, own)| format!("Stage{number} => [{}];", own.join(", "))).collect();
    format!(
        "/// Many stages.\npub domain Stages governs Work;\nroles {{ Agent: agent, Operator: human, System: system }}\n\
         states {{ {} }}\nevents {{ {events} }}\ntransitions {{ {lines} }}\nactions {{ {actions} }}\nallow {{ {} }}",
        names.join(", "),
        allow.join("\n")
    )
}

/// The blocks whose diagrams are looked at closely.
fn blocks() -> [String; 4] {
    [REFUND.to_owned(), block_of(MISSION), generated(30, 60), generated(60, 200)]
}

#[test]
fn no_label_or_state_lies_over_another() {
    for block in blocks() {
        let diagram = diagram(&block);
        let picture = Picture::of(&diagram);
        let rectangles = picture.rectangles();
        assert_eq!(rectangles.len(), diagram.places.len() + diagram.arrows.len());
        for (number, [left, top, right, bottom]) in rectangles.iter().enumerate() {
            assert!(
                -EDGE <= *left && *right <= picture.drawing().width + EDGE,
                "{number} is drawn outside of the picture"
            );
            assert!(
                -EDGE <= *top && *bottom <= picture.drawing().height + EDGE,
                "{number} is drawn outside of the picture"
            );
            for (other_number, other) in rectangles.iter().enumerate().skip(number + 1) {
                let over = cuts(other, *left, *right, *top, *bottom);
                assert!(!over, "{number} and {other_number} lie over each other: {:?} {other:?}", rectangles[number]);
            }
        }
    }
}

#[test]
fn no_arrow_runs_through_a_label_or_a_state() {
    for block in blocks() {
        let diagram = diagram(&block);
        let picture = Picture::of(&diagram);
        let rectangles = picture.rectangles();
        for route in &picture.drawing().routes {
            for part in [&route.upper, &route.lower] {
                for stop in part {
                    assert!(rectangles.iter().all(|own| !cuts(own, stop.x, stop.x, stop.top, stop.bottom)));
                }
                for (from, to) in part.iter().zip(part.iter().skip(1)) {
                    let (left, right) = (from.x.min(to.x), from.x.max(to.x));
                    assert!(from.bottom < to.top, "an arrow runs sideways in a row");
                    assert!(rectangles.iter().all(|own| !cuts(own, left, right, from.bottom, to.top)));
                }
            }
        }
    }
}

/// What is lost in calculating.
const EDGE: f64 = 0.01;

/// Whether what reaches that far gets into the rectangle, and not just to its edge.
fn cuts([left, top, right, bottom]: &[f64; 4], from: f64, to: f64, upper: f64, lower: f64) -> bool {
    left + EDGE < to && from < right - EDGE && top + EDGE < lower && upper < bottom - EDGE
}

/// A long way from state to state, each with a way past the next, is drawn as one column.
#[test]
fn a_long_way_leads_down_and_not_aside() {
    let (mut events, mut lines) = ("Opened reported by System;".to_owned(), "Opened: new => Stage0;".to_owned());
    for (from, to) in (0..30).flat_map(|from| [(from, from + 1), (from, from + 2)]).filter(|(_, to)| *to <= 30) {
        writeln!(events, "From{from}To{to} reported by System;").unwrap();
        writeln!(lines, "From{from}To{to}: Stage{from} => Stage{to};").unwrap();
    }
    let states: Vec<_> = (0..=30).map(|number| format!("Stage{number}")).collect();
    let diagram = diagram(&format!(
        "pub domain Stages governs Work;\nroles {{ System: system }}\nstates {{ {} }}\nevents {{ {events} }}\n\
         transitions {{ {lines} }}\nactions {{ Look {{ risk: low, by: System, emits: none }}; }}\n\
         allow {{ Stage0 => [Look]; }}",
        states.join(", ")
    ));
    let width = Picture::of(&diagram).drawing().width;
    assert!(width < 400.0, "it is {width} wide");
}

#[test]
fn an_arrow_points_at_the_state_that_it_leads_to() {
    for block in blocks() {
        let diagram = diagram(&block);
        let picture = Picture::of(&diagram);
        let rectangles = picture.rectangles();
        let arrows = diagram.arrows.iter().filter(|arrow| arrow.from != arrow.to);
        for (arrow, route) in arrows.zip(&picture.drawing().routes) {
            let (above, below) = if route.upward { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
            let (first, last) = (route.upper.first().unwrap(), route.lower.last().unwrap());
            let [left, _, right, bottom] = rectangles[above];
            assert!(left <= first.x && first.x <= right && (first.top - bottom).abs() < EDGE);
            let [left, top, right, _] = rectangles[below];
            assert!(left <= last.x && last.x <= right && (last.bottom - top).abs() < EDGE);
        }
    }
}

#[test]
fn the_same_block_gives_the_same_picture() {
    for block in blocks() {
        assert_eq!(diagram(&block).svg(), diagram(&block).svg());
    }
}

#[test]
fn a_picture_has_no_colour_of_its_own_and_loads_nothing() {
    for block in blocks() {
        let svg = diagram(&block).svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(!svg.contains('\n'), "an empty line would end the picture in Markdown");
        for (position, _) in svg.match_indices("stroke=\"").chain(svg.match_indices(" fill=\"")) {
            let value = svg[position..].split('"').nth(1).unwrap();
            assert!(["currentColor", "none"].contains(&value), "{value}");
        }
        for loaded in ["href", "url(", "@import", "<script", "<style", "<image"] {
            assert!(!svg.contains(loaded), "{loaded}");
        }
    }
}

#[test]
fn each_step_is_drawn_with_its_event_its_cause_and_its_approval() {
    let svg = diagram(&block_of(MISSION)).svg();
    for text in
        ["MissionSubmitted", "reported by Control", "MoveExecuted", "ExecuteMove · Pilot", "Supervisor approves"]
    {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}");
    }
    // One line and one outline for each of the two steps that need an approval.
    assert_eq!(svg.matches("stroke-dasharray").count(), 4);
    // The final state has two frames.
    assert_eq!(svg.matches("rx=\"10\"").count(), 4);
    assert_eq!(svg.matches("rx=\"7\"").count(), 1);
}

#[test]
fn events_between_the_same_two_states_share_an_arrow_unless_only_one_needs_an_approval() {
    let twice = |approval: &str| {
        let source = refund(&[
            ("OrderPaid { payment_id: String };", "OrderPaid { payment_id: String }; OrderComped;"),
            ("OrderPaid: Created => Paid;", "OrderPaid: Created => Paid; OrderComped: Created => Paid;"),
            (
                "emits: OrderPaid };",
                &format!("emits: OrderPaid }}; Comp {{ by: Agent, emits: OrderComped, {approval} }};"),
            ),
            ("Created => [MarkPaid];", "Created => [MarkPaid, Comp];"),
        ]);
        diagram(&source).arrows.len()
    };
    assert_eq!(twice("risk: low"), 3);
    assert_eq!(twice("risk: high, approval: Operator"), 4);
}

#[test]
fn what_is_wrong_with_a_block_does_not_keep_it_from_being_drawn() {
    for source in [
        "domain Refund governs Order;",
        "domain Refund governs Order; states { A, B, A } transitions { X: A => B; X: B => A; Y: C => D; Z: A => }",
        "domain Refund governs Order; states { A } events { X; } transitions { X: A => A }",
    ] {
        let errors = Errors::new();
        let block = parse::block(source.parse().unwrap(), &errors);
        let _ = errors.finish();
        let diagram = Diagram::of(&Model::resolve(block));
        assert!(diagram.svg().ends_with("</svg>"));
        assert!(diagram.mermaid().starts_with("stateDiagram-v2\n"));
    }
}

#[test]
fn the_text_for_mermaid() {
    let expected = "\
stateDiagram-v2
    state \"Created\" as s1
    state \"Paid\" as s2
    state \"Refunded\" as s3
    [*] --> s1 : OrderPlaced<br/>reported by System
    s1 --> s2 : OrderPaid<br/>MarkPaid · Agent
    s2 --> s3 : OrderRefunded<br/>RefundOrder · Agent<br/>✓ Operator approves
    s3 --> [*]
";
    assert_eq!(diagram(REFUND).mermaid(), expected);
}
